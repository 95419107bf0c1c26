import type { ParserRuleContext } from 'antlr4ng';
import type * as Trino from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { scalarCall } from './calls/calls.ts';
import { functionCall, listAggregation } from './calls/function-call.ts';
import type { Context } from './context.ts';
import { elementType } from './functions/collections.ts';
import { atZone, EXTRACT_FIELDS } from './functions/dates.ts';
import { nameOf, placeOf, textLiteral, textOf } from './grammar.ts';
import { predicated } from './predicates.ts';
import { notProven, type Place, SqlError } from './sql-error.ts';
import { cast, tryCast } from './values/cast.ts';
import { coerced, isCoercible } from './values/coercion.ts';
import { type Expr, sqlOf } from './values/expr.ts';
import {
  bytesLiteral,
  intervalLiteral,
  nullLiteral,
  numberLiteral,
  textValue,
  typeConstructor,
} from './values/literal.ts';
import { arithmetic, comparison, concatenation, negation } from './values/operators.ts';
import { subscript } from './values/subscript.ts';
import { array, BOOLEAN, DATE, duckDbType, type Type, typeName } from './values/trino-types.ts';
import { typeOfSyntax } from './values/type-syntax.ts';

type Grammar = typeof Trino;
type RuleName = keyof Grammar extends infer Key ? (Key extends `${infer Name}Context` ? Name : never) : never;
type Handlers = {
  readonly [Name in RuleName]?: (
    ctx: `${Name}Context` extends keyof Grammar ? InstanceType<Grammar[`${Name}Context`]> : never,
    context: Context,
  ) => Expr;
};

/** SQL of one expression at the most: what is longer could not be run. */
const SQL_CHARACTERS_MAX = 4_000_000;

/** An expression of any kind. What has no handler here is refused. @throws SqlError */
export function expression(ctx: ParserRuleContext, context: Context): Expr {
  const rule = ctx.constructor.name.replace(/Context$/, '');
  const handler = (HANDLERS as Readonly<Record<string, (ctx: ParserRuleContext, context: Context) => Expr>>)[rule];
  if (!handler) throw notProven(textOf(ctx).slice(0, 60), 'write it by other means', placeOf(ctx));
  const expr = handler(ctx, context);
  if (expr.sql.length > SQL_CHARACTERS_MAX) {
    throw new SqlError('STACK_OVERFLOW', 'The statement is too large for the local Athena', placeOf(ctx));
  }
  return context.onExpression(expr);
}

/** An expression that must be true, false or null. @throws SqlError TYPE_MISMATCH */
export function condition(ctx: ParserRuleContext, context: Context, clause: string): string {
  const expr = expression(ctx, context);
  if (!isCoercible(expr.type, BOOLEAN)) {
    throw new SqlError(
      'TYPE_MISMATCH',
      `${clause} must evaluate to a boolean: actual type ${typeName(expr.type)}`,
      placeOf(ctx),
    );
  }
  return coerced(expr, BOOLEAN).sql;
}

const boolean = (sql: string, place: Place): Expr => ({ type: BOOLEAN, sql, place });

