import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectStore } from '../storage/object-store.ts';
import { type GlueCatalog, s3Location } from './catalog.ts';
import { Engine } from './engine.ts';
import type { Execution, Executions } from './executions.ts';
import { columnInfo } from './result-text.ts';
import { checkUnloadTarget, writeCsv, writeUnload } from './results.ts';
import { UntranslatedSql } from './sql/sql-tokens.ts';
import { type Statement, trinoToDuckDb } from './sql/trino-to-duckdb.ts';

/** How DuckDB's errors begin, and what Athena calls them. */
const ERROR_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^Catalog Error: Table /, 'TABLE_NOT_FOUND'],
  [/^(Catalog|Parser|Binder) Error/, 'SYNTAX_ERROR'],
  [/^Conversion Error/, 'INVALID_CAST_ARGUMENT'],
  [/^Out of Range Error/, 'NUMERIC_VALUE_OUT_OF_RANGE'],
  [/^Invalid Input Error/, 'INVALID_FUNCTION_ARGUMENT'],
];

const CANCELLED = { state: 'CANCELLED', reason: 'Query cancelled by user' } as const;

export interface QueryQueueOptions {
  readonly objects: ObjectStore;
  readonly catalog: GlueCatalog;
  readonly executions: Executions;
  /** Folder for rows that do not fit in memory. */
  readonly dir: string | undefined;
}

/** Runs queries one after another, the first of them starting the engine. */
export class QueryQueue {
  readonly #options: QueryQueueOptions;
  #engine: Promise<Engine> | undefined;
  #last: Promise<void> = Promise.resolve();
  #running: string | undefined;
  #isClosed = false;
  readonly #cancelled = new Set<string>();

  constructor(options: QueryQueueOptions) {
    this.#options = options;
  }

  add(execution: Execution): void {
    this.#last = this.#last.then(() => this.#run(execution));
  }

  /** A query that waits never starts; one that runs is interrupted. */
  async cancel(execution: Execution): Promise<void> {
    this.#cancelled.add(execution.id);
    if (this.#running === execution.id) (await this.#engine)?.interrupt();
    else this.#options.executions.save({ ...execution, ...CANCELLED, completedMs: Date.now() });
  }

  /** Interrupts the query that runs. It and those that wait are failed at the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#running !== undefined) (await this.#engine)?.interrupt();
    await this.#last;
    (await this.#engine)?.close();
    this.#engine = undefined;
  }

  async #run(queued: Execution): Promise<void> {
    if (this.#isClosed || this.#cancelled.delete(queued.id)) return;
    const { executions } = this.#options;
    let execution: Execution = { ...queued, state: 'RUNNING', startedMs: Date.now() };
    this.#running = queued.id;
    try {
      execution = await this.#execute(execution);
    } catch (error) {
      execution = { ...execution, state: 'FAILED', reason: reasonOf(error as Error) };
    }
    this.#running = undefined;
    if (this.#isClosed) return;
    const isCancelled = this.#cancelled.delete(queued.id);
    executions.save({ ...execution, ...(isCancelled && CANCELLED), completedMs: Date.now() });
  }

  async #execute(running: Execution): Promise<Execution> {
    const { objects, executions } = this.#options;
    executions.save(running);
    const statement = trinoToDuckDb(running.query);
    const execution: Execution = { ...running, kind: statement.kind };
    executions.save(execution);
    if (statement.kind === 'unload') await checkUnloadTarget(objects, statement);
    this.#engine ??= this.#open();
    const engine = await this.#engine;
    const scanned = await engine.prepare(running.query, running.database);
    const columns = await this.#writeResult(engine, execution, statement);
    return { ...execution, state: 'SUCCEEDED', columns, scannedBytes: scanned.bytes, scannedRows: scanned.rows };
  }

  async #writeResult(engine: Engine, { outputFolder, id, database }: Execution, statement: Statement) {
    const { objects } = this.#options;
    const output = `${outputFolder}${id}`;
    const unnamed = await engine.unnamedColumns(statement.sql);
    const result = await engine.stream(statement.sql, database);
    const columns = result.columnTypes().map((type, index) => {
      return columnInfo(unnamed.has(index) ? `_col${index}` : result.columnName(index).toLowerCase(), type);
    });
    if (statement.kind === 'select') {
      await writeCsv(objects, `${output}.csv`, columns, result);
      return columns;
    }
    const files = await writeUnload(objects, statement, result);
    const { bucket, key } = s3Location(`${output}-manifest.csv`);
    await objects.put(bucket, key, files.map((file) => `${file}\n`).join(''));
    return [];
  }

  async #open(): Promise<Engine> {
    const { catalog, objects, dir } = this.#options;
    const file = dir === undefined ? undefined : join(dir, 'athena.duckdb');
    for (const suffix of file === undefined ? [] : ['', '.wal']) await rm(`${file}${suffix}`, { force: true });
    return Engine.open(file, catalog, objects);
  }
}

function reasonOf(error: Error): string {
  const message = error.message.replace(/^Failed to extract statements: /, '');
  // Those of ours that are Athena's begin with Athena's name of the error.
  if (/^[A-Z_]+: /.test(message)) return message;
  if (error instanceof UntranslatedSql) return `SYNTAX_ERROR: ${message}`;
  const name = ERROR_NAMES.find(([pattern]) => pattern.test(message))?.[1];
  return `${name ?? 'GENERIC_INTERNAL_ERROR'}: ${message}`;
}
