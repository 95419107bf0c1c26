import type { ParserRuleContext } from 'antlr4ng';
import type * as Trino from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { Context } from '../context.ts';
import { condition } from '../expression.ts';
import { nameOf, placeOf } from '../grammar.ts';
import { type Field, Scope } from '../scope.ts';
import { notProven, type Place, SqlError } from '../sql-error.ts';
import { commonType } from '../values/coercion.ts';
import type { Expr } from '../values/expr.ts';
import { comparable } from '../values/operators.ts';
import { duckDbType, isFloating, typeName } from '../values/trino-types.ts';
import type { QueryTranslator, Surroundings } from './queries.ts';
import { crossJoined, identifiersOf, type Relation, relation } from './relation.ts';

/** `a JOIN b`: of every kind but NATURAL. */
export function join(ctx: Trino.JoinRelationContext, around: Surroundings, to: QueryTranslator): Relation {
  const [leftCtx, rightCtx] = [ctx._left, ctx._right ?? ctx._rightRelation];
  if (!leftCtx || !rightCtx) throw notProven('this join', 'write CROSS JOIN or JOIN … ON', placeOf(ctx));
  if (ctx.KW_NATURAL()) throw notProven('NATURAL JOIN', 'write JOIN … USING (columns)', placeOf(ctx));
  const left = relation(leftCtx, around, to);
  const right = relation(rightCtx, around, to, left);
  const type = ctx.joinType();
  const kind = (['LEFT', 'RIGHT', 'FULL'] as const).find((it) => type?.[`KW_${it}`]()) ?? 'INNER';
  const criteria = ctx.joinCriteria();
  const rightSql = rightCtx.constructor.name === 'JoinRelationContext' ? `(${right.sql})` : right.sql;
  if (ctx.KW_CROSS() || !criteria) return crossJoined(left, { ...right, sql: rightSql });
  const columns = criteria.identifier();
  if (columns.length > 0) return joinUsing(kind, left, { ...right, sql: rightSql }, columns);
  const fields = [...left.fields, ...right.fields];
  const on = criteria.booleanExpression() ?? criteria.joinColumnEquality();
  if (!on) throw notProven('this join', 'write JOIN … ON a condition', placeOf(ctx));
  const context = to.context(new Scope(fields, around.outer), around);
  const test =
    on.constructor.name === 'JoinColumnEqualityContext'
      ? equality(on as Trino.JoinColumnEqualityContext, context)
      : condition(on, context, 'JOIN ON clause');
  return { sql: `${left.sql} ${kind} JOIN ${rightSql} ON ${test}`, fields };
}

function equality(ctx: Trino.JoinColumnEqualityContext, context: Context): string {
  const sides = ctx.joinColumnReference().map((it) => {
    const parts = identifiersOf(it).map(nameOf);
    const { field } = context.scope.resolve(parts, placeOf(it));
    return { type: field.type, sql: field.sql, place: placeOf(it) } satisfies Expr;
  });
  const [left, right] = sides;
  if (!left || !right) throw notProven('this join', 'write JOIN … ON a condition', placeOf(ctx));
  return equalSql(left, right, placeOf(ctx));
}

function equalSql(left: Expr, right: Expr, place: Place): string {
  const common = commonType(left.type, right.type);
  if (!common) {
    throw new SqlError(
      'TYPE_MISMATCH',
      `Cannot apply operator: ${typeName(left.type)} = ${typeName(right.type)}`,
      place,
    );
  }
  if (isFloating(common)) {
    const isNumber = `NOT isnan(${left.sql})`;
    return `(${left.sql} = ${right.sql} AND ${isNumber})`;
  }
  const sides = [left, right].map((it) =>
    duckDbType(it.type) === duckDbType(common) ? comparable(it) : `CAST(${it.sql} AS ${duckDbType(common)})`,
  );
  return `(${sides.join(' = ')})`;
}

/** The columns of USING come first, once, and belong to neither side. */
function joinUsing(kind: string, left: Relation, right: Relation, columns: readonly ParserRuleContext[]): Relation {
  const conditions: string[] = [];
  const merged = columns.map((column): Field => {
    const name = nameOf(column);
    const [a, b] = [left, right].map((side) => new Scope(side.fields).resolve([name], placeOf(column)).field);
    if (!a || !b) throw new SqlError('COLUMN_NOT_FOUND', `Column '${name}' cannot be resolved`, placeOf(column));
    conditions.push(equalSql(a, b, placeOf(column)));
    const type = commonType(a.type, b.type) ?? a.type;
    const sql = kind === 'FULL' ? `COALESCE(${a.sql}, ${b.sql})` : kind === 'RIGHT' ? b.sql : a.sql;
    if (typeName(a.type) !== typeName(b.type))
      throw notProven(`USING of ${typeName(a.type)} and ${typeName(b.type)}`, 'write JOIN … ON', placeOf(column));
    return { name, type, sql };
  });
  const names = columns.map(nameOf);
  const others = [...left.fields, ...right.fields].filter((it) => it.name === undefined || !names.includes(it.name));
  return {
    sql: `${left.sql} ${kind} JOIN ${right.sql} ON ${conditions.join(' AND ')}`,
    fields: [...merged, ...others],
  };
}
