/** The thread that DynamoDB runs in. Calls that come in one message are carried out and committed together. */
import { DatabaseSync } from 'node:sqlite';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { Engine, type EngineAnswer, type EngineCall } from './engine.ts';

/** How often records past the retention are forgotten, in milliseconds. */
const TRIM_MILLIS = 60_000;

/** Another process has the file. Source: https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5;

export interface EngineWorkerData {
  /** File of the database; `:memory:` to keep nothing. */
  readonly file: string;
  readonly expiryMillis: number;
}
export type ToWorker = readonly EngineCall[] | 'close';
export type FromWorker =
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly message: string; readonly isBusy: boolean }
  | { readonly kind: 'answers'; readonly answers: readonly EngineAnswer[] }
  | { readonly kind: 'expired' }
  | { readonly kind: 'closed' };

const port = parentPort as MessagePort;
const { file, expiryMillis } = workerData as EngineWorkerData;
const post = (message: FromWorker) => port.postMessage(message);

function open(): Engine | undefined {
  try {
    const db = new DatabaseSync(file);
    // The lock is taken by the first write and kept until the database is closed.
    if (file !== ':memory:') db.exec('PRAGMA locking_mode = EXCLUSIVE');
    const engine = new Engine(db);
    engine.trim();
    return engine;
  } catch (error) {
    const { errcode, message } = error as Error & { errcode?: number };
    post({ kind: 'failed', message, isBusy: errcode === SQLITE_BUSY });
    return undefined;
  }
}

function serve(engine: Engine): void {
  const timers = [
    setInterval(() => safely(() => engine.expire() && post({ kind: 'expired' })), expiryMillis),
    setInterval(() => safely(() => engine.trim()), TRIM_MILLIS),
  ];
  port.on('message', (message: ToWorker) => {
    if (message !== 'close') {
      post({ kind: 'answers', answers: engine.run(message) });
      return;
    }
    for (const timer of timers) clearInterval(timer);
    engine.close();
    post({ kind: 'closed' });
    port.close();
  });
}

/** What is done now and then is done again later: a full disk must not end the thread. */
function safely(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    console.error('dynamodb:', error);
  }
}

const engine = open();
if (engine) {
  serve(engine);
  post({ kind: 'open' });
}
