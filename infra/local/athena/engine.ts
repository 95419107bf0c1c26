import { type DuckDBConnection, DuckDBInstance, type DuckDBResult } from '@duckdb/node-api';
import type { ObjectStore } from '../storage/object-store.ts';
import type { GlueCatalog } from './catalog.ts';
import type { Scan } from './sql/queries/relation.ts';
import { registerUdfs } from './sql/udf/register.ts';
import { sqlOf } from './sql/values/expr.ts';
import { type ScanSize, TableLoader } from './tables/table-loader.ts';

/** The local cloud shares a laptop with its user: DuckDB gets this much memory, and the one thread that small tables use. */
const MEMORY = '256MB';
/** What it may keep of that between two queries: the rest of its rows is read from its file again. */
const MEMORY_AT_REST = '32MB';
/** Rows that a query reads before what DuckDB keeps of it is worth a hundredth of a second to give back. */
const REST_ROWS_MIN = 10_000;

const OPTIONS = {
  threads: '1',
  memory_limit: MEMORY,
  default_null_order: 'nulls_last',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

/** DuckDB, with the catalog's tables in it. One query at a time: the caller sees to it. */
export class Engine {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #catalog: GlueCatalog;
  readonly #objects: ObjectStore;
  readonly #isInMemory: boolean;
  #loaders: TableLoader[] = [];
  #version = -1;

  private constructor(
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    catalog: GlueCatalog,
    objects: ObjectStore,
    isInMemory: boolean,
  ) {
    this.#instance = instance;
    this.#connection = connection;
    this.#catalog = catalog;
    this.#objects = objects;
    this.#isInMemory = isInMemory;
  }

  /** @param file where rows are kept that do not fit in memory; it is a cache, made anew. Without it all is in memory. */
  static async open(file: string | undefined, catalog: GlueCatalog, objects: ObjectStore): Promise<Engine> {
    const instance = await DuckDBInstance.create(file ?? ':memory:', OPTIONS);
    const connection = await instance.connect();
    registerUdfs(connection);
    await connection.run('SET ieee_floating_point_ops = true');
    // Parquet files are read and written below the objects' folder, and nothing else: queries name tables, never files.
    await connection.run(`SET allowed_directories = [${sqlOf.text(`${objects.root}/`)}]`);
    await connection.run('SET enable_external_access = false');
    return new Engine(instance, connection, catalog, objects, file === undefined);
  }

  /**
   * Brings tables up to date with the catalog, and those that a query reads with their objects.
   *
   * @returns what the query reads. A table that is named twice is read twice.
   */
  async prepare(scans: readonly Scan[]): Promise<ScanSize> {
    await this.#followCatalog();
    const read: ScanSize[] = [];
    for (const loader of this.#loaders) {
      const ofTable = scans.filter(({ table }) => table === loader.table);
      if (ofTable.length > 0) await loader.refresh(ofTable);
      read.push(...ofTable.map((scan) => loader.sizeOf(scan)));
    }
    const rows = read.reduce((sum, it) => sum + it.rows, 0);
    // What others have left behind goes first: the peak of a large query then begins lower.
    await this.rest(rows);
    return { rows, bytes: read.reduce((sum, it) => sum + it.bytes, 0) };
  }

  async #followCatalog(): Promise<void> {
    if (this.#version === this.#catalog.version) return;
    const version = this.#catalog.version;
    for (const database of this.#catalog.databases) {
      await this.#connection.run(`CREATE SCHEMA IF NOT EXISTS ${sqlOf.name(database)}`);
    }
    const tables = [...this.#catalog.tables.values()];
    const kept = this.#loaders.filter(({ table }) => tables.includes(table));
    const fresh = tables.filter((table) => !kept.some((it) => it.table === table));
    const made = fresh.map((table) => new TableLoader(table, this.#connection, this.#objects));
    for (const loader of made) await loader.create();
    this.#loaders = [...kept, ...made];
    this.#version = version;
  }

  /** Runs DuckDB SQL, its rows read as they come. */
  stream(sql: string): Promise<DuckDBResult> {
    return this.#connection.stream(sql);
  }

  /** Runs DuckDB SQL for its effect, or for few rows. */
  async run(sql: string): Promise<readonly (readonly unknown[])[]> {
    const reader = await this.#connection.runAndReadAll(sql);
    return reader.getRows();
  }

  /**
   * Gives memory back before and after a query of many rows: a lower limit is the only way to make DuckDB do so. It also
   * returns what the C library keeps for all threads.
   *
   * @param rows that the query reads, where that is known.
   */
  async rest(rows = REST_ROWS_MIN): Promise<void> {
    if (this.#isInMemory || rows < REST_ROWS_MIN) return;
    try {
      await this.#connection.run(`SET memory_limit = '${MEMORY_AT_REST}'`);
    } catch {
      // It keeps what it cannot free, and its limit.
    } finally {
      await this.#connection.run(`SET memory_limit = '${MEMORY}'`);
    }
  }

  interrupt(): void {
    this.#connection.interrupt();
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}
