import type { ParserRuleContext } from 'antlr4ng';
import type * as Trino from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { Context } from '../context.ts';
import { expression } from '../expression.ts';
import { placeOf } from '../grammar.ts';
import { notProven, SqlError } from '../sql-error.ts';
import type { Expr } from '../values/expr.ts';

/** An output column by its number in ORDER BY or GROUP BY; undefined when it is no number. */
export function positionOf<Item>(ctx: ParserRuleContext, items: readonly Item[], clause: string): Item | undefined {
  const text = ctx.getText();
  if (!/^\d{1,9}$/.test(text)) return undefined;
  const item = items[Number(text) - 1];
  if (item) return item;
  throw new SqlError('INVALID_COLUMN_REFERENCE', `${clause} position ${text} is not in select list`, placeOf(ctx));
}

/** The values of a row of VALUES: one alone is a row of one. */
export function rowValues(ctx: ParserRuleContext, context: Context): Expr[] {
  const row = within(ctx, 'RowConstructorContext') as Trino.RowConstructorContext | undefined;
  if (row) return row.expression().map((it) => expression(it, context));
  return [expression(ctx, context)];
}

/** What stands alone within rules that add nothing. */
function within(ctx: ParserRuleContext, rule: string): ParserRuleContext | undefined {
  if (ctx.constructor.name === rule) return ctx;
  const only = ctx.getChildCount() === 1 ? ctx.getChild(0) : undefined;
  return only && 'start' in only ? within(only as ParserRuleContext, rule) : undefined;
}

/** LIMIT, OFFSET and FETCH FIRST. */
export function limitSql(ctx: Trino.QueryNoWithContext): string {
  if (ctx.KW_TIES()) throw notProven('WITH TIES', 'write rank() in a subquery', placeOf(ctx));
  const number = (row: ParserRuleContext | undefined | null): string | undefined => {
    const text = row?.getText();
    if (text === undefined || /^all$/i.test(text)) return undefined;
    if (/^\d+$/.test(text)) return text;
    throw new SqlError(
      'INVALID_PARAMETER_USAGE',
      'A ? of LIMIT or OFFSET has no value',
      row ? placeOf(row) : undefined,
    );
  };
  const limit = number(ctx._limit) ?? (ctx.KW_FETCH() ? (number(ctx._fetchFirst) ?? '1') : undefined);
  const offset = number(ctx._offset);
  return `${limit === undefined ? '' : ` LIMIT ${limit}`}${offset === undefined ? '' : ` OFFSET ${offset}`}`;
}
