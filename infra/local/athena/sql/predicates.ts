import type { ParserRuleContext } from 'antlr4ng';
import type * as Trino from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { Context } from './context.ts';
import { expression } from './expression.ts';
import { placeOf, textOf } from './grammar.ts';
import { notProven, type Place, SqlError } from './sql-error.ts';
import { coerced, commonType } from './values/coercion.ts';
import type { Expr } from './values/expr.ts';
import { comparable, comparison, like } from './values/operators.ts';
import { BOOLEAN, isFloating, type Type } from './values/trino-types.ts';

const boolean = (sql: string, place: Place): Expr => ({ type: BOOLEAN, sql, place });

/** A value with what is said of it: `= 1`, `BETWEEN`, `IN`, `LIKE`, `IS NULL`. */
export function predicated(predicate: Trino.PredicateContext, value: Expr, context: Context): Expr {
  const place = value.place ?? placeOf(predicate);
  const rule = predicate.constructor.name.replace(/Context$/, '');
  switch (rule) {
    case 'Comparison': {
      const ctx = predicate as Trino.ComparisonContext;
      return comparison(operatorOf(ctx.comparisonOperator()), value, expression(ctx.valueExpression(), context), place);
    }
    case 'Between': {
      const ctx = predicate as Trino.BetweenContext;
      const [lower, upper] = ctx.valueExpression().map((it) => expression(it, context));
      const sides = [comparison('>=', value, lower as Expr, place), comparison('<=', value, upper as Expr, place)];
      return boolean(`(${ctx.KW_NOT() ? 'NOT ' : ''}(${sides.map(({ sql }) => sql).join(' AND ')}))`, place);
    }
    case 'InList': {
      const ctx = predicate as Trino.InListContext;
      return inList(
        value,
        ctx.expression().map((it) => expression(it, context)),
        ctx.KW_NOT() !== null,
        place,
      );
    }
    case 'InSubquery': {
      const ctx = predicate as Trino.InSubqueryContext;
      return compareWithQuery(ctx.query(), value, ctx.KW_NOT() ? 'NOT IN' : 'IN', '=', context, place);
    }
    case 'QuantifiedComparison': {
      const ctx = predicate as Trino.QuantifiedComparisonContext;
      const operator = operatorOf(ctx.comparisonOperator());
      const quantifier = ctx.comparisonQuantifier().getText().toUpperCase() === 'ALL' ? 'ALL' : 'ANY';
      return compareWithQuery(ctx.query(), value, `${operator} ${quantifier}`, operator, context, place);
    }
    case 'Like': {
      const ctx = predicate as Trino.LikeContext;
      const [pattern, escapedBy] = ctx.valueExpression().map((it) => expression(it, context));
      const result = like(value, pattern as Expr, escapedBy, place);
      return ctx.KW_NOT() ? boolean(`(NOT ${result.sql})`, place) : result;
    }
    case 'NullPredicate': {
      const isNot = (predicate as Trino.NullPredicateContext).KW_NOT() !== null;
      return boolean(`(${value.sql} IS ${isNot ? 'NOT ' : ''}NULL)`, place);
    }
    case 'DistinctFrom': {
      const ctx = predicate as Trino.DistinctFromContext;
      const other = expression(ctx.valueExpression(), context);
      const common = commonType(value.type, other.type);
      if (!common) comparison('=', value, other, place);
      const [a, b] = [value, other].map((it) => comparable(coerced(it, common ?? it.type)));
      return boolean(`(${a} IS ${ctx.KW_NOT() ? 'NOT ' : ''}DISTINCT FROM ${b})`, place);
    }
    default:
      throw notProven(textOf(predicate).slice(0, 60), 'write it by other means', place);
  }
}

const operatorOf = (ctx: ParserRuleContext) => (ctx.getText() === '!=' ? '<>' : ctx.getText());

function inList(value: Expr, list: readonly Expr[], isNot: boolean, place: Place): Expr {
  const compared = list.map((it) => comparison('=', value, it, place).sql);
  // Plain values are written as a list, which DuckDB looks up at once.
  const common = list.reduce<Type | undefined>((type, it) => type && commonType(type, it.type), value.type);
  const isPlain = common !== undefined && !isFloating(common) && list.every((it) => it.literal !== undefined);
  const sql = isPlain
    ? `(${comparable(coerced(value, common))} IN (${list.map((it) => comparable(coerced(it, common))).join(', ')}))`
    : `(${compared.join(' OR ')})`;
  return boolean(isNot ? `(NOT ${sql})` : sql, place);
}

function compareWithQuery(
  query: Trino.QueryContext,
  value: Expr,
  operator: string,
  comparedBy: string,
  context: Context,
  place: Place,
): Expr {
  const { columns, sql, names } = context.subquery(query);
  const [column] = columns;
  if (columns.length !== 1 || !column)
    throw new SqlError(
      'SYNTAX_ERROR',
      `Multiple columns returned by subquery are not yet supported. Found ${columns.length}`,
      place,
    );
  const inner: Expr = { type: column.type, sql: `q.${names[0]}`, place };
  // Says so when the two cannot be compared.
  comparison(comparedBy, value, inner, place);
  const common = commonType(value.type, inner.type);
  if (!common || isFloating(common))
    throw notProven('a comparison of double or real with a subquery', 'write a join', place);
  const [left, right] = [value, inner].map((it) => comparable(coerced(it, common)));
  return boolean(`(${left} ${operator} (SELECT ${right} FROM (${sql}) AS q))`, place);
}
