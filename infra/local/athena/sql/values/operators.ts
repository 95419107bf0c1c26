import { notProven, type Place, SqlError } from '../sql-error.ts';
import { localTime } from './cast.ts';
import { asDecimal, coerced, commonType } from './coercion.ts';
import { type Expr, sqlOf } from './expr.ts';
import {
  BOOLEAN,
  DECIMAL_PRECISION_MAX,
  decimal,
  duckDbType,
  INTERVAL_SECOND,
  isFloating,
  isInteger,
  type Type,
  typeName,
  VARCHAR,
  varchar,
} from './trino-types.ts';

/** Trino's operators. Integers stay integers, decimals get precision and scale, and nothing is made of a text. */

const DAY_MS = 86_400_000;

/** `a + b` and its like. */
export function arithmetic(operator: string, left: Expr, right: Expr, place: Place): Expr {
  const timed = timeArithmetic(operator, left, right, place);
  if (timed) return timed;
  const common = commonType(left.type, right.type);
  if (!common || !(isInteger(common) || isFloating(common) || common.kind === 'decimal')) {
    throw cannotApply(operator, left.type, right.type, place);
  }
  if (common.kind === 'decimal') return decimalArithmetic(operator, left, right, place);
  const [a, b] = [coerced(left, common).sql, coerced(right, common).sql];
  const type = duckDbType(common);
  const result = (sql: string): Expr => ({ type: common, sql, place });
  if (isFloating(common) || '+-*'.includes(operator)) return result(`CAST((${a} ${operator} ${b}) AS ${type})`);
  const divided = `CAST((${a} ${operator === '/' ? '//' : '%'} ${b}) AS ${type})`;
  return result(guardedDivision(divided, right, b, type));
}

/** Division by zero is an error in Trino, and null in DuckDB. */
function guardedDivision(divided: string, right: Expr, b: string, type: string): string {
  if (right.literal !== undefined && Number(right.literal) !== 0) return divided;
  return `CASE WHEN ${b} = 0 THEN ${sqlOf.fail('DIVISION_BY_ZERO', "'Division by zero'", type)} ELSE ${divided} END`;
}

function decimalArithmetic(operator: string, left: Expr, right: Expr, place: Place): Expr {
  const [x, y] = [asDecimal(left.type), asDecimal(right.type)];
  if (!x || !y) throw cannotApply(operator, left.type, right.type, place);
  const scale = Math.max(x.scale, y.scale);
  const [a, b] = [coerced(left, decimal(x.precision, x.scale)), coerced(right, decimal(y.precision, y.scale))];
  const made = (precision: number, resultScale: number, sql: (type: string) => string): Expr => {
    const type = decimal(Math.min(DECIMAL_PRECISION_MAX, precision), resultScale);
    return { type, sql: sql(duckDbType(type)), place };
  };
  switch (operator) {
    case '*': {
      const scales = x.scale + y.scale;
      if (scales > DECIMAL_PRECISION_MAX) {
        throw new SqlError('NUMERIC_VALUE_OUT_OF_RANGE', `DECIMAL scale must be in range [0, precision]`, place);
      }
      return made(x.precision + y.precision, scales, (type) => `CAST((${a.sql} * ${b.sql}) AS ${type})`);
    }
    case '/': {
      const precision = x.precision + y.scale + Math.max(0, y.scale - x.scale);
      const quotient = `trino_decimal_divide(CAST(${a.sql} AS VARCHAR), CAST(${b.sql} AS VARCHAR), ${scale})`;
      return made(precision, scale, (type) => `CAST(${quotient} AS ${type})`);
    }
    case '%': {
      const precision = Math.min(x.precision - x.scale, y.precision - y.scale) + scale;
      const widened = [a, b].map((it) => `CAST(${it.sql} AS DECIMAL(38, ${scale}))`);
      return made(precision, scale, (type) =>
        guardedDivision(`CAST((${widened[0]} % ${widened[1]}) AS ${type})`, right, b.sql, type),
      );
    }
    default: {
      const precision = Math.max(x.precision - x.scale, y.precision - y.scale) + scale + 1;
      return made(precision, scale, (type) => {
        const [wideA, wideB] = [a, b].map((it) => `CAST(${it.sql} AS ${type})`);
        return `CAST((${wideA} ${operator} ${wideB}) AS ${type})`;
      });
    }
  }
}