const HANDLERS: Handlers = {
  Expression: (ctx, context) => expression(ctx.booleanExpression(), context),
  ParenthesizedExpression: (ctx, context) => expression(ctx.expression(), context),
  ValueExpressionDefault: (ctx, context) => expression(ctx.primaryExpression(), context),
  LogicalNot: (ctx, context) =>
    boolean(`(NOT ${condition(ctx.booleanExpression(), context, 'Value of logical NOT expression')})`, placeOf(ctx)),
  And: (ctx, context) => logical(ctx, 'AND', context),
  Or: (ctx, context) => logical(ctx, 'OR', context),
  Predicated: (ctx, context) => {
    const predicate = ctx.predicate();
    const value = expression(ctx.valueExpression(), context);
    return predicate ? predicated(predicate, value, context) : value;
  },

  ArithmeticBinary: (ctx, context) => {
    const [left, right] = ctx.valueExpression().map((it) => expression(it, context));
    return arithmetic(ctx._operator?.text ?? '', left as Expr, right as Expr, placeOf(ctx));
  },
  ArithmeticUnary: (ctx, context) => {
    const value = expression(ctx.valueExpression(), context);
    return ctx._operator?.text === '-' ? negation(value, placeOf(ctx)) : value;
  },
  Concatenation: (ctx, context) => {
    const [left, right] = ctx.valueExpression().map((it) => expression(it, context));
    return concatenation(left as Expr, right as Expr, placeOf(ctx));
  },
  AtTimeZone: (ctx, context) => {
    const value = expression(ctx.valueExpression(), context);
    const zone = ctx
      .timeZoneSpecifier()
      .getText()
      .match(/'([^']*)'/)?.[1];
    const precision = 'precision' in value.type && value.type.kind !== 'decimal' ? value.type.precision : 3;
    const zoned = coerced(value, { kind: 'timestamp with time zone', precision });
    return { type: zoned.type, sql: atZone(zoned, zone, { ...value, place: placeOf(ctx) }), place: placeOf(ctx) };
  },

  NullLiteral: (ctx) => nullLiteral(placeOf(ctx)),
  NumericLiteral: (ctx) => numberLiteral(ctx.getText(), placeOf(ctx)),
  StringLiteral: (ctx) => textValue(textLiteral(ctx.string()), placeOf(ctx)),
  BooleanLiteral: (ctx) => boolean(ctx.getText().toLowerCase(), placeOf(ctx)),
  BinaryLiteral: (ctx) => bytesLiteral(ctx.getText(), placeOf(ctx)),
  TypeConstructor: (ctx) => typeConstructor(ctx),
  IntervalLiteral: (ctx) => intervalLiteral(ctx.interval()),
  Parameter: (ctx) => {
    throw new SqlError('INVALID_PARAMETER_USAGE', 'Incorrect number of parameters: a ? has no value', placeOf(ctx));
  },

  ColumnReference: (ctx, context) =>
    reference(ctx.columnName().qualifiedName().identifier().map(nameOf), context, placeOf(ctx)),
  ColumnRef: (ctx, context) => {
    const names = ctx.qualifiedName()?.identifier() ?? [];
    return reference(names.map(nameOf), context, placeOf(ctx));
  },
  Dereference: (ctx, context) => {
    const path = pathOf(ctx);
    if (path) return reference(path, context, placeOf(ctx));
    return rowField(expression(ctx.primaryExpression(), context), nameOf(ctx.identifier()), placeOf(ctx));
  },
  Subscript: (ctx, context) =>
    subscript(expression(ctx.primaryExpression(), context), expression(ctx.valueExpression(), context), placeOf(ctx)),

  Cast: (ctx, context) => {
    const value = expression(ctx.expression(), context);
    const to = typeOfSyntax(ctx.type());
    return ctx.KW_TRY_CAST() ? tryCast(value, to, placeOf(ctx)) : cast(value, to, placeOf(ctx));
  },
  SimpleCase: (ctx, context) => {
    const operand = expression(ctx._operand ?? ctx, context);
    const branches = ctx.whenClause().map((when) => ({
      when: comparison('=', operand, expression(when._condition ?? when, context), placeOf(when)).sql,
      result: expression(when._result ?? when, context),
    }));
    return choice(branches, ctx._elseExpression && expression(ctx._elseExpression, context), placeOf(ctx));
  },
  SearchedCase: (ctx, context) => {
    const branches = ctx.whenClause().map((when) => ({
      when: condition(when._condition ?? when, context, 'CASE WHEN clause'),
      result: expression(when._result ?? when, context),
    }));
    return choice(branches, ctx._elseExpression && expression(ctx._elseExpression, context), placeOf(ctx));
  },

  FunctionCall: functionCall,
  ListAgg: listAggregation,
  Substring: (ctx, context) =>
    scalarCall(
      'substr',
      ctx.valueExpression().map((it) => expression(it, context)),
      placeOf(ctx),
    ),
  Position: (ctx, context) => {
    const [part, text] = ctx.valueExpression().map((it) => expression(it, context));
    return scalarCall('strpos', [text as Expr, part as Expr], placeOf(ctx));
  },
  Trim: (ctx, context) => {
    const side = ctx.trimsSpecification()?.getText().toLowerCase();
    const name = side === 'leading' ? 'ltrim' : side === 'trailing' ? 'rtrim' : 'trim';
    const parts = [ctx._trimSource, ctx._trimChar].filter((it) => it !== undefined);
    return scalarCall(
      name,
      parts.map((it) => expression(it, context)),
      placeOf(ctx),
    );
  },
  Extract: (ctx, context) => {
    const field = EXTRACT_FIELDS[ctx.identifier().getText().toLowerCase()];
    if (!field)
      throw new SqlError('SYNTAX_ERROR', `Invalid EXTRACT field: ${ctx.identifier().getText()}`, placeOf(ctx));
    return scalarCall(field, [expression(ctx.valueExpression(), context)], placeOf(ctx));
  },
  CurrentDate: (ctx, context) => ({
    type: DATE,
    sql: `DATE '${context.now.toISOString().slice(0, 10)}'`,
    place: placeOf(ctx),
  }),
  CurrentTimestamp: (ctx, context) => currentTime(ctx._precision?.text ?? undefined, true, context, placeOf(ctx)),
  LocalTimestamp: (ctx, context) => currentTime(ctx._precision?.text ?? undefined, false, context, placeOf(ctx)),

  ArrayConstructor: (ctx, context) => {
    const elements = ctx.expression().map((it) => expression(it, context));
    const type = elementType(elements.map((it) => it.type));
    if (!type) throw new SqlError('TYPE_MISMATCH', 'All ARRAY elements must be the same type', placeOf(ctx));
    const list = elements.map((it) => coerced(it, type).sql).join(', ');
    return { type: array(type), sql: `CAST([${list}] AS ${duckDbType(array(type))})`, place: placeOf(ctx) };
  },
  RowConstructor: (ctx, context) =>
    row(
      ctx.expression().map((it) => expression(it, context)),
      placeOf(ctx),
    ),
  SubqueryExpression: (ctx, context) => {
    const { columns, sql } = context.subquery(ctx.query());
    const [column] = columns;
    if (columns.length !== 1 || !column)
      throw notProven('a subquery of several columns as a value', 'select one column', placeOf(ctx));
    return { type: column.type, sql: `(${sql})`, place: placeOf(ctx) };
  },
  Exists: (ctx, context) => boolean(`EXISTS (${context.subquery(ctx.query()).sql})`, placeOf(ctx)),
  GroupingOperation: (ctx, context) => {
    const names = ctx.qualifiedName().map((it) => reference(it.identifier().map(nameOf), context, placeOf(it)).sql);
    return { type: { kind: 'integer' }, sql: `CAST(grouping(${names.join(', ')}) AS INTEGER)`, place: placeOf(ctx) };
  },
};

