import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item } from './expression.ts';

/** What a statement writes, and where. An update has a condition beside the key, as a condition expression. */
type StatementWrite =
  | { readonly kind: 'insert'; readonly pk: string; readonly item: Item }
  | {
      readonly kind: 'update';
      readonly pk: string;
      readonly item: Item;
      readonly condition: string;
      readonly values: Record<string, AttributeValue>;
    };

const INSERT = /^INSERT INTO "state" VALUE \{((?:'\w+': \?(?:, )?)+)\}$/;
const UPDATE = /^UPDATE "state" ((?:SET "\w+" = \? )+)WHERE pk = \? AND \((.+)\)$/;

/** The two statements of PartiQL that the product uses. Anything else is refused, and not evaluated by guess. */
export function writeOfStatement(statement: string, parameters: readonly AttributeValue[]): StatementWrite {
  const inserted = INSERT.exec(statement);
  const updated = UPDATE.exec(statement);
  const text = inserted?.[1] ?? updated?.[1];
  if (text === undefined) throw new Error(`not simulated: statement "${statement}"`);
  const names = text.match(/\w+(?=["'])/g) ?? [];
  const item: Item = Object.fromEntries(names.map((name, index) => [name, parameters[index] as AttributeValue]));
  const rest = parameters.slice(names.length);
  if (!updated) {
    if (rest.length > 0) throw new Error('a parameter too many');
    return { kind: 'insert', pk: item.pk?.S ?? '', item };
  }
  const [pk, ...given] = rest;
  const values: Record<string, AttributeValue> = {};
  const condition = (updated[2] ?? '')
    .replace(/"(\w+)" IS MISSING/g, 'attribute_not_exists($1)')
    .replace(/"(\w+)"/g, '$1')
    .replace(/\?/g, () => {
      const name = `:p${Object.keys(values).length}`;
      values[name] = given[Object.keys(values).length] as AttributeValue;
      return name;
    });
  if (Object.keys(values).length !== given.length) throw new Error('parameters and question marks differ in number');
  return { kind: 'update', pk: pk?.S ?? '', item, condition, values };
}
