import { type Expr, sqlOf } from './expr.ts';
import {
  array,
  DECIMAL_PRECISION_MAX,
  DOUBLE,
  decimal,
  duckDbType,
  INTEGER_DIGITS,
  isFloating,
  isInteger,
  isSame,
  isSameInDuckDb,
  map,
  REAL,
  type Type,
  varchar,
} from './trino-types.ts';

/** The implicit conversions of Trino (TypeCoercion): to a wider number, a longer text, a more exact time. */

const INTEGERS = Object.keys(INTEGER_DIGITS);

/** The type that both convert to implicitly; undefined when there is none, as for a number and a text. */
export function commonType(a: Type, b: Type): Type | undefined {
  if (isSame(a, b)) return a;
  if (a.kind === 'unknown') return b;
  if (b.kind === 'unknown') return a;
  if (a.kind === 'varchar' && b.kind === 'varchar') {
    return varchar(a.length === undefined || b.length === undefined ? undefined : Math.max(a.length, b.length));
  }
  return commonNumber(a, b) ?? commonTime(a, b) ?? commonContainer(a, b);
}

function commonNumber(a: Type, b: Type): Type | undefined {
  if (isInteger(a) && isInteger(b)) return INTEGERS.indexOf(a.kind) > INTEGERS.indexOf(b.kind) ? a : b;
  const [x, y] = [asDecimal(a), asDecimal(b)];
  if (isFloating(a) || isFloating(b)) {
    if (!(isFloating(a) || x) || !(isFloating(b) || y)) return undefined;
    return a.kind === 'double' || b.kind === 'double' ? DOUBLE : REAL;
  }
  if (!x || !y) return undefined;
  const scale = Math.max(x.scale, y.scale);
  const whole = Math.max(x.precision - x.scale, y.precision - y.scale);
  return decimal(Math.min(DECIMAL_PRECISION_MAX, whole + scale), scale);
}

/** An exact number as a decimal: a bigint has 19 digits. */
export function asDecimal(type: Type): { precision: number; scale: number } | undefined {
  if (type.kind === 'decimal') return type;
  const digits = INTEGER_DIGITS[type.kind];
  return digits === undefined ? undefined : { precision: digits, scale: 0 };
}

const TIMES = ['date', 'timestamp', 'timestamp with time zone'];

function commonTime(a: Type, b: Type): Type | undefined {
  const [x, y] = [TIMES.indexOf(a.kind), TIMES.indexOf(b.kind)];
  if (x < 0 || y < 0) return undefined;
  const later = x > y ? a : b;
  if (later.kind !== 'timestamp' && later.kind !== 'timestamp with time zone') return later;
  const precisions = [a, b].map((it) => ('precision' in it ? it.precision : 0));
  return { kind: later.kind, precision: Math.max(...precisions) };
}

function commonContainer(a: Type, b: Type): Type | undefined {
  if (a.kind === 'array' && b.kind === 'array') {
    const element = commonType(a.element, b.element);
    return element && array(element);
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const [key, value] = [commonType(a.key, b.key), commonType(a.value, b.value)];
    return key && value && map(key, value);
  }
  if (a.kind === 'row' && b.kind === 'row' && a.fields.length === b.fields.length) {
    const types = a.fields.map((field, index) => commonType(field.type, b.fields[index]?.type ?? field.type));
    if (types.some((it) => it === undefined)) return undefined;
    return {
      kind: 'row',
      fields: a.fields.map(({ name }, index) => ({
        name: name === b.fields[index]?.name ? name : undefined,
        type: types[index] as Type,
      })),
    };
  }
  return undefined;
}

/** Whether a value of one type is taken where the other is asked for. */
export function isCoercible(from: Type, to: Type): boolean {
  const common = commonType(from, to);
  return common !== undefined && isSame(common, to);
}

/** An expression as another type it is coercible to. */
export function coerced(expr: Expr, to: Type): Expr {
  if (isSame(expr.type, to)) return expr;
  return { ...expr, type: to, sql: coercedSql(expr, to) };
}

function coercedSql({ sql, type }: Expr, to: Type): string {
  if (type.kind === 'unknown') return `CAST(NULL AS ${duckDbType(to)})`;
  if (isSameInDuckDb(type, to)) return sql;
  if (to.kind === 'timestamp with time zone') {
    return type.kind === 'timestamp with time zone' ? sql : sqlOf.zoned(`CAST(${sql} AS TIMESTAMP)`);
  }
  return `CAST(${sql} AS ${duckDbType(to)})`;
}
