import type { IntervalContext, TypeConstructorContext } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { placeOf, textLiteral } from '../grammar.ts';
import { notProven, type Place, SqlError } from '../sql-error.ts';
import { type Expr, sqlOf } from './expr.ts';
import {
  BIGINT,
  DATE,
  DECIMAL_PRECISION_MAX,
  DOUBLE,
  decimal,
  duckDbType,
  INTEGER,
  INTERVAL_MONTH,
  INTERVAL_SECOND,
  JSON_TYPE,
  type SimpleKind,
  UNKNOWN,
  VARBINARY,
  varchar,
} from './trino-types.ts';

const INTEGER_MAX = 2n ** 31n - 1n;
const BIGINT_MAX = 2n ** 63n;

export const nullLiteral = (place: Place): Expr => ({ type: UNKNOWN, sql: 'NULL', place });

export function textValue(text: string, place: Place): Expr {
  if (text.includes('\0')) throw notProven('a text with a zero byte', 'leave it out', place);
  return { type: varchar([...text].length), sql: sqlOf.text(text), literal: text, place };
}

/** `1` is an integer or a bigint, `1.0` a decimal, `1e0` a double. */
export function numberLiteral(text: string, place: Place): Expr {
  if (/[eE]/.test(text)) return { type: DOUBLE, sql: `CAST('${text}' AS DOUBLE)`, literal: text, place };
  if (text.includes('.')) return decimalLiteral(text, place);
  const value = BigInt(text);
  // -9223372036854775808 is a bigint, its number alone is not.
  if (value > BIGINT_MAX - 1n) throw new SqlError('SYNTAX_ERROR', `Invalid numeric literal: ${text}`, place);
  const type = value > INTEGER_MAX ? BIGINT : INTEGER;
  return { type, sql: `CAST(${text} AS ${type === BIGINT ? 'BIGINT' : 'INTEGER'})`, literal: text, place };
}

function decimalLiteral(text: string, place: Place): Expr {
  const [, sign = '', whole = '', fraction = ''] = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text) ?? [];
  const digits = whole.replace(/^0+/, '').length + fraction.length;
  const precision = Math.max(digits, 1);
  if (precision > DECIMAL_PRECISION_MAX) throw new SqlError('SYNTAX_ERROR', `Invalid decimal literal: ${text}`, place);
  const literal = `${sign}${whole || '0'}.${fraction || '0'}`;
  return {
    type: decimal(precision, fraction.length),
    sql: `CAST('${literal}' AS DECIMAL(${precision}, ${fraction.length}))`,
    literal,
    place,
  };
}

/** `X'00ff'`. */
export function bytesLiteral(text: string, place: Place): Expr {
  const digits = text.slice(2, -1).replace(/\s/g, '');
  if (!/^([0-9a-fA-F]{2})*$/.test(digits))
    throw new SqlError('SYNTAX_ERROR', 'Binary literal must contain pairs of hex digits', place);
  return { type: VARBINARY, sql: `unhex('${digits}')`, place };
}

const INTEGERS: Readonly<Record<string, readonly [SimpleKind, number]>> = {
  ...{ tinyint: ['tinyint', 8], smallint: ['smallint', 16], integer: ['integer', 32], bigint: ['bigint', 64] },
  int: ['integer', 32],
};

