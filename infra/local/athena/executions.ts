import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ColumnInfo } from '@aws-sdk/client-athena';
import { AwsError } from '../protocol/aws-error.ts';

export type QueryState = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** A query and what became of it. Times in milliseconds since 1970. */
export interface Execution {
  readonly id: string;
  readonly token: string | undefined;
  readonly query: string;
  /** Values of the query's `?`. */
  readonly parameters?: readonly string[] | undefined;
  readonly database: string;
  readonly workGroup: string;
  /** s3:// folder of the results. */
  readonly outputFolder: string;
  /** SubstatementType, once the statement has been read. */
  readonly kind: string | undefined;
  readonly state: QueryState;
  readonly reason?: string;
  readonly submittedMs: number;
  readonly startedMs?: number;
  readonly completedMs?: number;
  readonly scannedBytes?: number;
  readonly scannedRows?: number;
  readonly columns?: readonly ColumnInfo[];
}

/** The history of queries, in SQLite so that it survives a restart. */
export class Executions {
  readonly #db: DatabaseSync;
  readonly #save: StatementSync;
  readonly #find: StatementSync;

  /** Queries that the last stop cut off are failed: nobody will finish them. */
  constructor(db: DatabaseSync) {
    db.exec('CREATE TABLE IF NOT EXISTS athena_executions (id TEXT PRIMARY KEY, token TEXT, execution TEXT NOT NULL)');
    db.exec('CREATE INDEX IF NOT EXISTS athena_executions_token ON athena_executions (token)');
    this.#db = db;
    this.#save = db.prepare('INSERT OR REPLACE INTO athena_executions VALUES (?, ?, ?)');
    this.#find = db.prepare('SELECT execution FROM athena_executions WHERE id = ?');
    for (const row of db.prepare('SELECT execution FROM athena_executions').all()) {
      const execution: Execution = JSON.parse(String(row.execution));
      if (execution.state !== 'QUEUED' && execution.state !== 'RUNNING') continue;
      const reason = 'GENERIC_INTERNAL_ERROR: The local cloud stopped while the query ran';
      this.save({ ...execution, state: 'FAILED', reason, completedMs: Date.now() });
    }
  }

  save(execution: Execution): void {
    this.#save.run(execution.id, execution.token ?? null, JSON.stringify(execution));
  }

  find(id: string | undefined): Execution | undefined {
    const row = this.#find.get(id ?? '');
    return row && JSON.parse(String(row.execution));
  }

  /** @throws AwsError InvalidRequestException */
  get(id: string | undefined): Execution {
    const found = this.find(id);
    if (!found) throw new AwsError('InvalidRequestException', `QueryExecution ${id} was not found`);
    return found;
  }

  /** Identifiers of a workgroup's queries, newest first. */
  ids(workGroup: string): string[] {
    const rows = this.#db
      .prepare(
        "SELECT id FROM athena_executions WHERE json_extract(execution, '$.workGroup') = ? ORDER BY json_extract(execution, '$.submittedMs') DESC, rowid DESC",
      )
      .all(workGroup);
    return rows.map(({ id }) => String(id));
  }

  /** The query started with a ClientRequestToken. */
  byToken(token: string): Execution | undefined {
    const row = this.#db.prepare('SELECT execution FROM athena_executions WHERE token = ?').get(token);
    return row && JSON.parse(String(row.execution));
  }
}

/** Where the results of a statement are: rows as CSV, what the catalog answers as text, files in a folder. */
export function outputLocation({ outputFolder, id, kind }: Execution): string {
  const output = `${outputFolder}${id}`;
  if (kind === 'UNLOAD') return output;
  if (kind === 'CREATE_TABLE_AS_SELECT') return `${outputFolder}tables/${id}`;
  return /^(SELECT)?$/i.test(kind ?? '') ? `${output}.csv` : `${output}.txt`;
}

/** Statements that change the catalog, and those that look at it. */
function statementType(kind: string | undefined): string {
  if (kind === undefined || kind === 'SELECT' || kind === 'UNLOAD') return 'DML';
  return /^(CREATE|DROP)/.test(kind) ? 'DDL' : 'UTILITY';
}

/** An execution in the shape of GetQueryExecution's answer. */
export function describeExecution(execution: Execution): object {
  const { state, reason, submittedMs, startedMs, completedMs, kind } = execution;
  const end = completedMs ?? Date.now();
  const output = `${execution.outputFolder}${execution.id}`;
  return {
    QueryExecutionId: execution.id,
    Query: execution.query,
    StatementType: statementType(kind),
    ...(kind && { SubstatementType: kind }),
    ResultConfiguration: { OutputLocation: outputLocation(execution) },
    ResultReuseConfiguration: { ResultReuseByAgeConfiguration: { Enabled: false } },
    ...(execution.parameters && { ExecutionParameters: execution.parameters }),
    QueryExecutionContext: { Database: execution.database, Catalog: 'awsdatacatalog' },
    Status: {
      State: state,
      SubmissionDateTime: submittedMs / 1_000,
      ...(reason && { StateChangeReason: reason }),
      ...(completedMs && { CompletionDateTime: completedMs / 1_000 }),
      ...(state === 'FAILED' && { AthenaError: athenaError(reason ?? '') }),
    },
    Statistics: {
      EngineExecutionTimeInMillis: startedMs ? end - startedMs : 0,
      DataScannedInBytes: execution.scannedBytes ?? 0,
      TotalExecutionTimeInMillis: end - submittedMs,
      QueryQueueTimeInMillis: (startedMs ?? end) - submittedMs,
      ResultReuseInformation: { ReusedPreviousResult: false },
      ...((kind === 'UNLOAD' || kind === 'CREATE_TABLE_AS_SELECT') &&
        state === 'SUCCEEDED' && { DataManifestLocation: `${output}-manifest.csv` }),
    },
    WorkGroup: execution.workGroup,
    EngineVersion: { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' },
  };
}

/** An execution in the shape of GetQueryRuntimeStatistics' answer, as far as it is known here. */
export function runtimeStatistics({ submittedMs, completedMs, scannedRows, scannedBytes }: Execution): object {
  return {
    Timeline: { TotalExecutionTimeInMillis: (completedMs ?? Date.now()) - submittedMs },
    Rows: { InputRows: scannedRows, InputBytes: scannedBytes },
  };
}

/** Categories of Athena's error catalog: 1 is the system's fault, 2 the user's. */
function athenaError(reason: string): object {
  const isInternal = reason.startsWith('GENERIC_INTERNAL_ERROR');
  return { ErrorCategory: isInternal ? 1 : 2, Retryable: isInternal, ErrorMessage: reason };
}