/** Dates and times with intervals, and intervals alone; undefined when neither side is one. */
function timeArithmetic(operator: string, left: Expr, right: Expr, place: Place): Expr | undefined {
  const [l, r] = [left.type.kind, right.type.kind];
  const isInterval = (kind: string) => kind.startsWith('interval');
  if (isInterval(l) && l === r && '+-'.includes(operator)) {
    return { type: left.type, sql: `(${left.sql} ${operator} ${right.sql})`, place };
  }
  if (isInterval(l) && isInteger(right.type) && operator === '*') {
    return { type: left.type, sql: `CAST((${left.sql} * ${right.sql}) AS ${duckDbType(left.type)})`, place };
  }
  if (isInterval(l) && isTime(right.type) && operator === '+') return plusInterval(right, left, '+', place);
  if (isInterval(r) && isTime(left.type) && '+-'.includes(operator)) return plusInterval(left, right, operator, place);
  if (isTime(left.type) && isTime(right.type) && operator === '-') {
    const common = commonType(left.type, right.type);
    if (!common) return undefined;
    const [a, b] = [left, right].map((it) => {
      const value = coerced(it, common).sql;
      return `epoch_us(CAST(${common.kind === 'timestamp with time zone' ? `(${value}).u` : value} AS TIMESTAMP))`;
    });
    return { type: INTERVAL_SECOND, sql: `((${a} - ${b}) // 1000)`, place };
  }
  return undefined;
}

const isTime = ({ kind }: Type) => kind === 'date' || kind.startsWith('timestamp');

function plusInterval(time: Expr, interval: Expr, operator: string, place: Place): Expr {
  const isMonths = interval.type.kind === 'interval year to month';
  const step = isMonths ? `to_months(${interval.sql})` : `to_microseconds(${interval.sql} * 1000)`;
  const { type, sql } = time;
  if (type.kind === 'date') {
    const moved = `CAST((${sql} ${operator} ${step}) AS DATE)`;
    if (isMonths) return { type, sql: moved, place };
    const message = "'Cannot add hour, minutes or seconds to a date'";
    const cannot = sqlOf.fail('INVALID_FUNCTION_ARGUMENT', message, 'DATE');
    return { type, sql: `CASE WHEN ${interval.sql} % ${DAY_MS} <> 0 THEN ${cannot} ELSE ${moved} END`, place };
  }
  if (type.kind === 'timestamp') {
    return {
      type: { ...type, precision: isMonths ? type.precision : Math.max(3, type.precision) },
      sql: `(${sql} ${operator} ${step})`,
      place,
    };
  }
  const utc = isMonths
    ? `(${localTime(sql)} ${operator} ${step} - to_minutes((${sql}).m))`
    : `((${sql}).u ${operator} ${step})`;
  return { type, sql: sqlOf.zoned(utc, `(${sql}).m`), place };
}

/** `a = b` and its like. A number is not compared with a text, and NaN is greater and smaller than nothing. */
export function comparison(operator: string, left: Expr, right: Expr, place: Place): Expr {
  const common = commonType(left.type, right.type);
  if (!common || common.kind === 'json') throw cannotApply(operator, left.type, right.type, place);
  if (common.kind === 'map' && operator !== '=' && operator !== '<>') {
    throw cannotApply(operator, left.type, right.type, place);
  }
  if (hasFloat(common) && !isFloating(common)) {
    throw notProven(`${operator} of ${typeName(common)}`, 'compare the parts', place);
  }
  const [a, b] = [left, right].map((it) => comparable(coerced(it, common)));
  return { type: BOOLEAN, sql: guardedNaN(operator, common, [left, a ?? ''], [right, b ?? '']), place };
}

const hasFloat = (type: Type): boolean =>
  isFloating(type) ||
  (type.kind === 'array' && hasFloat(type.element)) ||
  (type.kind === 'map' && (hasFloat(type.key) || hasFloat(type.value))) ||
  (type.kind === 'row' && type.fields.some((it) => hasFloat(it.type)));

/** What DuckDB compares and sorts as Trino does: of a time with a zone the moment. */
export function comparable({ type, sql }: Expr): string {
  return type.kind === 'timestamp with time zone' ? `(${sql}).u` : sql;
}

