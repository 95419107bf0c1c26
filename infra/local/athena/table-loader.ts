import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBValue,
  INTEGER,
  SMALLINT,
  TINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import type { ObjectStore, StoredObject } from '../storage/object-store.ts';
import type { Column, Table } from './catalog.ts';
import { type Field, fieldValue, readRows } from './lazy-simple-serde.ts';
import { isScanned, type Scan } from './scans.ts';

/** Rows handed to DuckDB at once. Source: DuckDB's vector size. */
const ROWS_PER_CHUNK = 2_048;

/** Bytes read at once: some thousands of rows. */
const READ_BYTES = 1024 * 1024;

const DUCKDB_TYPES = {
  string: VARCHAR,
  bigint: BIGINT,
  int: INTEGER,
  smallint: SMALLINT,
  tinyint: TINYINT,
  double: DOUBLE,
  boolean: BOOLEAN,
};

/** Schema of the loaded rows; the tables that queries name are views over them. */
const ROWS_SCHEMA = 'loaded_rows';

/** What one or more scans read. */
export interface ScanSize {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Keeps a DuckDB table equal to the objects under a table's location, as far as queries have scanned them. Objects are
 * immutable: each is read once.
 */
export class TableLoader {
  readonly table: Table;
  readonly #connection: DuckDBConnection;
  readonly #objects: ObjectStore;
  readonly #rowsTable: string;
  readonly #loaded = new Map<string, { id: number; etag: string; size: number; rows: number }>();
  #nextId = 1;

  constructor(table: Table, connection: DuckDBConnection, objects: ObjectStore) {
    this.table = table;
    this.#connection = connection;
    this.#objects = objects;
    this.#rowsTable = `${table.database}.${table.name}`;
  }

  /** Rows and bytes of the objects that a scan reads, once they are loaded. */
  sizeOf(scan: Scan): ScanSize {
    const read = [...this.#loaded].filter(([key]) => isScanned(scan, this.#partitionOf(key) ?? {}));
    return {
      rows: read.reduce((sum, [, object]) => sum + object.rows, 0),
      bytes: read.reduce((sum, [, object]) => sum + object.size, 0),
    };
  }

  /** Makes the table, empty. */
  async create(): Promise<void> {
    const columns = this.#allColumns().map(({ name, type }) => `${quote(name)} ${DUCKDB_TYPES[type]}`);
    const rows = `${ROWS_SCHEMA}.${quote(this.#rowsTable)}`;
    const names = this.#allColumns().map(({ name }) => quote(name));
    await this.#connection.run(`CREATE SCHEMA IF NOT EXISTS ${ROWS_SCHEMA}`);
    await this.#connection.run(`CREATE OR REPLACE TABLE ${rows} ("$object" INTEGER, ${columns.join(', ')})`);
    await this.#connection.run(
      `CREATE OR REPLACE VIEW ${quote(this.table.database)}.${quote(this.table.name)} AS SELECT ${names.join(', ')} FROM ${rows}`,
    );
  }

  /** Loads objects that are new and scanned, and drops the rows of those that are gone or were replaced. */
  async refresh(scans: readonly Scan[]): Promise<void> {
    const { bucket, prefix } = this.table;
    const listed = (await this.#objects.list(bucket, prefix)).filter(isData);
    const current = new Map(listed.map((object) => [object.key, object]));
    for (const [key, { id, etag }] of this.#loaded) {
      if (current.get(key)?.etag === etag) continue;
      await this.#connection.run(`DELETE FROM ${ROWS_SCHEMA}.${quote(this.#rowsTable)} WHERE "$object" = ${id}`);
      this.#loaded.delete(key);
    }
    const fresh = listed.filter(({ key }) => {
      // Projection only looks where a partition can be.
      const partition = this.#loaded.has(key) ? undefined : this.#partitionOf(key);
      return partition && scans.some((scan) => isScanned(scan, partition));
    });
    if (fresh.length === 0) return;
    const appender = await this.#connection.createAppender(this.#rowsTable, ROWS_SCHEMA);
    try {
      for (const object of fresh) await this.#load(object, appender);
    } finally {
      appender.closeSync();
    }
  }

  async #load(object: StoredObject, appender: DuckDBAppender): Promise<void> {
    const { bucket, columns, partitionKeys, format } = this.table;
    const id = this.#nextId++;
    let rowsLoaded = 0;
    // Until all of it is read the object counts as another version, whose rows the next refresh drops.
    this.#loaded.set(object.key, { id, etag: '', size: 0, rows: 0 });
    const values = this.#partitionOf(object.key) ?? {};
    const partition = partitionKeys.map(({ name, type }) => fieldValue(values[name], type));
    const file = createReadStream(this.#objects.path(bucket, object.key), { highWaterMark: READ_BYTES });
    // By pipeline: the reader of the last stream hears of the first one's failure, such as of an object that is gone.
    const content = object.key.endsWith('.gz') ? pipeline(file, createGunzip(), () => undefined) : file;
    const types = [INTEGER, ...this.#allColumns().map(({ type }) => DUCKDB_TYPES[type])];
    for await (const batch of readRows(content, format)) {
      for (let start = 0; start < batch.length; start += ROWS_PER_CHUNK) {
        const rows = batch.slice(start, start + ROWS_PER_CHUNK);
        const chunk = DuckDBDataChunk.create(types, rows.length);
        chunk.setColumns([
          rows.map(() => id),
          ...columns.map((column, index) => columnValues(rows, index, column)),
          ...partition.map((value) => rows.map((): DuckDBValue => value)),
        ]);
        appender.appendDataChunk(chunk);
      }
      rowsLoaded += batch.length;
    }
    this.#loaded.set(object.key, { id, etag: object.etag, size: object.size, rows: rowsLoaded });
  }

  /** Values of the partition keys of an object; undefined when no partition can have it. */
  #partitionOf(key: string): Readonly<Record<string, string>> | undefined {
    const { partitionKeys, partitionOf } = this.table;
    const match = partitionOf.exec(key);
    if (!match) return undefined;
    return Object.fromEntries(partitionKeys.map(({ name }) => [name, decodeURIComponent(match.groups?.[name] ?? '')]));
  }

  #allColumns(): Column[] {
    return [...this.table.columns, ...this.table.partitionKeys];
  }
}

/** A name quoted for SQL. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function columnValues(rows: readonly Field[][], index: number, { type }: Column): DuckDBValue[] {
  return rows.map((row) => fieldValue(row[index], type));
}

/** Athena does not read objects whose names begin with a dot or an underscore. */
function isData({ key }: StoredObject): boolean {
  return !/^[._]/.test(basename(key));
}
