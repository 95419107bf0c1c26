import type { ColumnInfo } from '@aws-sdk/client-athena';
import { DuckDBBlobValue, type DuckDBType, DuckDBTypeId, type DuckDBValue } from '@duckdb/node-api';
import { UntranslatedSql } from './sql/sql-tokens.ts';

/** Athena's name and precision of each DuckDB type a result may have. */
const TYPES: ReadonlyMap<DuckDBTypeId, { readonly type: string; readonly precision: number }> = new Map([
  [DuckDBTypeId.BOOLEAN, { type: 'boolean', precision: 0 }],
  [DuckDBTypeId.TINYINT, { type: 'tinyint', precision: 3 }],
  [DuckDBTypeId.SMALLINT, { type: 'smallint', precision: 5 }],
  [DuckDBTypeId.INTEGER, { type: 'integer', precision: 10 }],
  [DuckDBTypeId.BIGINT, { type: 'bigint', precision: 19 }],
  // DuckDB sums integers into 128 bits, Trino into 64.
  [DuckDBTypeId.HUGEINT, { type: 'bigint', precision: 19 }],
  [DuckDBTypeId.FLOAT, { type: 'float', precision: 17 }],
  [DuckDBTypeId.DOUBLE, { type: 'double', precision: 17 }],
  [DuckDBTypeId.DECIMAL, { type: 'decimal', precision: 38 }],
  [DuckDBTypeId.VARCHAR, { type: 'varchar', precision: 2_147_483_647 }],
  [DuckDBTypeId.BLOB, { type: 'varbinary', precision: 1_073_741_824 }],
  [DuckDBTypeId.DATE, { type: 'date', precision: 0 }],
  [DuckDBTypeId.TIMESTAMP, { type: 'timestamp', precision: 3 }],
  // The type of a bare NULL.
  [DuckDBTypeId.SQLNULL, { type: 'unknown', precision: 0 }],
]);

/** Java writes doubles from here on, and below a thousandth, with an exponent. */
const DECIMAL_NOTATION_MAX = 1e7;
const DECIMAL_NOTATION_MIN = 1e-3;

/**
 * A result's column as GetQueryResults describes it.
 *
 * @throws UntranslatedSql for types the local cloud cannot render.
 */
export function columnInfo(name: string, duckDb: DuckDBType): ColumnInfo {
  const found = TYPES.get(duckDb.typeId);
  if (!found) throw new UntranslatedSql(`the result's column ${name} has the type ${duckDb}, which is not translated`);
  const { type, precision } = found;
  return {
    CatalogName: 'hive',
    SchemaName: '',
    TableName: '',
    Name: name,
    Label: name,
    Type: type,
    Precision: precision,
    Scale: 0,
    Nullable: 'UNKNOWN',
    CaseSensitive: type === 'varchar',
  };
}

/** A value as Athena writes it into results and UNLOAD writes it into text files. */
export function resultText(value: DuckDBValue): string | null {
  if (value === null) return null;
  if (typeof value === 'number' && !Number.isInteger(value)) return doubleText(value);
  if (value instanceof DuckDBBlobValue)
    return Buffer.from(value.bytes)
      .toString('hex')
      .replace(/..(?=.)/g, '$& ');
  return String(value);
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

/** Renders the values of a column by its type: a whole double keeps its `.0`, an integer has none. */
export function textWriter(type: DuckDBType): (value: DuckDBValue) => string | null {
  const isFloating = type.typeId === DuckDBTypeId.DOUBLE || type.typeId === DuckDBTypeId.FLOAT;
  if (isFloating) return (value) => (value === null ? null : doubleText(Number(value)));
  if (type.typeId === DuckDBTypeId.HUGEINT)
    return (value) => (value === null ? null : int64Text(BigInt(String(value))));
  return resultText;
}

function int64Text(value: bigint): string {
  if (BigInt.asIntN(64, value) !== value)
    throw new Error(`NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow: ${value}`);
  return String(value);
}
