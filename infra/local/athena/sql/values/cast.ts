import { notProven, type Place, SqlError } from '../sql-error.ts';
import { coerced, isCoercible } from './coercion.ts';
import { type Expr, sqlOf } from './expr.ts';
import { duckDbType, isFloating, isInteger, isNumeric, type Type, typeName } from './trino-types.ts';

/** CAST and TRY_CAST, by the rules of Trino's cast operators (VarcharOperators, DoubleOperators, DecimalCasts, …). */

/** What Java's `String.trim` removes. */
const CONTROL_AND_SPACE = Array.from({ length: 33 }, (_, code) => (code === 0 ? '' : String.fromCharCode(code))).join(
  '',
);
const trimmed = (sql: string): string => `trim(${sql}, ${sqlOf.text(CONTROL_AND_SPACE)})`;

const INTEGER_TEXT = '[+-]?[0-9]+';
const DECIMAL_TEXT = '[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?';
const DOUBLE_TEXT = `${DECIMAL_TEXT}[dDfF]?|[+-]?(NaN|Infinity)`;
const DATE_TEXT = '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}';
const TIMESTAMP_TEXT = `${DATE_TEXT}( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\\.[0-9]{1,6})?)?)?`;

/** `expr` as another type. @throws SqlError TYPE_MISMATCH; NOT_SUPPORTED for what is not proven. */
export function cast(expr: Expr, to: Type, place: Place): Expr {
  const { type } = expr;
  if (type.kind === 'varchar' && to.kind === 'varchar') return { ...castText(expr, to), place };
  if (isCoercible(type, to) && type.kind !== to.kind) return { ...coerced(expr, to), place };
  if (isCoercible(type, to)) return { ...coerced(expr, to), place };
  return { type: to, sql: castSql(expr, to, place), place };
}

/** TRY_CAST: null where CAST fails. */
export function tryCast(expr: Expr, to: Type, place: Place): Expr {
  const result = cast(expr, to, place);
  return { ...result, sql: `TRY(${result.sql})` };
}

function castText(expr: Expr, to: Extract<Type, { kind: 'varchar' }>): Expr {
  const from = expr.type as typeof to;
  const isShorter = to.length !== undefined && (from.length === undefined || from.length > to.length);
  return { type: to, sql: isShorter ? `left(${expr.sql}, ${to.length})` : expr.sql };
}

function castSql(expr: Expr, to: Type, place: Place): string {
  const { type, sql } = expr;
  const native = `CAST(${sql} AS ${duckDbType(to)})`;
  if (type.kind === 'varchar') return fromText(expr, to, place);
  if (to.kind === 'varchar') return intoText(expr, to.length, place);
  if (to.kind === 'json') return intoJson(expr, place);
  if (type.kind === 'json') return fromJson(expr, to, place);
  if (isNumeric(type) && isNumeric(to)) return numberSql(expr, to);
  if (type.kind === 'boolean' && isNumeric(to)) return `CAST(CAST(${sql} AS INTEGER) AS ${duckDbType(to)})`;
  if (isNumeric(type) && to.kind === 'boolean') return `(${sql} <> 0)`;
  if (type.kind === 'array' && to.kind === 'array') {
    const element = cast({ type: type.element, sql: 'e' }, to.element, place);
    return `list_transform(${sql}, lambda e: ${element.sql})`;
  }
  if (type.kind === 'timestamp with time zone') {
    if (to.kind === 'timestamp') return rounded(`${localTime(sql)}`, type.precision, to.precision);
    if (to.kind === 'date') return `CAST(${localTime(sql)} AS DATE)`;
    if (to.kind === 'timestamp with time zone') {
      return sqlOf.zoned(rounded(`(${sql}).u`, type.precision, to.precision), `(${sql}).m`);
    }
  }
  if (type.kind === 'timestamp') {
    if (to.kind === 'date') return native;
    if (to.kind === 'timestamp') return rounded(sql, type.precision, to.precision);
    if (to.kind === 'timestamp with time zone') return sqlOf.zoned(rounded(sql, type.precision, to.precision));
  }
  throw new SqlError('TYPE_MISMATCH', `Cannot cast ${typeName(type)} to ${typeName(to)}`, place);
}

