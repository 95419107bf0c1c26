import type { ParserRuleContext } from 'antlr4ng';
import type {
  FunctionCallContext,
  LambdaContext,
  ListAggContext,
  WindowSpecificationContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { Context } from '../context.ts';
import { condition, expression } from '../expression.ts';
import { nameOf, placeOf, textLiteral, textOf } from '../grammar.ts';
import { sortSql } from '../queries/sort.ts';
import { notProven, type Place, SqlError } from '../sql-error.ts';
import { coerced, commonType, isCoercible } from '../values/coercion.ts';
import { type Expr, sqlOf } from '../values/expr.ts';
import { arithmetic, comparable, comparison } from '../values/operators.ts';
import { elementAt } from '../values/subscript.ts';
import {
  BOOLEAN,
  duckDbType,
  isFloating,
  TIMESTAMP_TZ,
  type Type,
  typeName,
  VARCHAR,
  varchar,
} from '../values/trino-types.ts';
import { aggregateCall, scalarCall } from './calls.ts';
import { LAMBDA_FUNCTIONS, lambdaCall } from './lambda.ts';

/** Functions whose arguments are not simply values, or whose types no signature says. */
const SPECIAL: Readonly<Record<string, (args: readonly Expr[], place: Place, context: Context) => Expr>> = {
  coalesce: (args, place) => inCommon('COALESCE', args, place, (list) => `COALESCE(${list.join(', ')})`),
  // Null if any is null. NaN is no number to compare.
  greatest: (args, place) => extreme('greatest', args, place),
  least: (args, place) => extreme('least', args, place),
  nullif: ([a, b], place) => {
    if (!a || !b) throw new SqlError('SYNTAX_ERROR', 'Invalid number of arguments for nullif', place);
    return {
      ...a,
      literal: undefined,
      sql: `CASE WHEN ${comparison('=', a, b, place).sql} THEN NULL ELSE ${a.sql} END`,
      place,
    };
  },
  if: ([test, then, otherwise], place) => {
    if (!test || !then || !isCoercible(test.type, BOOLEAN)) {
      throw new SqlError('TYPE_MISMATCH', 'IF condition must evaluate to a boolean', place);
    }
    const type = otherwise ? commonType(then.type, otherwise.type) : then.type;
    if (!type) throw new SqlError('TYPE_MISMATCH', 'Result types for IF must be the same', place);
    const last = otherwise ? ` ELSE ${coerced(otherwise, type).sql}` : '';
    return { type, sql: `CASE WHEN ${coerced(test, BOOLEAN).sql} THEN ${coerced(then, type).sql}${last} END`, place };
  },
  try: ([value], place) => {
    if (!value) throw new SqlError('SYNTAX_ERROR', "The 'try' function must have exactly one argument", place);
    return { ...value, sql: `TRY(${value.sql})`, place };
  },
  typeof: ([value], place) => {
    if (!value) throw new SqlError('FUNCTION_NOT_FOUND', 'Unexpected parameters () for function typeof', place);
    return { type: VARCHAR, sql: sqlOf.text(typeName(value.type)), place };
  },
  // Null if any is null, as DuckDB's || has it and its concat has not.
  concat: (args, place) => {
    const isArray = args.some((it) => it.type.kind === 'array');
    for (const { type } of args) {
      if (isArray || type.kind === 'varchar' || type.kind === 'unknown' || type.kind === 'varbinary') continue;
      throw new SqlError(
        'FUNCTION_NOT_FOUND',
        `Unexpected parameters (${args.map((it) => typeName(it.type)).join(', ')}) for function concat`,
        place,
      );
    }
    if (args.length < 2)
      throw new SqlError('INVALID_FUNCTION_ARGUMENT', 'There must be two or more concatenation arguments', place);
    if (!isArray) {
      const isBytes = args.some((it) => it.type.kind === 'varbinary');
      const type: Type = isBytes ? { kind: 'varbinary' } : VARCHAR;
      return { type, sql: `(${args.map((it) => coerced(it, type).sql).join(' || ')})`, place };
    }
    return inCommon(
      'concat',
      args,
      place,
      (list) =>
        `CASE WHEN ${list.map((it) => `${it} IS NULL`).join(' OR ')} THEN NULL ELSE list_concat(${list.join(', ')}) END`,
    );
  },
  mod: ([a, b], place) => {
    if (!a || !b) throw new SqlError('FUNCTION_NOT_FOUND', 'Unexpected parameters for function mod', place);
    return arithmetic('%', a, b, place);
  },
  element_at: ([value, index], place) => {
    if (!value || !index)
      throw new SqlError('FUNCTION_NOT_FOUND', 'Unexpected parameters for function element_at', place);
    return elementAt(value, index, place);
  },
  now: (_, place, { now }) => ({
    type: TIMESTAMP_TZ,
    sql: sqlOf.zoned(`TIMESTAMP '${now.toISOString().slice(0, 23).replace('T', ' ')}'`),
    place,
  }),
};

/** Names of the functions whose calls are read here or in lambda.ts. */
export const SPECIAL_NAMES: readonly string[] = [...Object.keys(SPECIAL), ...Object.keys(LAMBDA_FUNCTIONS)];

function inCommon(name: string, args: readonly Expr[], place: Place, sql: (list: string[]) => string): Expr {
  const type = args.reduce<Type | undefined>((common, it) => common && commonType(common, it.type), {
    kind: 'unknown',
  });
  if (!type) {
    throw new SqlError(
      'TYPE_MISMATCH',
      `All ${name} operands must be the same type or coercible to a common type: ${args.map((it) => typeName(it.type)).join(', ')}`,
      place,
    );
  }
  return { type, sql: sql(args.map((it) => coerced(it, type).sql)), place };
}

function extreme(name: string, args: readonly Expr[], place: Place): Expr {
  const result = inCommon(name, args, place, (list) => {
    const anyNull = list.map((it) => `${it} IS NULL`).join(' OR ');
    return `CASE WHEN ${anyNull} THEN NULL ELSE ${name}(${list.join(', ')}) END`;
  });
  const { type } = result;
  if (isFloating(type) && args.some((it) => it.literal === undefined)) {
    const list = args.map((it) => coerced(it, type).sql);
    const anyNaN = list.map((it) => `isnan(${it})`).join(' OR ');
    return {
      ...result,
      sql: `CASE WHEN ${anyNaN} THEN ${sqlOf.fail('NOT_SUPPORTED', `'The local Athena does not run ${name} of NaN'`, duckDbType(type))} ELSE ${result.sql} END`,
    };
  }
  if (comparable({ type, sql: '' }) !== '' || ['array', 'map', 'row', 'json'].includes(type.kind)) {
    throw notProven(`${name} of ${typeName(type)}`, 'cast to timestamp or compare by CASE', place);
  }
  return result;
}

/** A call of a function by its name. */
export function functionCall(ctx: FunctionCallContext, context: Context): Expr {
  const names = ctx.functionName().qualifiedName().identifier();
  const place = placeOf(ctx);
  const name = nameOf(names.at(-1) ?? ctx);
  if (names.length > 1) throw notProven('a function of another schema', 'write its name alone', place);
  if (ctx.processingMode()) throw notProven('RUNNING or FINAL', 'leave it out', place);
  const over = ctx.over();
  const argContexts = ctx.expression();
  if (name in LAMBDA_FUNCTIONS) return lambdaCall(name, argContexts, context, place);
  const args = argContexts.map((it) => expression(it, context));
  const special = SPECIAL[name];
  if (special && !over) return special(args, place, context);
  const aggregated = aggregateCall(name, args, over !== null, place);
  if (!aggregated) {
    if (over || ctx.setQuantifier() || ctx.filter() || ctx.sortItem().length > 0) {
      throw new SqlError('FUNCTION_NOT_AGGREGATE', `${name} is not an aggregate function`, place);
    }
    return scalarCall(name, args, place);
  }
  const { aggregate, type } = aggregated;
  const suffix = `${filterSql(ctx, context, aggregate.only?.(aggregated.args))}${over ? overSql(ctx, context) : ''}`;
  const nulls = nullTreatment(ctx);
  const order = orderSql(ctx, context);
  const written = (call: string) => {
    const distinct = ctx.setQuantifier()?.KW_DISTINCT() ? 'DISTINCT ' : '';
    return `${call.replace('%', distinct).replace(/\)$/, `${order}${nulls})`)}${suffix}`;
  };
  const called = written(aggregate.call(aggregated.args));
  const second = aggregate.second ? written(aggregate.second(aggregated.args)) : '';
  return { type, sql: aggregate.result?.(called, type, second) ?? called, place };
}

