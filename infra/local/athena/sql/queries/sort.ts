import type { SortItemContext } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { Context } from '../context.ts';
import { expression } from '../expression.ts';
import { placeOf } from '../grammar.ts';
import { SqlError } from '../sql-error.ts';
import type { Expr } from '../values/expr.ts';
import { comparable } from '../values/operators.ts';
import { typeName } from '../values/trino-types.ts';

/** One item of an ORDER BY. Nulls are last in Trino, whichever the direction. */
export function sortSql(ctx: SortItemContext, context: Context): string {
  const sorted = ctx.columnRef() ?? ctx.expression() ?? ctx;
  return sortedBy(ctx, expression(sorted, context));
}

/** An item of an ORDER BY whose expression is known. */
export function sortedBy(ctx: SortItemContext, value: Expr): string {
  if (['map', 'json'].includes(value.type.kind)) {
    throw new SqlError(
      'TYPE_MISMATCH',
      `Type ${typeName(value.type)} is not orderable, and therefore cannot be used in ORDER BY`,
      placeOf(ctx),
    );
  }
  const direction = ctx.KW_DESC() ? 'DESC' : 'ASC';
  return `${comparable(value)} ${direction} NULLS ${ctx.KW_FIRST() ? 'FIRST' : 'LAST'}`;
}