/** The time on the clock of a time's own zone. */
export function localTime(sql: string): string {
  return `((${sql}).u + to_minutes((${sql}).m))`;
}

function rounded(sql: string, from: number, to: number): string {
  if (to >= from) return sql;
  const unit = 10 ** (6 - to);
  return `make_timestamp(CAST(floor((epoch_us(${sql}) + ${unit / 2}) / ${unit}.0) AS BIGINT) * ${unit})`;
}

function numberSql({ type, sql }: Expr, to: Type): string {
  const native = `CAST(${sql} AS ${duckDbType(to)})`;
  // DuckDB rounds a double's half to the even number, Trino away from zero.
  if (isFloating(type) && isInteger(to)) return `CAST(round(${sql}) AS ${duckDbType(to)})`;
  if (isFloating(type) && to.kind === 'decimal') {
    return `CAST(trino_double_to_decimal(CAST(${sql} AS DOUBLE), ${to.precision}, ${to.scale}) AS ${duckDbType(to)})`;
  }
  return native;
}

function fromText({ sql }: Expr, to: Type, place: Place): string {
  const type = duckDbType(to);
  const cannot = (name: string) =>
    sqlOf.fail('INVALID_CAST_ARGUMENT', `'Cannot cast ''' || ${sql} || ''' to ${name}'`, type);
  const checked = (pattern: string, value: string, name: string) =>
    `CASE WHEN ${sql} IS NULL THEN NULL WHEN regexp_full_match(${trimmed(sql)}, ${sqlOf.text(pattern)}) THEN ${value} ELSE ${cannot(name)} END`;
  if (isInteger(to)) {
    const name = to.kind === 'integer' ? 'INT' : to.kind.toUpperCase();
    return checked(INTEGER_TEXT, `CAST(${trimmed(sql)} AS ${type})`, name);
  }
  switch (to.kind) {
    case 'real':
    case 'double':
      return checked(DOUBLE_TEXT, `CAST(rtrim(${trimmed(sql)}, 'dDfF') AS ${type})`, to.kind.toUpperCase());
    case 'decimal':
      return checked(DECIMAL_TEXT, `CAST(${trimmed(sql)} AS ${type})`, `DECIMAL(${to.precision}, ${to.scale})`);
    case 'boolean':
      return `CASE WHEN ${sql} IS NULL THEN NULL WHEN lower(${sql}) IN ('t', 'true', '1') THEN true
        WHEN lower(${sql}) IN ('f', 'false', '0') THEN false ELSE ${cannot('BOOLEAN')} END`;
    case 'date':
      return checked(DATE_TEXT, `CAST(${trimmed(sql)} AS DATE)`, 'date');
    case 'timestamp':
      return rounded(checked(TIMESTAMP_TEXT, `CAST(${trimmed(sql)} AS TIMESTAMP)`, 'timestamp'), 6, to.precision);
    case 'timestamp with time zone':
      return zonedText(`replace(${trimmed(sql)}, ' ', 'T')`);
    case 'varbinary':
      return `encode(${sql})`;
    case 'json':
      return `CAST(to_json(${sql}) AS VARCHAR)`;
    default:
      throw new SqlError('TYPE_MISMATCH', `Cannot cast varchar to ${typeName(to)}`, place);
  }
}

/** A time in ISO 8601 with its zone. */
export function zonedText(sql: string): string {
  return sqlOf.zoned(`make_timestamp(trino_iso_micros(${sql}))`, `trino_iso_minutes(${sql})`);
}

