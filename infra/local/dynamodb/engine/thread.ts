/** The thread that DynamoDB runs in. Calls that are waiting when it looks are carried out and committed together. */
import { DatabaseSync } from 'node:sqlite';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Engine, type EngineAnswer, type EngineCall } from './engine.ts';

/** Calls after which no more are waited for: the first of a group waits for its last. */
const GROUP_MAX = 64;
/** How often records past the retention are forgotten, in milliseconds. */
const TRIM_MILLIS = 60_000;

/** Another process has the file. Source: https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5;

export interface EngineWorkerData {
  /** File of the database; `:memory:` to keep nothing. */
  readonly file: string;
  readonly expiryMillis: number;
}
export type ToWorker = readonly (EngineCall & { readonly id: number })[] | 'close';
export type FromWorker =
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly message: string; readonly isBusy: boolean }
  | { readonly kind: 'answers'; readonly answers: readonly (EngineAnswer & { readonly id: number })[] }
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
  port.on('message', (first: ToWorker) => {
    let isClosing = false;
    const ids: number[] = [];
    function* waiting(): Generator<EngineCall> {
      for (let message: ToWorker | undefined = first; message !== undefined; message = next()) {
        if (message === 'close') {
          isClosing = true;
          return;
        }
        for (const call of message) {
          ids.push(call.id);
          yield call;
        }
        if (ids.length >= GROUP_MAX) return;
      }
    }
    const answers = engine.run(waiting());
    post({ kind: 'answers', answers: answers.map((answer, position) => ({ ...answer, id: ids[position] ?? 0 })) });
    if (!isClosing) return;
    for (const timer of timers) clearInterval(timer);
    engine.close();
    post({ kind: 'closed' });
    port.close();
  });
}

function next(): ToWorker | undefined {
  return receiveMessageOnPort(port)?.message as ToWorker | undefined;
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
