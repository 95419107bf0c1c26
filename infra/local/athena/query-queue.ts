import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectStore } from '../storage/object-store.ts';
import type { GlueCatalog } from './catalog.ts';
import { Engine } from './engine.ts';
import { reasonOf } from './error-reason.ts';
import type { Execution, Executions } from './executions.ts';
import { trinoGrammar } from './sql/grammar.ts';
import { withParameters } from './statements/parameters.ts';
import { run } from './statements/run.ts';
import { readStatement } from './statements/statements.ts';

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
      const { kind } = executions.get(queued.id);
      execution = { ...execution, kind, state: 'FAILED', reason: reasonOf(error as Error) };
    }
    this.#running = undefined;
    if (this.#isClosed) return;
    const isCancelled = this.#cancelled.delete(queued.id);
    executions.save({ ...execution, ...(isCancelled && CANCELLED), completedMs: Date.now() });
    await (await this.#engine)?.rest(execution.scannedRows);
  }

  async #execute(running: Execution): Promise<Execution> {
    const { objects, catalog, executions } = this.#options;
    executions.save(running);
    const parse = await trinoGrammar();
    const { query, database, parameters } = running;
    const sql = parameters ? withParameters(query, parameters, parse) : query;
    const statement = readStatement(sql, { database, catalog, parse });
    const execution: Execution = { ...running, kind: statement.kind };
    executions.save(execution);
    this.#engine ??= this.#open();
    const engine = await this.#engine;
    const output = `${execution.outputFolder}${execution.id}`;
    // Cancelled while the statement was read: there was nothing to interrupt.
    if (this.#cancelled.has(execution.id)) return execution;
    const { columns, scanned } = await run(statement, { objects, catalog, engine, output });
    return { ...execution, state: 'SUCCEEDED', columns, scannedBytes: scanned.bytes, scannedRows: scanned.rows };
  }

  async #open(): Promise<Engine> {
    const { catalog, objects, dir } = this.#options;
    const file = dir === undefined ? undefined : join(dir, 'athena.duckdb');
    for (const suffix of file === undefined ? [] : ['', '.wal']) await rm(`${file}${suffix}`, { force: true });
    return Engine.open(file, catalog, objects);
  }
}
