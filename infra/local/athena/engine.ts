import { type DuckDBConnection, DuckDBInstance, type DuckDBResult } from '@duckdb/node-api';
import type { ObjectStore } from '../storage/object-store.ts';
import type { GlueCatalog, View } from './catalog.ts';
import { type Scan, scansOf } from './scans.ts';
import { UntranslatedSql } from './sql/sql-tokens.ts';
import { DUCKDB_MACROS } from './sql/trino-functions.ts';
import { trinoToDuckDb } from './sql/trino-to-duckdb.ts';
import { quote, type ScanSize, TableLoader } from './table-loader.ts';

/** The local cloud shares a laptop with its user: DuckDB gets two threads and this much memory. */
const OPTIONS = {
  threads: '2',
  memory_limit: '512MB',
  // Trino divides integers into integers.
  integer_division: 'true',
  default_null_order: 'nulls_last',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

/** DuckDB, with the catalog's tables and views in it. One query at a time: the caller sees to it. */
export class Engine {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #catalog: GlueCatalog;
  readonly #objects: ObjectStore;
  #loaders: TableLoader[] = [];
  #version = -1;

  private constructor(
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    catalog: GlueCatalog,
    objects: ObjectStore,
  ) {
    this.#instance = instance;
    this.#connection = connection;
    this.#catalog = catalog;
    this.#objects = objects;
  }

  /** @param file where rows are kept that do not fit in memory; it is a cache, made anew. Without it all is in memory. */
  static async open(file: string | undefined, catalog: GlueCatalog, objects: ObjectStore): Promise<Engine> {
    const instance = await DuckDBInstance.create(file ?? ':memory:', OPTIONS);
    const connection = await instance.connect();
    for (const macro of DUCKDB_MACROS) await connection.run(macro);
    // Queries see the catalog's tables and no files: `FROM 'file.csv'` is DuckDB's syntax, not Trino's.
    await connection.run('SET enable_external_access = false');
    return new Engine(instance, connection, catalog, objects);
  }

  /**
   * Brings tables and views up to date with the catalog, and the tables that a query reads with their objects.
   *
   * @param database of the query's unqualified names.
   * @returns what the query reads. A table that is named twice is read twice.
   */
  async prepare(trino: string, database: string): Promise<ScanSize> {
    await this.#followCatalog();
    const scans = scansOf(trino, database, this.#catalog);
    const read: ScanSize[] = [];
    for (const loader of this.#loaders) {
      const ofTable: Scan[] = scans.filter(({ table }) => table === loader.table);
      if (ofTable.length > 0) await loader.refresh(ofTable);
      read.push(...ofTable.map((scan) => loader.sizeOf(scan)));
    }
    return {
      rows: read.reduce((sum, { rows }) => sum + rows, 0),
      bytes: read.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  async #followCatalog(): Promise<void> {
    if (this.#version !== this.#catalog.version) {
      const version = this.#catalog.version;
      for (const database of this.#catalog.databases) {
        await this.#connection.run(`CREATE SCHEMA IF NOT EXISTS ${quote(database)}`);
      }
      this.#loaders = [...this.#catalog.tables.values()].map(
        (table) => new TableLoader(table, this.#connection, this.#objects),
      );
      for (const loader of this.#loaders) await loader.create();
      await this.#createViews([...this.#catalog.views.values()]);
      this.#version = version;
    }
  }

  /** Runs DuckDB SQL, its unqualified names in `database`. */
  async stream(sql: string, database: string): Promise<DuckDBResult> {
    if (!this.#catalog.databases.has(database)) {
      throw new UntranslatedSql(`SCHEMA_NOT_FOUND: Schema '${database}' does not exist`);
    }
    await this.#connection.run(`SET schema = '${database.replaceAll("'", "''")}'`);
    return this.#connection.stream(sql);
  }

  /**
   * Positions of a query's columns that have no name; Athena calls them `_col<n>`. With a `*` in the list positions are
   * not known before the query is bound, and DuckDB's names are taken. To be asked before the query is streamed: the
   * connection has one result at a time.
   */
  async unnamedColumns(sql: string): Promise<ReadonlySet<number>> {
    const reader = await this.#connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql]);
    const list: { type: string; alias: string }[] =
      JSON.parse(String(reader.getRows()[0]?.[0])).statements?.[0]?.node?.select_list ?? [];
    if (list.some((item) => item.type === 'STAR')) return new Set();
    return new Set(list.flatMap(({ alias, type }, index) => (alias || type === 'COLUMN_REF' ? [] : [index])));
  }

  interrupt(): void {
    this.#connection.interrupt();
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  /** Views may name views that come after them: those that fail are tried again until nothing more succeeds. */
  async #createViews(views: readonly View[]): Promise<void> {
    const failed: View[] = [];
    let failure: unknown;
    for (const view of views) {
      try {
        const { sql } = trinoToDuckDb(view.sql);
        await this.#connection.run(`SET schema = '${view.database.replaceAll("'", "''")}'`);
        await this.#connection.run(`CREATE OR REPLACE VIEW ${quote(view.name)} AS ${sql}`);
      } catch (error) {
        failed.push(view);
        failure = error;
      }
    }
    if (failed.length === 0) return;
    if (failed.length === views.length) {
      throw new Error(
        `The view ${failed[0]?.database}.${failed[0]?.name} cannot be made: ${(failure as Error).message}`,
      );
    }
    await this.#createViews(failed);
  }
}
