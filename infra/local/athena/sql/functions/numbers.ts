import type { Signatures } from '../calls/signatures.ts';
import { type Expr, sqlOf } from '../values/expr.ts';
import { duckDbType, type Type } from '../values/trino-types.ts';

const INTEGERS = ['tinyint', 'smallint', 'integer', 'bigint'];
const FLOATS = ['real', 'double'];

/** One signature for each of some types, of which it takes and gives one. */
const forEach = (types: readonly string[], name: string, sql: string): Signatures =>
  Object.fromEntries(types.map((type) => [`${name}(${type}) -> ${type}`, sql]));

/** The same type comes out, though DuckDB may give a wider one. */
const sameType =
  (sql: string) =>
  ([x]: readonly Expr[]): string =>
    `CAST(${sql.replaceAll('$1', x?.sql ?? '')} AS ${x ? duckDbType(x.type) : ''})`;

const forEachSameType = (types: readonly string[], name: string, sql: string): Signatures =>
  Object.fromEntries(types.map((type) => [`${name}(${type}) -> ${type}`, sameType(sql)]));

const doubles = (...names: readonly string[]): Signatures =>
  Object.fromEntries(names.map((name) => [`${name}(double) -> double`, `${name}($1)`]));

/** A decimal rounded to a whole number. */
const wholeDecimal =
  (name: string) =>
  ([x]: readonly Expr[], type: Type): string =>
    `CAST(${name}(${x?.sql}) AS ${duckDbType(type)})`;

const rounding = (name: string, duckDb: string): Signatures => ({
  ...forEach(INTEGERS, name, '$1'),
  ...forEach(FLOATS, name, `${duckDb}($1)`),
  [`${name}(decimal(p,s)) -> decimal(whole,0)`]: wholeDecimal(duckDb),
});

const invalid = (message: string, type: string) => sqlOf.fail('INVALID_FUNCTION_ARGUMENT', sqlOf.text(message), type);

const WIDTH_BUCKET = `CASE WHEN $4 <= 0 THEN ${invalid('bucketCount must be greater than 0', 'BIGINT')}
  WHEN isnan($1) THEN ${invalid('operand must not be NaN', 'BIGINT')}
  WHEN NOT isfinite($2) OR NOT isfinite($3) THEN ${invalid('bounds must be finite', 'BIGINT')}
  WHEN $2 = $3 THEN ${invalid('bounds cannot equal each other', 'BIGINT')}
  WHEN $2 < $3 THEN CASE WHEN $1 < $2 THEN 0 WHEN $1 >= $3 THEN $4 + 1 ELSE CAST(floor($4 * ($1 - $2) / ($3 - $2)) AS BIGINT) + 1 END
  ELSE CASE WHEN $1 > $2 THEN 0 WHEN $1 <= $3 THEN $4 + 1 ELSE CAST(floor($4 * ($2 - $1) / ($2 - $3)) AS BIGINT) + 1 END END`;

