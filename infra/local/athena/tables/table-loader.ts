import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  type DuckDBValue,
  INTEGER,
  SMALLINT,
  TINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import type { ObjectStore, StoredObject } from '../../storage/object-store.ts';
import type { Column, Table } from '../catalog.ts';
import { type ColumnType, type Field, fieldValue, readRows, type TextFormat } from '../lazy-simple-serde.ts';
import { isScanned } from '../sql/queries/partition-conditions.ts';
import { type Scan, typeOfColumn } from '../sql/queries/relation.ts';
import { sqlOf } from '../sql/values/expr.ts';
import { duckDbType } from '../sql/values/trino-types.ts';
import { describeParquet, type ParquetRows } from './parquet.ts';

/** Rows handed to DuckDB at once. Source: DuckDB's vector size. */
const ROWS_PER_CHUNK = 2_048;

/** Bytes read at once: some thousands of rows. */
const READ_BYTES = 1024 * 1024;

const TEXT_TYPES: Readonly<Record<string, DuckDBType>> = {
  string: VARCHAR,
  bigint: BIGINT,
  int: INTEGER,
  smallint: SMALLINT,
  tinyint: TINYINT,
  double: DOUBLE,
  boolean: BOOLEAN,
};

const quote = sqlOf.name;

/** Schema of the loaded rows; the tables that queries name are views over them. */
const ROWS_SCHEMA = 'loaded_rows';

/** What one or more scans read. */
export interface ScanSize {
  readonly rows: number;
  readonly bytes: number;
}

interface Loaded {
  readonly id: number;
  readonly etag: string;
  readonly size: number;
  readonly rows: number;
  /** Parquet is read in place. */
  readonly parquet?: ParquetRows;
}

/**
 * Keeps a DuckDB table equal to the objects under a table's location, as far as queries have scanned them. Objects are
 * immutable: each is read once. Objects of Parquet are not loaded, but described: a view reads those of one query.
 */
export class TableLoader {
  readonly table: Table;
  readonly #connection: DuckDBConnection;
  readonly #objects: ObjectStore;
  readonly #rowsTable: string;
  readonly #loaded = new Map<string, Loaded>();
  #nextId = 1;

  constructor(table: Table, connection: DuckDBConnection, objects: ObjectStore) {
    this.table = table;
    this.#connection = connection;
    this.#objects = objects;
    this.#rowsTable = `${table.database}.${table.name}`;
  }

  /** Rows and bytes of the objects that a scan reads, once they are loaded: of Parquet, the bytes of its columns. */
  sizeOf(scan: Scan): ScanSize {
    const read = [...this.#loaded].filter(([key]) => isScanned(scan, this.#partitionOf(key) ?? {}));
    const bytesOf = ({ size, parquet }: Loaded) =>
      parquet ? [...scan.columns].reduce((sum, column) => sum + (parquet.columnBytes.get(column) ?? 0), 0) : size;
    return {
      rows: read.reduce((sum, [, object]) => sum + object.rows, 0),
      bytes: read.reduce((sum, [, object]) => sum + bytesOf(object), 0),
    };
  }

  /** Makes the table, empty. */
  async create(): Promise<void> {
    if (this.table.format === 'parquet') return this.#viewParquet([]);
    const columns = this.#allColumns().map((column) => `${quote(column.name)} ${duckDbType(typeOfColumn(column))}`);
    const rows = `${ROWS_SCHEMA}.${quote(this.#rowsTable)}`;
    const names = this.#allColumns().map(({ name }) => `r.${quote(name)}`);
    await this.#connection.run(`CREATE SCHEMA IF NOT EXISTS ${ROWS_SCHEMA}`);
    await this.#connection.run(`CREATE OR REPLACE TABLE ${rows} ("$object" INTEGER, ${columns.join(', ')})`);
    await this.#tellPaths();
    const path = `list_extract(getvariable(${sqlOf.text(this.#rowsTable)}), r."$object") AS "$path"`;
    await this.#connection.run(
      `CREATE OR REPLACE VIEW ${quote(this.table.database)}.${quote(this.table.name)} AS SELECT ${names.join(', ')}, ${path} FROM ${rows} AS r`,
    );
  }