/**
 * Conditions one after another. DuckDB evaluates them in the order it likes, so that `b <> 0 AND a / b > 1` might divide by
 * zero: where one may fail, those before it decide first.
 */
function logical(ctx: ParserRuleContext, operator: 'AND' | 'OR', context: Context): Expr {
  const terms = termsOf(ctx, ctx.constructor.name);
  const conditions = terms.map((it) => condition(it, context, 'Logical expression term'));
  const all = `(${conditions.join(` ${operator} `)})`;
  if (!conditions.some((it) => it.includes('trino_'))) return boolean(all, placeOf(ctx));
  const [isDecided, result] = operator === 'AND' ? ['NOT ', 'false'] : ['', 'true'];
  const whens = conditions.map((it) => `WHEN ${isDecided}${it} THEN ${result}`);
  return boolean(`CASE ${whens.join(' ')} ELSE ${all} END`, placeOf(ctx));
}

/** The terms of `a AND b AND c`, which the grammar nests, in their order. */
function termsOf(ctx: ParserRuleContext, rule: string): ParserRuleContext[] {
  const terms: ParserRuleContext[] = [];
  let [left, last] = [ctx, undefined as ParserRuleContext | undefined];
  while (left.constructor.name === rule) {
    [left, last] = (left as Trino.AndContext).booleanExpression() as [ParserRuleContext, ParserRuleContext];
    terms.unshift(last);
  }
  return [left, ...terms];
}

