import type { DuckDBConnection } from '@duckdb/node-api';
import type { Table } from '../catalog.ts';
import { typeOfColumn } from '../sql/queries/relation.ts';
import { SqlError } from '../sql/sql-error.ts';
import { sqlOf } from '../sql/values/expr.ts';
import { duckDbType } from '../sql/values/trino-types.ts';

/** Types in a file that each type of a table reads. Athena widens integers and reals, and nothing else. */
const READABLE: Readonly<Record<string, readonly string[]>> = {
  SMALLINT: ['TINYINT'],
  INTEGER: ['TINYINT', 'SMALLINT'],
  BIGINT: ['TINYINT', 'SMALLINT', 'INTEGER'],
  DOUBLE: ['FLOAT'],
  TIMESTAMP: ['TIMESTAMP_MS', 'TIMESTAMP_NS', 'TIMESTAMP WITH TIME ZONE'],
  TINYINT: ['INTEGER'],
};

export interface ParquetFile {
  /** Path of the file. */
  readonly file: string;
  /** s3:// location of the object. */
  readonly location: string;
  readonly table: Table;
  readonly partition: Readonly<Record<string, string>>;
}

/** What a Parquet file has for a table. */
export interface ParquetRows {
  readonly rows: number;
  /** Bytes of each column's chunks. */
  readonly columnBytes: ReadonlyMap<string, number>;
  /** Query for its rows in the table's columns, by their names, then the partition keys and the location. */
  readonly sql: string;
}

/**
 * How a Parquet file is read: in place, so that a query takes of it only what it needs.
 *
 * @throws SqlError HIVE_BAD_DATA for a column of another type than the table's.
 */
export async function describeParquet(
  connection: DuckDBConnection,
  { file, location, table, partition }: ParquetFile,
): Promise<ParquetRows> {
  const path = sqlOf.text(file);
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRows();
  const described = await rows(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(${path}))`);
  const found = new Map(
    described.map(([name, type]) => [String(name).toLowerCase(), { name: String(name), type: String(type) }]),
  );
  const columns = table.columns.map((column) => {
    const type = duckDbType(typeOfColumn(column));
    const own = found.get(column.name);
    if (!own) return `CAST(NULL AS ${type})`;
    if (own.type.replaceAll(' ', '') === type.replaceAll(' ', '')) return sqlOf.name(own.name);
    if (READABLE[type]?.includes(own.type)) return `CAST(${sqlOf.name(own.name)} AS ${type})`;
    throw new SqlError(
      'HIVE_BAD_DATA',
      `Field ${column.name}'s type ${own.type} in parquet file ${file.split('/').at(-1)} is incompatible with type ${column.type} defined in table schema`,
    );
  });
  const keys = table.partitionKeys.map((key) => {
    const value = partition[key.name] ?? '';
    const isNull = value === '__HIVE_DEFAULT_PARTITION__';
    return `CAST(${isNull ? 'NULL' : sqlOf.text(value)} AS ${duckDbType(typeOfColumn(key))})`;
  });
  const sizes = await rows(
    `SELECT lower(split_part(path_in_schema, ', ', 1)), CAST(sum(total_compressed_size) AS BIGINT) FROM parquet_metadata(${path}) GROUP BY 1`,
  );
  const [[count] = [0n]] = await rows(`SELECT num_rows FROM parquet_file_metadata(${path})`);
  return {
    rows: Number(count),
    columnBytes: new Map(sizes.map(([name, bytes]) => [String(name), Number(bytes)])),
    sql: `SELECT ${[...columns, ...keys, sqlOf.text(location)].join(', ')} FROM read_parquet(${path})`,
  };
}