function guardedNaN(operator: string, type: Type, [left, a]: [Expr, string], [right, b]: [Expr, string]): string {
  const plain = `(${a} ${operator} ${b})`;
  if (!isFloating(type)) return plain;
  const canBeNaN = (it: Expr) => it.literal === undefined && isFloating(it.type);
  const suspects = [left, right].filter(canBeNaN);
  if (suspects.length === 0) return plain;
  // Against a number DuckDB's order, in which NaN is the greatest, differs only where the greater side is NaN.
  if (suspects.length === 1) {
    const greater = operator.startsWith('>') ? left : operator.startsWith('<') && operator !== '<>' ? right : undefined;
    if (greater !== suspects[0]) return plain;
  }
  const hasNaN = `((isnan(${a}) AND ${b} IS NOT NULL) OR (isnan(${b}) AND ${a} IS NOT NULL))`;
  return `CASE WHEN ${hasNaN} THEN ${operator === '<>'} ELSE ${plain} END`;
}

/** `a || b` of texts, bytes or arrays. */
export function concatenation(left: Expr, right: Expr, place: Place): Expr {
  const [l, r] = [left.type, right.type];
  if (l.kind === 'varchar' && r.kind === 'varchar') {
    const length = l.length === undefined || r.length === undefined ? undefined : l.length + r.length;
    return { type: varchar(length), sql: `(${left.sql} || ${right.sql})`, place };
  }
  if (l.kind === 'unknown' || r.kind === 'unknown') {
    return {
      type: l.kind === 'unknown' ? r : l,
      sql: `CAST(NULL AS ${duckDbType(l.kind === 'unknown' ? r : l)})`,
      place,
    };
  }
  if (l.kind === 'varbinary' && r.kind === 'varbinary') return { type: l, sql: `(${left.sql} || ${right.sql})`, place };
  const common = l.kind === 'array' && r.kind === 'array' ? commonType(l, r) : undefined;
  if (common) {
    const [a, b] = [coerced(left, common).sql, coerced(right, common).sql];
    return {
      type: common,
      sql: `CASE WHEN ${a} IS NULL OR ${b} IS NULL THEN NULL ELSE list_concat(${a}, ${b}) END`,
      place,
    };
  }
  throw cannotApply('||', l, r, place);
}

/** `-x`. */
export function negation(expr: Expr, place: Place): Expr {
  const { type, sql, literal } = expr;
  if (!(asDecimal(type) || isFloating(type) || type.kind.startsWith('interval'))) {
    throw new SqlError('TYPE_MISMATCH', `Cannot negate ${typeName(type)}`, place);
  }
  const value = literal === undefined ? undefined : `-${literal}`;
  return { type, sql: `CAST((- ${sql}) AS ${duckDbType(type)})`, literal: value, place };
}

/** `text LIKE pattern ESCAPE escape`. */
export function like(value: Expr, pattern: Expr, escapedBy: Expr | undefined, place: Place): Expr {
  for (const it of [value, pattern, ...(escapedBy ? [escapedBy] : [])]) {
    if (it.type.kind !== 'varchar' && it.type.kind !== 'unknown') {
      const message = `Left side of LIKE expression must evaluate to a varchar (actual: ${typeName(it.type)})`;
      throw new SqlError('TYPE_MISMATCH', message, it.place ?? place);
    }
  }
  const [text, like] = [coerced(value, VARCHAR).sql, coerced(pattern, VARCHAR).sql];
  if (!escapedBy) return { type: BOOLEAN, sql: `(${text} LIKE ${like})`, place };
  if (escapedBy.literal === undefined || [...escapedBy.literal].length !== 1 || pattern.literal === undefined) {
    throw notProven(
      'LIKE … ESCAPE with anything but literals',
      'write both as literals, the escape as one character',
      place,
    );
  }
  const escaped = [...pattern.literal];
  for (let index = 0; index < escaped.length; index++) {
    if (escaped[index] !== escapedBy.literal) continue;
    index += 1;
    if (!['%', '_', escapedBy.literal].includes(escaped[index] ?? '')) {
      const message = "Escape character must be followed by '%', '_' or the escape character itself";
      throw new SqlError('INVALID_FUNCTION_ARGUMENT', message, place);
    }
  }
  return { type: BOOLEAN, sql: `(${text} LIKE ${like} ESCAPE ${escapedBy.sql})`, place };
}

function cannotApply(operator: string, left: Type, right: Type, place: Place): SqlError {
  return new SqlError(
    'TYPE_MISMATCH',
    `Cannot apply operator: ${typeName(left)} ${operator} ${typeName(right)}`,
    place,
  );
}
