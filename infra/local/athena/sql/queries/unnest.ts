import type * as Trino from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { expression } from '../expression.ts';
import { type Field, Scope } from '../scope.ts';
import { SqlError } from '../sql-error.ts';
import { BIGINT, type Type, typeName } from '../values/trino-types.ts';
import type { QueryTranslator, Surroundings } from './queries.ts';
import type { Relation } from './relation.ts';

const unnestedTypes = (type: Type): readonly { name?: string | undefined; type: Type }[] | undefined => {
  if (type.kind === 'map') return [{ type: type.key }, { type: type.value }];
  if (type.kind !== 'array') return undefined;
  return type.element.kind === 'row' ? type.element.fields : [{ type: type.element }];
};

/** `UNNEST(a, b) WITH ORDINALITY`: shorter ones are filled up with nulls. A row's fields are columns of their own. */
export function unnest(ctx: Trino.UnnestContext, around: Surroundings, to: QueryTranslator): Relation {
  const context = to.context(around.outer ?? new Scope([]), around);
  const values = ctx.expression().map((it) => expression(it, context));
  const [outer, inner] = [to.newName('r'), to.newName('r')];
  const fields: Field[] = [];
  const selected: string[] = [];
  const lists: string[] = [];
  const lengths = values.map(
    ({ sql, type }) => `coalesce(${type.kind === 'map' ? `cardinality(${sql})` : `len(${sql})`}, 0)`,
  );
  const add = (name: string | undefined, type: Type, sql: string) => {
    const column = to.newName('c');
    selected.push(`${sql} AS ${column}`);
    fields.push({ name, type, sql: `${outer}.${column}` });
  };
  for (const { sql, type, place } of values) {
    const parts = unnestedTypes(type);
    if (!parts) throw new SqlError('TYPE_MISMATCH', `Cannot unnest type: ${typeName(type)}`, place);
    const own = type.kind === 'map' ? [`map_keys(${sql})`, `map_values(${sql})`] : [sql];
    const listNames = own.map((list) => {
      const name = to.newName('u');
      lists.push(`unnest(${list}) AS ${name}`);
      return `${inner}.${name}`;
    });
    for (const [index, part] of parts.entries()) {
      const isRow = type.kind === 'array' && type.element.kind === 'row';
      add(part.name, part.type, isRow ? `(${listNames[0]}).f${index}` : (listNames[index] ?? ''));
    }
  }
  if (ctx.KW_ORDINALITY()) {
    const name = to.newName('u');
    lists.push(`unnest(range(1, greatest(${lengths.join(', ')}) + 1)) AS ${name}`);
    add(undefined, BIGINT, `${inner}.${name}`);
  }
  return {
    sql: `LATERAL (SELECT ${selected.join(', ')} FROM (SELECT ${lists.join(', ')}) AS ${inner}) AS ${outer}`,
    fields,
  };
}
