import type { ParserRuleContext } from 'antlr4ng';
import type * as Trino from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { Context, OutputColumn } from '../context.ts';
import { condition, expression } from '../expression.ts';
import { nameOf, placeOf, textOf } from '../grammar.ts';
import { Scope } from '../scope.ts';
import { notProven, SqlError } from '../sql-error.ts';
import { type Expr, sqlOf } from '../values/expr.ts';
import { duckDbType } from '../values/trino-types.ts';
import { positionOf } from './clauses.ts';
import { partitionConditions } from './partition-conditions.ts';
import type { QueryBody, QueryTranslator, Surroundings } from './queries.ts';
import { fromRelation, type Relation } from './relation.ts';

interface Item extends OutputColumn {
  readonly expr: Expr;
}

/** SELECT … FROM … WHERE … GROUP BY … HAVING …, of which only ORDER BY sees the inside. */
export function selectQuery(
  ctx: Trino.QuerySpecificationContext,
  around: Surroundings,
  to: QueryTranslator,
): QueryBody {
  const relations = ctx.relation();
  const from: Relation | undefined = relations.length > 0 ? fromRelation(relations, around, to) : undefined;
  const scope = new Scope(from?.fields ?? [], around.outer);
  const windows = new Map(ctx.windowDefinition().map((it) => [nameOf(it.identifier()), it.windowSpecification()]));
  const context = { ...to.context(scope, around), windows };
  const whereCtx = ctx.whereClause();
  const where = whereCtx ? ` WHERE ${condition(whereCtx.booleanExpression(), context, 'WHERE clause')}` : '';
  if (from?.scan) {
    from.scan.conditions = whereCtx ? partitionConditions(whereCtx.booleanExpression(), from.scan.table, context) : [];
  }
  const groupBy = ctx.groupBy();
  const keys = groupBy ? groupingKeys(groupBy, ctx, context, to) : undefined;
  const grouped = keys ? withOneClock(context, keys.zoned) : context;
  const items = ctx
    .selectList()
    .selectItem()
    .flatMap((it) => selectItem(it, grouped));
  const having = ctx.havingClause();
  const havingSql = having ? ` HAVING ${condition(having.booleanExpression(), grouped, 'HAVING clause')}` : '';
  const isDistinct = ctx.setQuantifier()?.KW_DISTINCT() != null;
  const names = items.map(() => to.newName('c'));
  const list = items.map(({ expr }, index) => `${isDistinct ? oneClock(expr).sql : expr.sql} AS ${names[index]}`);
  const fromSql = from ? ` FROM ${from.sql}` : '';
  const sql = `SELECT ${isDistinct ? 'DISTINCT ' : ''}${list.join(', ')}${fromSql}${where}${keys ? ` GROUP BY ${keys.sql}` : ''}${havingSql}`;
  const body = { columns: items.map(({ name, type }) => ({ name, type })), names, sql };
  return { ...body, ordering: { context: grouped, outputs: items.map(({ expr }) => expr), isDistinct } };
}

function selectItem(ctx: Trino.SelectItemContext, context: Context): Item[] {
  const allOf = ctx.tableAllColumns();
  if (ctx.columnAliases()) throw notProven('t.* AS (…)', 'name the columns one by one', placeOf(ctx));
  if (ctx.selectAllWithoutTable() || allOf) {
    const relation = allOf
      ? allOf.primaryExpression().getText().split('.').at(-1)?.replaceAll('"', '').toLowerCase()
      : undefined;
    const fields = context.scope.all(relation);
    if (fields.length === 0 && relation !== undefined)
      throw new SqlError('TABLE_NOT_FOUND', `Unable to resolve reference ${relation}`, placeOf(ctx));
    if (fields.length === 0)
      throw new SqlError('COLUMN_NOT_FOUND', 'SELECT * not allowed in queries without FROM clause', placeOf(ctx));
    return fields.map(({ name, type, sql, onRead }) => {
      onRead?.();
      return { name, type, expr: context.onExpression({ type, sql, place: placeOf(ctx) }) };
    });
  }
  const value = ctx.selectLiteralColumnName()?.columnRef() ?? ctx.selectExpressionColumnName()?.expression() ?? ctx;
  const alias = ctx.identifier();
  const expr = expression(value, context);
  return [{ name: alias ? nameOf(alias) : nameOfValue(value), type: expr.type, expr }];
}

