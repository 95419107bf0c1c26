import type { DatabaseSync } from 'node:sqlite';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** An execution on record. Times are epoch milliseconds; input and output are JSON as text. */
export interface ExecutionRecord {
  readonly arn: string;
  readonly machineArn: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startMs: number;
  readonly input: string;
  readonly stopMs?: number;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
  /** The Map Run whose item it works; absent for an execution that was started by a call. */
  readonly mapRunArn?: string;
}

/** A run of a Distributed Map, which belongs to one execution and starts another for each of its items. */
export interface MapRunRecord {
  readonly arn: string;
  readonly executionArn: string;
  /** The state machine's, with the label of the Map. */
  readonly machineArn: string;
  readonly status: Exclude<ExecutionStatus, 'TIMED_OUT'>;
  readonly startMs: number;
  readonly stopMs?: number;
  readonly maxConcurrency: number;
  readonly toleratedFailureCount: number;
  readonly toleratedFailurePercentage: number;
  /** Items; 0 until they are read. */
  readonly total: number;
}

export interface MachineRecord {
  readonly arn: string;
  readonly name: string;
  readonly createdMs: number;
  readonly roleArn: string;
  /** ASL, as text. */
  readonly definition: string;
}

/** A history event without its id, which is its place. */
export interface HistoryEvent {
  readonly type: string;
  readonly timestampMs: number;
  readonly details: Readonly<Record<string, object>>;
}

/** State machines, executions and their histories in sqlite. */
export class ExecutionRecords {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(`
      CREATE TABLE IF NOT EXISTS states_machines (arn TEXT PRIMARY KEY, body TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS states_executions (
        arn TEXT PRIMARY KEY, machine_arn TEXT NOT NULL, status TEXT NOT NULL, body TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS states_events (
        execution_arn TEXT NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (execution_arn, id));
      CREATE TABLE IF NOT EXISTS states_map_runs (
        arn TEXT PRIMARY KEY, execution_arn TEXT NOT NULL, status TEXT NOT NULL, body TEXT NOT NULL)`);
  }

  putMachine(machine: MachineRecord): void {
    this.#db
      .prepare('INSERT INTO states_machines VALUES (?, ?) ON CONFLICT (arn) DO UPDATE SET body = excluded.body')
      .run(machine.arn, JSON.stringify(machine));
  }

  machine(arn: string): MachineRecord | undefined {
    return parsed(this.#db.prepare('SELECT body FROM states_machines WHERE arn = ?').get(arn));
  }

  machines(): MachineRecord[] {
    return this.#db
      .prepare('SELECT body FROM states_machines ORDER BY rowid')
      .all()
      .flatMap((row) => parsed<MachineRecord>(row) ?? []);
  }

  putExecution(execution: ExecutionRecord): void {
    this.#db
      .prepare(
        `INSERT INTO states_executions VALUES (?, ?, ?, ?)
         ON CONFLICT (arn) DO UPDATE SET status = excluded.status, body = excluded.body`,
      )
      .run(execution.arn, execution.machineArn, execution.status, JSON.stringify(execution));
  }

  execution(arn: string): ExecutionRecord | undefined {
    return parsed(this.#db.prepare('SELECT body FROM states_executions WHERE arn = ?').get(arn));
  }

  /** Executions that still run, of every state machine. */
  running(): ExecutionRecord[] {
    return this.#db
      .prepare(`SELECT body FROM states_executions WHERE status = 'RUNNING'`)
      .all()
      .flatMap((row) => parsed<ExecutionRecord>(row) ?? []);
  }

  /** Executions of one state machine, newest first. */
  executionsOf(machineArn: string): ExecutionRecord[] {
    return this.#db
      .prepare('SELECT body FROM states_executions WHERE machine_arn = ? ORDER BY rowid DESC')
      .all(machineArn)
      .flatMap((row) => parsed<ExecutionRecord>(row) ?? []);
  }

  putMapRun(run: MapRunRecord): void {
    this.#db
      .prepare(
        `INSERT INTO states_map_runs VALUES (?, ?, ?, ?)
         ON CONFLICT (arn) DO UPDATE SET status = excluded.status, body = excluded.body`,
      )
      .run(run.arn, run.executionArn, run.status, JSON.stringify(run));
  }

  mapRun(arn: string): MapRunRecord | undefined {
    return parsed(this.#db.prepare('SELECT body FROM states_map_runs WHERE arn = ?').get(arn));
  }

  /** Map Runs that still run, of every execution. */
  runningMapRuns(): MapRunRecord[] {
    return this.#db
      .prepare(`SELECT body FROM states_map_runs WHERE status = 'RUNNING'`)
      .all()
      .flatMap((row) => parsed<MapRunRecord>(row) ?? []);
  }

  /** Map Runs of one execution, newest first. */
  mapRunsOf(executionArn: string): MapRunRecord[] {
    return this.#db
      .prepare('SELECT body FROM states_map_runs WHERE execution_arn = ? ORDER BY rowid DESC')
      .all(executionArn)
      .flatMap((row) => parsed<MapRunRecord>(row) ?? []);
  }

  /** Executions of the items of one Map Run, newest first. */
  itemsOf({ arn, machineArn }: MapRunRecord): ExecutionRecord[] {
    return this.executionsOf(machineArn).filter((it) => it.mapRunArn === arn);
  }

  addEvent(executionArn: string, event: HistoryEvent): void {
    this.#db
      .prepare(
        `INSERT INTO states_events
         SELECT ?, COALESCE(MAX(id), 0) + 1, ? FROM states_events WHERE execution_arn = ?`,
      )
      .run(executionArn, JSON.stringify(event), executionArn);
  }

  events(executionArn: string): HistoryEvent[] {
    return this.#db
      .prepare('SELECT body FROM states_events WHERE execution_arn = ? ORDER BY id')
      .all(executionArn)
      .flatMap((row) => parsed<HistoryEvent>(row) ?? []);
  }
}

function parsed<T>(row: Record<string, unknown> | undefined): T | undefined {
  return row && (JSON.parse(String(row.body)) as T);
}