/** Trino's mathematical functions. */
export const NUMBER_FUNCTIONS: Signatures = {
  ...forEachSameType(INTEGERS, 'abs', 'abs($1)'),
  ...forEach(FLOATS, 'abs', 'abs($1)'),
  'abs(decimal(p,s)) -> decimal(p,s)': 'abs($1)',
  ...forEachSameType(INTEGERS, 'sign', 'sign($1)'),
  'sign(decimal(p,s)) -> decimal(1,0)': 'CAST(sign($1) AS DECIMAL(1, 0))',
  'sign(real) -> real': 'CASE WHEN isnan($1) THEN $1 ELSE CAST(sign($1) AS FLOAT) END',
  'sign(double) -> double': 'CASE WHEN isnan($1) THEN $1 ELSE CAST(sign($1) AS DOUBLE) END',
  ...rounding('ceil', 'ceil'),
  ...rounding('ceiling', 'ceil'),
  ...rounding('floor', 'floor'),
  ...rounding('round', 'round'),
  ...Object.fromEntries(
    INTEGERS.map((type) => [
      `round(${type},integer) -> ${type}`,
      ([x, digits]: readonly Expr[]) => integerRounded(x, digits),
    ]),
  ),
  'round(double,integer) -> double': 'trino_round($1, $2)',
  'round(decimal(p,s),integer) -> decimal(rounded,s)': ([x, digits], type) =>
    `CAST(trino_decimal_round(CAST(${x?.sql} AS VARCHAR), ${digits?.sql}) AS ${duckDbType(type)})`,
  ...forEach(FLOATS, 'truncate', 'trunc($1)'),
  'truncate(decimal(p,s)) -> decimal(truncated,0)': ([x], type) => `CAST(trunc(${x?.sql}) AS ${duckDbType(type)})`,
  ...doubles('exp', 'degrees', 'radians', 'sin', 'cos', 'tan', 'atan', 'sinh', 'cosh', 'tanh'),
  'asin(double) -> double': "CASE WHEN abs($1) > 1 THEN CAST('NaN' AS DOUBLE) ELSE asin($1) END",
  'acos(double) -> double': "CASE WHEN abs($1) > 1 THEN CAST('NaN' AS DOUBLE) ELSE acos($1) END",
  'atan2(double,double) -> double': 'atan2($1, $2)',
  'sqrt(double) -> double': "CASE WHEN $1 < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt($1) END",
  'cbrt(double) -> double': 'trino_cbrt($1)',
  ...Object.fromEntries(
    ['ln', 'log2', 'log10'].map((name) => [
      `${name}(double) -> double`,
      `CASE WHEN $1 = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN $1 < 0 OR isnan($1) THEN CAST('NaN' AS DOUBLE) ELSE ${name}($1) END`,
    ]),
  ),
  'log(double,double) -> double': 'trino_log($1, $2)',
  ...Object.fromEntries(['power', 'pow'].map((name) => [`${name}(double,double) -> double`, 'trino_power($1, $2)'])),
  'pi() -> double': 'pi()',
  'e() -> double': `CAST('${Math.E}' AS DOUBLE)`,
  'nan() -> double': "CAST('NaN' AS DOUBLE)",
  'infinity() -> double': "CAST('Infinity' AS DOUBLE)",
  ...Object.fromEntries(
    [
      ['is_nan', 'isnan'],
      ['is_finite', 'isfinite'],
      ['is_infinite', 'isinf'],
    ].map(([name, duckDb]) => [`${name}(double) -> boolean`, `${duckDb}($1)`]),
  ),
  'random() -> double': 'random()',
  'rand() -> double': 'random()',
  ...Object.fromEntries(
    ['random', 'rand'].map((name) => [
      `${name}(bigint) -> bigint`,
      `CASE WHEN $1 <= 0 THEN ${invalid('bound must be positive', 'BIGINT')} ELSE CAST(floor(random() * $1) AS BIGINT) END`,
    ]),
  ),
  'width_bucket(double,double,double,bigint) -> bigint': WIDTH_BUCKET,
  'width_bucket(double,array(double)) -> bigint': 'CAST(len(list_filter($2, lambda bin: bin <= $1)) AS BIGINT)',
  'bitwise_and(bigint,bigint) -> bigint': '($1 & $2)',
  'bitwise_or(bigint,bigint) -> bigint': '($1 | $2)',
  'bitwise_xor(bigint,bigint) -> bigint': 'xor($1, $2)',
  'bitwise_not(bigint) -> bigint': '(~ $1)',
  'to_base(bigint,bigint) -> varchar(64)': 'trino_to_base($1, $2)',
  'from_base(varchar(x),bigint) -> bigint': 'trino_from_base($1, $2)',
};

function integerRounded(x: Expr | undefined, digits: Expr | undefined): string {
  if (!x || !digits) return 'NULL';
  return `CAST(trino_decimal_round(CAST(${x.sql} AS VARCHAR), ${digits.sql}) AS ${duckDbType(x.type)})`;
}