/** A column's own name, or the field's that is selected. */
function nameOfValue(ctx: ParserRuleContext): string | undefined {
  switch (ctx.constructor.name) {
    case 'ColumnRefContext': {
      const last = (ctx as Trino.ColumnRefContext).qualifiedName()?.identifier().at(-1);
      return last && nameOf(last);
    }
    case 'ColumnReferenceContext': {
      const last = (ctx as Trino.ColumnReferenceContext).columnName().qualifiedName().identifier().at(-1);
      return last && nameOf(last);
    }
    case 'DereferenceContext':
      return nameOf((ctx as Trino.DereferenceContext).identifier());
    case 'ParenthesizedExpressionContext':
      return undefined;
    default:
      return ctx.getChildCount() === 1 && 'start' in (ctx.getChild(0) ?? {})
        ? nameOfValue(ctx.getChild(0) as ParserRuleContext)
        : undefined;
  }
}

function groupingKeys(
  ctx: Trino.GroupByContext,
  select: Trino.QuerySpecificationContext,
  context: Context,
  to: QueryTranslator,
) {
  if (ctx.setQuantifier()?.KW_DISTINCT()) throw notProven('GROUP BY DISTINCT', 'leave DISTINCT out', placeOf(ctx));
  const zoned = new Set<string>();
  const items = select.selectList().selectItem();
  const key = (term: ParserRuleContext): string => {
    const chosen = positionOf(term, items, 'GROUP BY');
    const before = to.scans.length;
    const expr = chosen ? selectItem(chosen, context)[0]?.expr : expression(term, context);
    if (chosen) to.scans.splice(before);
    if (!expr) throw notProven('GROUP BY of *', 'name the columns', placeOf(term));
    if (['json'].includes(expr.type.kind))
      throw notProven('GROUP BY json', 'cast it to varchar by json_format', placeOf(term));
    if (expr.type.kind === 'timestamp with time zone') zoned.add(expr.sql);
    return oneClock(expr).sql;
  };
  const set = (it: Trino.GroupingSetContext): string => {
    const terms = it.groupingTerm().map((term) => key(term.columnRef() ?? term.expression() ?? term));
    return terms.length === 1 && it.getChildCount() === 1 ? (terms[0] ?? '') : `(${terms.join(', ')})`;
  };
  const elements = ctx.groupingElement().map((element) => {
    switch (element.constructor.name) {
      case 'SingleGroupingSetContext':
        return set((element as Trino.SingleGroupingSetContext).groupingSet());
      case 'RollupContext':
        return `ROLLUP (${(element as Trino.RollupContext).groupingSet().map(set).join(', ')})`;
      case 'CubeContext':
        return `CUBE (${(element as Trino.CubeContext).groupingSet().map(set).join(', ')})`;
      case 'MultipleGroupingSetsContext':
        return `GROUPING SETS (${(element as Trino.MultipleGroupingSetsContext).groupingSet().map(set).join(', ')})`;
      default:
        throw notProven(textOf(element), 'write GROUP BY of columns', placeOf(element));
    }
  });
  return { sql: elements.join(', '), zoned };
}

/** The keys of a group that are times with zones are checked wherever they stand, so that DuckDB finds them equal. */
function withOneClock(context: Context, zoned: ReadonlySet<string>): Context {
  if (zoned.size === 0) return context;
  return { ...context, onExpression: (expr) => (zoned.has(expr.sql) ? oneClock(expr) : expr) };
}

/** Two times that are one moment on two clocks are one group in Trino, and two in DuckDB: so all must be of UTC. */
function oneClock(expr: Expr): Expr {
  if (expr.type.kind !== 'timestamp with time zone') return expr;
  const message =
    "'The local Athena groups timestamps with time zone only if all are of UTC. Instead, cast them to timestamp'";
  const fail = sqlOf.fail('NOT_SUPPORTED', message, duckDbType(expr.type));
  return { ...expr, sql: `CASE WHEN (${expr.sql}).m <> 0 THEN ${fail} ELSE ${expr.sql} END` };
}