function filterSql(ctx: FunctionCallContext | ListAggContext, context: Context, only: string | undefined): string {
  const filter = ctx.filter();
  const conditions = [
    ...(only ? [only] : []),
    ...(filter ? [condition(filter.whereClause().booleanExpression(), context, 'FILTER clause')] : []),
  ];
  return conditions.length === 0 ? '' : ` FILTER (WHERE ${conditions.join(' AND ')})`;
}

function orderSql(ctx: FunctionCallContext, context: Context): string {
  const items = ctx.sortItem();
  return items.length === 0 ? '' : ` ORDER BY ${items.map((it) => sortSql(it, context)).join(', ')}`;
}

function nullTreatment(ctx: FunctionCallContext): string {
  const treatment = ctx.nullTreatment();
  if (!treatment) return '';
  return treatment.KW_IGNORE() ? ' IGNORE NULLS' : ' RESPECT NULLS';
}

function overSql(ctx: FunctionCallContext, context: Context): string {
  const over = ctx.over();
  const named = over?.identifier();
  const window = named ? context.windows.get(nameOf(named)) : over?.windowSpecification();
  if (named && !window)
    throw new SqlError('INVALID_WINDOW_REFERENCE', `Cannot resolve WINDOW name ${nameOf(named)}`, placeOf(ctx));
  return ` OVER (${window ? windowSql(window, context) : ''})`;
}