function choice(branches: readonly { when: string; result: Expr }[], otherwise: Expr | undefined, place: Place): Expr {
  const results = [...branches.map(({ result }) => result), ...(otherwise ? [otherwise] : [])];
  const type = elementType(results.map((it) => it.type));
  if (!type) {
    const types = results.map((it) => typeName(it.type));
    throw new SqlError(
      'TYPE_MISMATCH',
      `All CASE results must be the same type or coercible to a common type. Cannot find common type between ${types.join(' and ')}`,
      place,
    );
  }
  const whens = branches.map(({ when, result }) => `WHEN ${when} THEN ${coerced(result, type).sql}`);
  const last = otherwise ? ` ELSE ${coerced(otherwise, type).sql}` : '';
  return { type, sql: `CASE ${whens.join(' ')}${last} END`, place };
}

/** The value of a name, or of a field of the row that its first parts name. */
function reference(parts: readonly string[], context: Context, place: Place): Expr {
  const { field, taken } = context.scope.resolve(parts, place);
  const column: Expr = { type: field.type, sql: field.sql, place };
  return parts.slice(taken).reduce((value, name) => rowField(value, name, place), column);
}

/** `a.b.c` as the names of it; undefined when it begins with anything but a name. */
function pathOf(ctx: ParserRuleContext): string[] | undefined {
  const rule = ctx.constructor.name;
  if (rule === 'ColumnReferenceContext') {
    const names = (ctx as Trino.ColumnReferenceContext).columnName().qualifiedName().identifier();
    return names.map(nameOf);
  }
  if (rule !== 'DereferenceContext') return undefined;
  const { primaryExpression, identifier } = ctx as Trino.DereferenceContext;
  const base = pathOf(primaryExpression.call(ctx));
  return base && [...base, nameOf(identifier.call(ctx))];
}

function rowField(value: Expr, name: string, place: Place): Expr {
  if (value.type.kind !== 'row') throw new SqlError('TYPE_MISMATCH', `Expression ${name} is not of type ROW`, place);
  const index = value.type.fields.findIndex((it) => it.name === name);
  const field = value.type.fields[index];
  if (!field) throw new SqlError('COLUMN_NOT_FOUND', `Column '${name}' cannot be resolved`, place);
  return { type: field.type, sql: `(${value.sql}).f${index}`, place };
}

function row(values: readonly Expr[], place: Place): Expr {
  const type: Type = { kind: 'row', fields: values.map((it) => ({ type: it.type })) };
  const fields = values.map((it, index) => `'f${index}': ${it.sql}`);
  return { type, sql: `CAST({${fields.join(', ')}} AS ${duckDbType(type)})`, place };
}

function currentTime(digits: string | undefined, isZoned: boolean, { now }: Context, place: Place): Expr {
  const precision = Number(digits ?? 3);
  if (precision > 6) throw notProven(`a time of ${precision} digits after the second`, 'write 6 at most', place);
  const text = now
    .toISOString()
    .slice(0, precision === 0 ? 19 : Math.min(23, 20 + precision))
    .replace('T', ' ');
  const local = `TIMESTAMP '${text}'`;
  if (!isZoned) return { type: { kind: 'timestamp', precision }, sql: local, place };
  return { type: { kind: 'timestamp with time zone', precision }, sql: sqlOf.zoned(local), place };
}
