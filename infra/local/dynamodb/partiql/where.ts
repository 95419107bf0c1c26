import { type Checked, type Expression, invalid, type LegacyCondition, type Path } from '../engine/dynalite.ts';
import type { AttributeValue, Item } from '../engine/image.ts';
import type { KeyPart } from '../engine/keys.ts';
import type { Table } from '../engine/table.ts';
import type { Source } from '../reads/page.ts';

/** Conditions a sort key can be looked up by, and their names in a query. */
const RANGE_OPERATORS: Readonly<Record<string, string>> = {
  '=': 'EQ',
  '<': 'LT',
  '<=': 'LE',
  '>': 'GT',
  '>=': 'GE',
  between: 'BETWEEN',
  begins_with: 'BEGINS_WITH',
};

/**
 * The part of a WHERE that a key can be looked up by, and what is left to look at in each item. Without an equality
 * on every attribute that the source is partitioned by there is no such part, and everything is read.
 */
export function lookup({ layout }: Source, where: Expression | undefined): Pick<Checked, 'KeyConditions' | '_filter'> {
  const conditions: Record<string, LegacyCondition> = {};
  let rest = conjuncts(where);
  for (const part of layout.hash) {
    const found = rest.find((it) => isEquality(it, part));
    if (!found) return where ? { _filter: { expression: where } } : {};
    conditions[part.name] = { ComparisonOperator: 'EQ', AttributeValueList: [valueIn(found)] };
    rest = rest.filter((it) => it !== found);
  }
  for (const part of layout.range) {
    const found = rest.find((it) => isRange(it, part));
    if (!found) break;
    const operator = RANGE_OPERATORS[found.name ?? found.type] ?? '';
    conditions[part.name] = { ComparisonOperator: operator, AttributeValueList: valuesOf(found) };
    rest = rest.filter((it) => it !== found);
    if (operator !== 'EQ') break;
  }
  return { KeyConditions: conditions, ...filtered(rest) };
}

/** The key that a WHERE names, and what else it asks of the item. @throws AwsError when it does not name one item. */
export function oneItem(table: Table, where: Expression | undefined): { Key: Item; rest: Expression | undefined } {
  const Key: Item = {};
  let rest = conjuncts(where);
  for (const part of [...table.layout.hash, ...table.layout.range]) {
    const found = rest.find((it) => isEquality(it, part));
    if (!found) throw invalid('Where clause does not contain a mandatory equality on all key attributes');
    Key[part.name] = valueIn(found);
    rest = rest.filter((it) => it !== found);
  }
  return { Key, rest: joined(rest) };
}

export function joined(all: readonly Expression[]): Expression | undefined {
  const [first, ...others] = all;
  return first && others.reduce((left, right): Expression => ({ type: 'and', args: [left, right] }), first);
}

function filtered(rest: readonly Expression[]): Pick<Checked, '_filter'> {
  const expression = joined(rest);
  return expression ? { _filter: { expression } } : {};
}

/** Conditions that all have to hold. */
function conjuncts(expression: Expression | undefined): Expression[] {
  if (!expression) return [];
  return expression.type === 'and'
    ? (expression.args as Expression[]).flatMap((part) => conjuncts(part))
    : [expression];
}

function isEquality({ type, args: [left, right] }: Expression, part: KeyPart): boolean {
  if (type !== '=') return false;
  return (isAttribute(left, part) && isValue(right, part)) || (isAttribute(right, part) && isValue(left, part));
}

function isRange(expression: Expression, part: KeyPart): boolean {
  const { type, name, args } = expression;
  const [left, ...values] = args;
  return (
    RANGE_OPERATORS[name ?? type] !== undefined && isAttribute(left, part) && values.every((it) => isValue(it, part))
  );
}

function isAttribute(operand: unknown, { name }: KeyPart): boolean {
  return Array.isArray(operand) && operand.length === 1 && operand[0] === name;
}

function isValue(operand: unknown, { type }: KeyPart): boolean {
  return !Array.isArray(operand) && (operand as AttributeValue | undefined)?.[type] !== undefined;
}

function valueIn({ args: [left, right] }: Expression): AttributeValue {
  return (Array.isArray(left) ? right : left) as AttributeValue;
}

function valuesOf({ args }: Expression): AttributeValue[] {
  return args.filter((it): it is AttributeValue => !isPath(it));
}

function isPath(operand: unknown): operand is Path {
  return Array.isArray(operand);
}