function windowSql(window: WindowSpecificationContext, context: Context): string {
  const parts: string[] = [];
  const base = window._existingWindowName;
  if (base) {
    const existing = context.windows.get(nameOf(base));
    if (!existing)
      throw new SqlError('INVALID_WINDOW_REFERENCE', `Cannot resolve WINDOW name ${nameOf(base)}`, placeOf(base));
    parts.push(windowSql(existing, context));
  }
  const partition = window.partitionBy()?.expression() ?? [];
  if (partition.length > 0)
    parts.push(`PARTITION BY ${partition.map((it) => comparable(expression(it, context))).join(', ')}`);
  const order = window.sortItem();
  if (order.length > 0) parts.push(`ORDER BY ${order.map((it) => sortSql(it, context)).join(', ')}`);
  const frame = window.windowFrame();
  if (frame) parts.push(frameSql(frame));
  return parts.join(' ');
}

/** A frame as it is written, if its bounds are numbers of rows. */
function frameSql(frame: ParserRuleContext): string {
  const text = textOf(frame).replace(/\s+/g, ' ');
  const bound = String.raw`(UNBOUNDED PRECEDING|UNBOUNDED FOLLOWING|CURRENT ROW|\d{1,9} (PRECEDING|FOLLOWING))`;
  if (
    !new RegExp(`^(ROWS|RANGE|GROUPS) (${bound}|BETWEEN ${bound} AND ${bound})$`, 'i').test(text) ||
    (/^RANGE/i.test(text) && /\d/.test(text))
  ) {
    throw notProven(`the frame ${text.slice(0, 60)}`, 'write ROWS BETWEEN n PRECEDING AND m FOLLOWING', placeOf(frame));
  }
  return text;
}

/** `LISTAGG(x, ',') WITHIN GROUP (ORDER BY …)`. */
export function listAggregation(ctx: ListAggContext, context: Context): Expr {
  const place = placeOf(ctx);
  const value = expression(ctx.expression(), context);
  if (value.type.kind !== 'varchar') throw new SqlError('TYPE_MISMATCH', 'LISTAGG must be of a varchar', place);
  if (ctx.listAggOverflowBehavior()) throw notProven('LISTAGG with ON OVERFLOW', 'leave it out', place);
  const separator = ctx.string();
  const distinct = ctx.setQuantifier()?.KW_DISTINCT() ? 'DISTINCT ' : '';
  const order = ctx.sortItem().map((it) => sortSql(it, context));
  const text = sqlOf.text(separator ? textLiteral(separator) : '');
  const sql = `string_agg(${distinct}${value.sql}, ${text} ORDER BY ${order.join(', ')})${filterSql(ctx, context, undefined)}`;
  return { type: varchar(), sql, place };
}

/** A lambda's parts. */
export function lambdaOf(ctx: ParserRuleContext): LambdaContext | undefined {
  if (ctx.constructor.name === 'LambdaContext') return ctx as LambdaContext;
  return ctx.getChildCount() === 1 ? lambdaOf(ctx.getChild(0) as ParserRuleContext) : undefined;
}
