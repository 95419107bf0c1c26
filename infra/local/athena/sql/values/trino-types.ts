/** Trino's types, as far as the local Athena knows them. */
export type Type =
  | { readonly kind: SimpleKind }
  | { readonly kind: 'varchar'; readonly length?: number | undefined }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'timestamp' | 'timestamp with time zone'; readonly precision: number }
  | { readonly kind: 'array'; readonly element: Type }
  | { readonly kind: 'map'; readonly key: Type; readonly value: Type }
  | { readonly kind: 'row'; readonly fields: readonly RowField[] };

export interface RowField {
  readonly name?: string | undefined;
  readonly type: Type;
}

export const SIMPLE_KINDS = [
  ...(['boolean', 'tinyint', 'smallint', 'integer', 'bigint', 'real', 'double', 'varbinary', 'date', 'json'] as const),
  ...(['interval day to second', 'interval year to month', 'unknown'] as const),
] as const;
export type SimpleKind = (typeof SIMPLE_KINDS)[number];

const simple = (kind: SimpleKind): Type => ({ kind });
export const BOOLEAN = simple('boolean');
export const INTEGER = simple('integer');
export const BIGINT = simple('bigint');
export const DOUBLE = simple('double');
export const REAL = simple('real');
export const DATE = simple('date');
export const JSON_TYPE = simple('json');
export const VARBINARY = simple('varbinary');
export const UNKNOWN = simple('unknown');
export const INTERVAL_SECOND = simple('interval day to second');
export const INTERVAL_MONTH = simple('interval year to month');
export const VARCHAR: Type = { kind: 'varchar' };
export const TIMESTAMP: Type = { kind: 'timestamp', precision: 3 };
export const TIMESTAMP_TZ: Type = { kind: 'timestamp with time zone', precision: 3 };

/** Source: Trino, decimal. */
export const DECIMAL_PRECISION_MAX = 38;

export const varchar = (length?: number): Type => ({ kind: 'varchar', length });
export const decimal = (precision: number, scale: number): Type => ({ kind: 'decimal', precision, scale });
export const array = (element: Type): Type => ({ kind: 'array', element });
export const map = (key: Type, value: Type): Type => ({ kind: 'map', key, value });

/** Digits of each integral type, which are its precision as a decimal. */
export const INTEGER_DIGITS: Readonly<Record<string, number>> = { tinyint: 3, smallint: 5, integer: 10, bigint: 19 };
export const isInteger = ({ kind }: Type): boolean => kind in INTEGER_DIGITS;
export const isFloating = ({ kind }: Type): boolean => kind === 'real' || kind === 'double';
export const isNumeric = (type: Type): boolean => isInteger(type) || isFloating(type) || type.kind === 'decimal';

/** A type as Trino writes it: `decimal(10,2)`, `timestamp(3) with time zone`. */
export function typeName(type: Type): string {
  switch (type.kind) {
    case 'varchar':
      return type.length === undefined ? 'varchar' : `varchar(${type.length})`;
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'timestamp':
      return `timestamp(${type.precision})`;
    case 'timestamp with time zone':
      return `timestamp(${type.precision}) with time zone`;
    case 'array':
      return `array(${typeName(type.element)})`;
    case 'map':
      return `map(${typeName(type.key)}, ${typeName(type.value)})`;
    case 'row':
      return `row(${type.fields.map((it) => `${it.name === undefined ? '' : `${it.name} `}${typeName(it.type)}`).join(', ')})`;
    default:
      return type.kind;
  }
}

const DUCKDB_TYPES: Readonly<Record<SimpleKind, string>> = {
  boolean: 'BOOLEAN',
  tinyint: 'TINYINT',
  smallint: 'SMALLINT',
  integer: 'INTEGER',
  bigint: 'BIGINT',
  real: 'FLOAT',
  double: 'DOUBLE',
  varbinary: 'BLOB',
  date: 'DATE',
  // JSON is kept as its text.
  json: 'VARCHAR',
  // As Trino has them: milliseconds, and months.
  'interval day to second': 'BIGINT',
  'interval year to month': 'INTEGER',
  unknown: 'INTEGER',
};

/** The DuckDB type that holds a Trino type. A time with a zone is its UTC time `u` and its offset `m` in minutes. */
export function duckDbType(type: Type): string {
  switch (type.kind) {
    case 'varchar':
      return 'VARCHAR';
    case 'decimal':
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case 'timestamp':
      return 'TIMESTAMP';
    case 'timestamp with time zone':
      return 'STRUCT(u TIMESTAMP, m SMALLINT)';
    case 'array':
      return `${duckDbType(type.element)}[]`;
    case 'map':
      return `MAP(${duckDbType(type.key)}, ${duckDbType(type.value)})`;
    case 'row':
      return `STRUCT(${type.fields.map((it, index) => `f${index} ${duckDbType(it.type)}`).join(', ')})`;
    default:
      return DUCKDB_TYPES[type.kind];
  }
}

/** Whether values of the two types are told apart by nothing but the type's name: no conversion is needed. */
export function isSameInDuckDb(a: Type, b: Type): boolean {
  return duckDbType(a) === duckDbType(b);
}

export function isSame(a: Type, b: Type): boolean {
  return typeName(a) === typeName(b);
}