/** `DATE '2026-01-01'` and its like. */
export function typeConstructor(ctx: TypeConstructorContext): Expr {
  const place = placeOf(ctx);
  const text = textLiteral(ctx.string());
  const name = (ctx.identifier()?.getText() ?? 'double').toLowerCase();
  const invalid = () =>
    new SqlError('INVALID_LITERAL', `'${text}' is not a valid ${name.toUpperCase()} literal`, place);
  const integer = INTEGERS[name];
  if (integer) {
    const [kind, bits] = integer;
    if (!/^[+-]?\d{1,19}$/.test(text) || BigInt.asIntN(bits, BigInt(text)) !== BigInt(text)) throw invalid();
    return { type: { kind }, sql: `CAST(${BigInt(text)} AS ${duckDbType({ kind })})`, literal: text, place };
  }
  switch (name) {
    case 'boolean':
      if (!/^(true|false)$/i.test(text)) throw invalid();
      return { type: { kind: 'boolean' }, sql: text.toLowerCase(), place };
    case 'date': {
      const days = utcMs(/^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text.trim()));
      if (days === undefined) throw invalid();
      return { type: DATE, sql: `DATE '${new Date(days).toISOString().slice(0, 10)}'`, place };
    }
    case 'timestamp':
      return timestampLiteral(text.trim(), invalid, place);
    case 'double':
    case 'real':
      if (!/^[+-]?(\d+\.?|\d*\.\d+)([eE][+-]?\d+)?$/.test(text.trim())) throw invalid();
      return {
        type: name === 'real' ? { kind: 'real' } : DOUBLE,
        sql: `CAST('${text.trim()}' AS ${name === 'real' ? 'FLOAT' : 'DOUBLE'})`,
        place,
      };
    case 'decimal':
      if (!/^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(text.trim())) throw invalid();
      return decimalLiteral(text.trim(), place);
    case 'json':
      return { type: JSON_TYPE, sql: `trino_json_parse(${sqlOf.text(text)})`, place };
    default:
      throw notProven(`a literal of the type ${name}`, 'write CAST(… AS type)', place);
  }
}

function timestampLiteral(text: string, invalid: () => SqlError, place: Place): Expr {
  const match =
    /^(\d{4})-(\d{1,2})-(\d{1,2})(?: (\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,12}))?)?)?(?: ?(UTC|Z|[+-]\d{2}:\d{2}))?$/.exec(
      text,
    );
  const ms = utcMs(match);
  if (!match || ms === undefined)
    throw /[A-Za-z]/.test(text)
      ? notProven(
          `the literal TIMESTAMP '${text.slice(0, 60)}'`,
          'write the zone as UTC or as an offset such as +02:00',
          place,
        )
      : invalid();
  const [, , , , , , , fraction = '', zone] = match;
  if (fraction.length > 6)
    throw notProven('a timestamp with more than 6 digits after its second', 'write 6 at most', place);
  const second = new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
  const local = `TIMESTAMP '${second}${fraction && `.${fraction}`}'`;
  if (zone === undefined) return { type: { kind: 'timestamp', precision: fraction.length }, sql: local, place };
  const minutes = offsetMinutes(zone);
  return {
    type: { kind: 'timestamp with time zone', precision: fraction.length },
    sql: sqlOf.zoned(`(${local} - to_minutes(${minutes}))`, String(minutes)),
    place,
  };
}

/** Minutes of a zone that is UTC, Z or an offset. */
export function offsetMinutes(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone) ?? [];
  return (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === '-' ? -1 : 1);
}

/** A matched year, month, day, hour, minute and second as a time; undefined when the calendar has no such day. */
export function utcMs(match: RegExpExecArray | null): number | undefined {
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((it) => Number(it ?? 0));
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(ms);
  if (year < 100 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return hour < 24 && minute < 60 && second < 60 ? ms : undefined;
}

const SECONDS: Readonly<Record<string, number>> = { day: 86_400, hour: 3_600, minute: 60, second: 1 };

/** `INTERVAL '2' DAY`, `INTERVAL -'1' MONTH`. */
export function intervalLiteral(ctx: IntervalContext): Expr {
  const place = placeOf(ctx);
  const text = textLiteral(ctx.string());
  const unit = ctx._from_?.getText().toLowerCase() ?? '';
  if (ctx._to)
    throw notProven(
      'an interval from one unit to another',
      "add intervals of one unit each: INTERVAL '1' DAY + INTERVAL '2' HOUR",
      place,
    );
  const match = /^(-?)(\d{1,10})(?:\.(\d{1,3}))?$/.exec(text.trim());
  if (!match || (match[3] && unit !== 'second'))
    throw new SqlError('INVALID_LITERAL', `'${text}' is not a valid INTERVAL literal`, place);
  const sign = (match[1] === '-') === (ctx._sign?.text === '-') ? 1 : -1;
  const count = Number(match[2]) * sign;
  if (unit === 'year' || unit === 'month') {
    return { type: INTERVAL_MONTH, sql: `CAST(${count * (unit === 'year' ? 12 : 1)} AS INTEGER)`, place };
  }
  const ms = count * (SECONDS[unit] ?? 1) * 1_000 + Number((match[3] ?? '').padEnd(3, '0')) * sign;
  return { type: INTERVAL_SECOND, sql: `CAST(${ms} AS BIGINT)`, place };
}