/** A value as text, which is what Athena shows of it. */
function intoText(expr: Expr, length: number | undefined, place: Place): string {
  const sql = textSql(expr, place);
  if (length === undefined) return sql;
  if (expr.type.kind === 'json') return `left(${sql}, ${length})`;
  const tooLong = sqlOf.fail(
    'INVALID_CAST_ARGUMENT',
    `'Value ' || ${sql} || ' cannot be represented as varchar(${length})'`,
    'VARCHAR',
  );
  return `CASE WHEN length(${sql}) <= ${length} THEN ${sql} WHEN ${sql} IS NULL THEN NULL ELSE ${tooLong} END`;
}

function textSql({ type, sql }: Expr, place: Place): string {
  switch (type.kind) {
    case 'boolean':
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'date':
      return `CAST(${sql} AS VARCHAR)`;
    case 'decimal':
      // With no digit before its point DuckDB would write `.5`.
      return type.precision > type.scale || type.precision === 38
        ? `CAST(${sql} AS VARCHAR)`
        : `CAST(CAST(${sql} AS DECIMAL(${type.precision + 1}, ${type.scale})) AS VARCHAR)`;
    case 'double':
      return `trino_double_text(${sql})`;
    case 'real':
      return `trino_real_text(${sql})`;
    case 'timestamp':
      return timeText(sql, type.precision);
    case 'timestamp with time zone':
      return `(${timeText(localTime(sql), type.precision)} || ' ' || ${zoneName(sql)})`;
    case 'json':
      return `trino_json_scalar(${sql}, 'varchar')`;
    default:
      throw notProven(`CAST(… AS varchar) of ${typeName(type)}`, 'select the value itself', place);
  }
}

function timeText(sql: string, precision: number): string {
  const micros = `strftime(${sql}, '%Y-%m-%d %H:%M:%S.%f')`;
  return `left(${micros}, ${precision === 0 ? 19 : 20 + precision})`;
}

/** The zone as Trino writes it: `UTC`, `+02:00`. */
function zoneName(sql: string): string {
  const minutes = `(${sql}).m`;
  const two = (number: string) => `lpad(CAST(${number} AS VARCHAR), 2, '0')`;
  return `CASE WHEN ${minutes} = 0 THEN 'UTC' ELSE (CASE WHEN ${minutes} < 0 THEN '-' ELSE '+' END)
    || ${two(`abs(${minutes}) // 60`)} || ':' || ${two(`abs(${minutes}) % 60`)} END`;
}

const JSON_SCALARS = ['boolean', 'tinyint', 'smallint', 'integer', 'bigint', 'varchar'];

function intoJson({ type, sql }: Expr, place: Place): string {
  const isPlain = (it: Type): boolean =>
    JSON_SCALARS.includes(it.kind) ||
    (it.kind === 'array' && isPlain(it.element)) ||
    (it.kind === 'map' && it.key.kind === 'varchar' && isPlain(it.value));
  if (isPlain(type)) return `CAST(to_json(${sql}) AS VARCHAR)`;
  throw notProven(`CAST(… AS json) of ${typeName(type)}`, 'cast its parts to varchar first', place);
}

function fromJson({ sql }: Expr, to: Type, place: Place): string {
  const kinds = ['boolean', 'integer', 'bigint', 'double'];
  if (kinds.includes(to.kind)) {
    return `CAST(trino_json_scalar(${sql}, ${sqlOf.text(to.kind)}) AS ${duckDbType(to)})`;
  }
  if (to.kind === 'array' && [...kinds, 'varchar', 'json'].includes(to.element.kind)) {
    const element =
      to.element.kind === 'json' ? 'e' : cast({ type: { kind: 'json' }, sql: 'e' }, to.element, place).sql;
    return `list_transform(trino_json_elements(${sql}), lambda e: ${element})`;
  }
  throw notProven(`CAST of json AS ${typeName(to)}`, 'extract its parts by json_extract_scalar', place);
}