  /** Loads objects that are new and scanned, and drops the rows of those that are gone or were replaced. */
  async refresh(scans: readonly Scan[]): Promise<void> {
    const { bucket, prefix } = this.table;
    const listed = (await this.#objects.list(bucket, prefix)).filter(isData);
    const current = new Map(listed.map((object) => [object.key, object]));
    for (const [key, { id, etag }] of this.#loaded) {
      if (current.get(key)?.etag === etag) continue;
      if (this.table.format !== 'parquet')
        await this.#connection.run(`DELETE FROM ${ROWS_SCHEMA}.${quote(this.#rowsTable)} WHERE "$object" = ${id}`);
      this.#loaded.delete(key);
    }
    const fresh = listed.filter(({ key }) => {
      // Projection only looks where a partition can be.
      const partition = this.#loaded.has(key) ? undefined : this.#partitionOf(key);
      return partition && scans.some((scan) => isScanned(scan, partition));
    });
    for (const object of fresh) await this.#load(object);
    if (this.table.format === 'parquet') return this.#viewParquet(scans);
    if (fresh.length > 0) await this.#tellPaths();
  }

  /** Makes the view of the files that a query scans; of those that it does not, it could only find that out. */
  async #viewParquet(scans: readonly Scan[]): Promise<void> {
    const files = [...this.#loaded].filter(([key]) =>
      scans.some((scan) => isScanned(scan, this.#partitionOf(key) ?? {})),
    );
    const columns = this.#allColumns();
    const none = columns.map((column) => `CAST(NULL AS ${duckDbType(typeOfColumn(column))})`);
    const selects = files.flatMap(([, { parquet }]) => (parquet ? [parquet.sql] : []));
    const rows = selects.length > 0 ? selects.join(' UNION ALL ') : `SELECT ${none.join(', ')}, NULL WHERE false`;
    const names = [...columns.map(({ name }) => quote(name)), '"$path"'];
    await this.#connection.run(
      `CREATE OR REPLACE VIEW ${quote(this.table.database)}.${quote(this.table.name)} AS SELECT * FROM (${rows}) AS r(${names.join(', ')})`,
    );
  }

  /** Where the rows of each object are from: rows have its number only. */
  async #tellPaths(): Promise<void> {
    const paths = Array.from({ length: this.#nextId - 1 }, () => 'NULL');
    for (const [key, { id }] of this.#loaded) paths[id - 1] = sqlOf.text(`s3://${this.table.bucket}/${key}`);
    await this.#connection.run(`SET VARIABLE ${quote(this.#rowsTable)} = CAST([${paths.join(', ')}] AS VARCHAR[])`);
  }

  async #load(object: StoredObject): Promise<void> {
    const { bucket, format } = this.table;
    const id = this.#nextId++;
    // Until all of it is read the object counts as another version, whose rows the next refresh drops.
    this.#loaded.set(object.key, { id, etag: '', size: 0, rows: 0 });
    const partition = this.#partitionOf(object.key) ?? {};
    const { etag, size } = object;
    if (format === 'parquet') {
      const file = this.#objects.path(bucket, object.key);
      const location = `s3://${bucket}/${object.key}`;
      const parquet = await describeParquet(this.#connection, { file, location, table: this.table, partition });
      this.#loaded.set(object.key, { id, etag, size, rows: parquet.rows, parquet });
    } else {
      this.#loaded.set(object.key, { id, etag, size, rows: await this.#loadText(object, format, id, partition) });
    }
  }

  async #loadText(
    object: StoredObject,
    format: TextFormat,
    id: number,
    values: Readonly<Record<string, string>>,
  ): Promise<number> {
    const { bucket, partitionKeys } = this.table;
    const appender = await this.#connection.createAppender(this.#rowsTable, ROWS_SCHEMA);
    const partition = partitionKeys.map(({ name, type }) => fieldValue(values[name], type as ColumnType));
    const file = createReadStream(this.#objects.path(bucket, object.key), { highWaterMark: READ_BYTES });
    let rows = 0;
    const append = async (content: AsyncIterable<Uint8Array>) => {
      for await (const batch of readRows(content, format)) {
        this.#append(appender, batch, id, partition);
        rows += batch.length;
      }
    };
    try {
      // A pipeline ends with the error of any of its parts: a file that is deleted meanwhile, or no gzip.
      if (object.key.endsWith('.gz')) await pipeline(file, createGunzip(), append);
      else await pipeline(Readable.from(file), append);
    } finally {
      appender.closeSync();
    }
    return rows;
  }

  #append(appender: DuckDBAppender, batch: readonly Field[][], id: number, partition: readonly DuckDBValue[]): void {
    const types = [INTEGER, ...this.#allColumns().map(({ type }) => TEXT_TYPES[type] ?? VARCHAR)];
    for (let start = 0; start < batch.length; start += ROWS_PER_CHUNK) {
      const rows = batch.slice(start, start + ROWS_PER_CHUNK);
      const chunk = DuckDBDataChunk.create(types, rows.length);
      chunk.setColumns([
        rows.map(() => id),
        ...this.table.columns.map((column, index) => columnValues(rows, index, column)),
        ...partition.map((value) => rows.map((): DuckDBValue => value)),
      ]);
      appender.appendDataChunk(chunk);
    }
  }

  /** Values of the partition keys of an object; undefined when no partition can have it. */
  #partitionOf(key: string): Readonly<Record<string, string>> | undefined {
    return partitionOfKey(this.table, key);
  }

  #allColumns(): Column[] {
    return [...this.table.columns, ...this.table.partitionKeys];
  }
}

/** Values of a table's partition keys in the key of an object; undefined when no partition can have it. */
export function partitionOfKey(
  { partitionKeys, partitionOf }: Table,
  key: string,
): Readonly<Record<string, string>> | undefined {
  const match = partitionOf.exec(key);
  if (!match) return undefined;
  return Object.fromEntries(partitionKeys.map(({ name }) => [name, decodeURIComponent(match.groups?.[name] ?? '')]));
}

function columnValues(rows: readonly Field[][], index: number, { type }: Column): DuckDBValue[] {
  return rows.map((row) => fieldValue(row[index], type as ColumnType));
}

/** Athena does not read objects whose names begin with a dot or an underscore. */
export function isData({ key }: StoredObject): boolean {
  return !/^[._]/.test(basename(key));
}
