import type { ColumnInfo } from '@aws-sdk/client-athena';
import {
  DuckDBBlobValue,
  DuckDBDecimalValue,
  type DuckDBListValue,
  type DuckDBMapValue,
  type DuckDBStructValue,
  type DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { OutputColumn } from '../sql/context.ts';
import type { Type } from '../sql/values/trino-types.ts';

/** Precisions of ColumnInfo that follow from the type alone. */
const PRECISIONS: Readonly<Record<string, number>> = {
  ...{ tinyint: 3, smallint: 5, integer: 10, bigint: 19, real: 17, double: 17, varbinary: 1_073_741_824 },
  ...{ timestamp: 3, 'timestamp with time zone': 3 },
};
/** Precision of a text without a length. Source: GetQueryResults' answers, `varchar`. */
const TEXT_PRECISION = 2_147_483_647;

/** Java writes doubles from here on, and below a thousandth, with an exponent. */
const DECIMAL_NOTATION_MAX = 1e7;
const DECIMAL_NOTATION_MIN = 1e-3;

/** Digits of a real that tell it from every other. */
const REAL_DIGITS_MAX = 9;

/** A result's column as GetQueryResults describes it. */
export function columnInfo({ name, type }: OutputColumn, index: number): ColumnInfo {
  const shown = name ?? `_col${index}`;
  const decimal = type.kind === 'decimal' ? type : undefined;
  const length = type.kind === 'varchar' ? (type.length ?? TEXT_PRECISION) : undefined;
  return {
    CatalogName: 'hive',
    SchemaName: '',
    TableName: '',
    Name: shown,
    Label: shown,
    Type: type.kind === 'real' ? 'float' : type.kind,
    Precision: decimal?.precision ?? length ?? PRECISIONS[type.kind] ?? 0,
    Scale: decimal?.scale ?? 0,
    Nullable: 'UNKNOWN',
    CaseSensitive: type.kind === 'varchar',
  };
}

/** Writes values of a type as Athena writes them into results, and UNLOAD into text files. */
export function textWriter(type: Type): (value: DuckDBValue) => string | null {
  const write = valueWriter(type);
  return (value) => (value === null ? null : write(value));
}

function valueWriter(type: Type): (value: DuckDBValue) => string {
  switch (type.kind) {
    case 'double':
      return (value) => doubleText(Number(value));
    case 'real':
      return (value) => realText(Number(value));
    case 'decimal':
      return (value) => (value instanceof DuckDBDecimalValue ? decimalText(value) : String(value));
    case 'varbinary':
      return bytesText;
    case 'timestamp':
      return (value) => timestampText((value as DuckDBTimestampValue).micros, type.precision);
    case 'timestamp with time zone':
      return (value) => zonedText((value as DuckDBStructValue).entries, type.precision);
    case 'interval day to second':
      return (value) => daysText(BigInt(value as bigint));
    case 'interval year to month':
      return (value) => monthsText(Number(value));
    case 'array': {
      const write = elementWriter(type.element);
      return (value) => `[${(value as DuckDBListValue).items.map(write).join(', ')}]`;
    }
    case 'map': {
      const [key, element] = [elementWriter(type.key), elementWriter(type.value)];
      return (value) =>
        `{${(value as DuckDBMapValue).entries.map((it) => `${key(it.key)}=${element(it.value)}`).join(', ')}}`;
    }
    case 'row': {
      const writers = type.fields.map((it) => elementWriter(it.type));
      const names = type.fields.map((it, index) => it.name ?? `field${index}`);
      return (value) => {
        const values = Object.values((value as DuckDBStructValue).entries);
        return `{${names.map((name, index) => `${name}=${writers[index]?.(values[index] ?? null)}`).join(', ')}}`;
      };
    }
    default:
      return String;
  }
}

function elementWriter(type: Type): (value: DuckDBValue) => string {
  const write = valueWriter(type);
  return (value) => (value === null ? 'null' : write(value));
}

function bytesText(value: DuckDBValue): string {
  const bytes = value instanceof DuckDBBlobValue ? value.bytes : new Uint8Array();
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function decimalText({ value, scale }: DuckDBDecimalValue): string {
  if (scale === 0) return String(value);
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** At least milliseconds are shown. */
function timestampText(micros: bigint, precision: number): string {
  const ms = Number(micros / 1_000n - (micros % 1_000n < 0n ? 1n : 0n));
  const rest = String(((micros % 1_000n) + 1_000n) % 1_000n).padStart(3, '0');
  const text = new Date(ms).toISOString().slice(0, 23).replace('T', ' ');
  return `${text}${rest}`.slice(0, 20 + Math.max(3, precision));
}

function zonedText({ u, m }: Readonly<Record<string, DuckDBValue>>, precision: number): string {
  const minutes = Number(m);
  const local = (u as DuckDBTimestampValue).micros + BigInt(minutes) * 60_000_000n;
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((it) =>
    String(it).padStart(2, '0'),
  );
  return `${timestampText(local, precision)} ${minutes === 0 ? 'UTC' : `${minutes < 0 ? '-' : '+'}${hours}:${rest}`}`;
}

function daysText(ms: bigint): string {
  const size = ms < 0n ? -ms : ms;
  const clock = new Date(Number(size % 86_400_000n)).toISOString().slice(11, 23);
  return `${ms < 0n ? '-' : ''}${size / 86_400_000n} ${clock}`;
}

function monthsText(months: number): string {
  return `${months < 0 ? '-' : ''}${Math.floor(Math.abs(months) / 12)}-${Math.abs(months) % 12}`;
}

/** A double as Java's Double.toString writes it: `1.0`, `1.0E7`. */
export function doubleText(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size === 0 || (size >= DECIMAL_NOTATION_MIN && size < DECIMAL_NOTATION_MAX)) {
    return Number.isInteger(value) ? `${value}.0` : String(value);
  }
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent.replace('+', '')}`;
}

/** A real as Java's Float.toString writes it, with as many digits as tell it from its neighbors. */
export function realText(value: number): string {
  for (let digits = 1; digits < REAL_DIGITS_MAX; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return doubleText(short);
  }
  return doubleText(Number(value.toPrecision(REAL_DIGITS_MAX)));
}
