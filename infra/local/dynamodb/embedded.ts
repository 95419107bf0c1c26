import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AwsError } from '../protocol/aws-error.ts';
import type { Operation, Service, WireRequest } from '../protocol/service.ts';
import { CONTENT_TYPE, DYNAMODB_TARGET, type DynamoDbBackEnd, STREAMS_TARGET, writeListeners } from './back-end.ts';
import type { EngineAnswer, EngineCall } from './engine/engine.ts';
import type { EngineWorkerData, FromWorker, ToWorker } from './engine/thread.ts';
import { type ExportsOptions, exportOperations } from './exports/exports.ts';
import { DYNAMODB_OPERATIONS, STREAMS_OPERATIONS, WRITE_OPERATIONS } from './operations.ts';

/** How often expired items are looked for, in milliseconds. AWS promises no more than "within a few days". */
const EXPIRY_MILLIS = 30_000;
/** Young heap of the engine's thread: what a call allocates is garbage with its answer, and V8 would keep 48 MB for it. */
const YOUNG_MB = 12;
/** Most calls of a group: its first is answered with its last. */
const GROUP_MAX = 64;
/** How long a client may keep to the address that DescribeEndpoints gives, in minutes, as AWS says. */
const ENDPOINT_MINUTES = 1_440;

export interface EmbeddedOptions {
  /** Folder of the state; in it, the database is kept under `dynamodb/`. Absent: in memory. */
  readonly dir?: string;
  readonly expiryMillis?: number;
  /** What exports are remembered and written with. Absent: there are none. */
  readonly exports?: Omit<ExportsOptions, 'call'>;
}

/**
 * DynamoDB and its streams in a thread of this process, over SQLite. What it lacks is refused with the advice to start
 * another back end.
 *
 * @throws Error when the folder is in use.
 */
export async function embeddedDynamoDb(options: EmbeddedOptions = {}): Promise<DynamoDbBackEnd> {
  const { dir, expiryMillis = EXPIRY_MILLIS } = options;
  const folder = dir && join(dir, 'dynamodb');
  if (folder) await mkdir(folder, { recursive: true });
  const { tell, onWrite } = writeListeners();
  const engine = await startEngine({ file: folder ? join(folder, 'dynamodb.sqlite') : ':memory:', expiryMillis }, tell);
  const textOperation = (service: EngineCall['service'], operation: string) => {
    const isWrite = WRITE_OPERATIONS.includes(operation);
    return async (input: string) => {
      const answer = await engine.call({ service, operation, input });
      if (isWrite) tell();
      return answer;
    };
  };
  const service = (name: EngineCall['service'], target: string, operations: readonly string[]): Service => ({
    name,
    target,
    contentType: CONTENT_TYPE,
    texts: Object.fromEntries(operations.map((operation) => [operation, textOperation(name, operation)])),
    operations: Object.fromEntries(
      operations.map((operation): [string, Operation] => {
        const call = textOperation(name, operation);
        return [operation, async (input: object) => JSON.parse(await call(JSON.stringify(input)))];
      }),
    ),
  });
  const call = async (operation: string, input: object) =>
    JSON.parse(await engine.call({ service: 'dynamodb', operation, input: JSON.stringify(input) }));
  const exports = options.exports ? exportOperations({ ...options.exports, call }) : {};
  // DescribeEndpoints answers the address that its request came to, which only this side of the thread knows.
  const ofEngine = DYNAMODB_OPERATIONS.filter((it) => it !== 'DescribeEndpoints' && !(it in exports));
  const dynamodb = service('dynamodb', DYNAMODB_TARGET, ofEngine);
  return {
    services: [
      { ...dynamodb, operations: { ...dynamodb.operations, ...exports, DescribeEndpoints: describeEndpoints } },
      service('dynamodbstreams', STREAMS_TARGET, STREAMS_OPERATIONS),
    ],
    onWrite,
    close: () => engine.close(),
  };
}

/** The address the client has come to: any other would lead it away from the local cloud. */
function describeEndpoints(_: unknown, request: WireRequest | undefined): object {
  const Address = request?.headers.host ?? 'localhost';
  return { Endpoints: [{ Address, CachePeriodInMinutes: ENDPOINT_MINUTES }] };
}

interface Pending {
  readonly call: EngineCall;
  readonly resolve: (answer: EngineAnswer) => void;
}

/** Starts the engine's thread. `onExpired` is called when it has deleted items by itself. */
async function startEngine(workerData: EngineWorkerData, onExpired: () => void) {
  const worker = new Worker(new URL('./engine/worker.ts', import.meta.url), {
    workerData,
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  /** Calls that wait for the thread, in the order they came, and those it is at. */
  let waiting: Pending[] = [];
  let running: Pending[] = [];
  const post = (message: ToWorker) => worker.postMessage(message);
  /**
   * The thread has one group of calls at a time; the next gathers meanwhile. To wake a thread and to commit costs more
   * than most calls do.
   */
  const send = () => {
    if (running.length > 0 || waiting.length === 0) return;
    running = waiting.slice(0, GROUP_MAX);
    waiting = waiting.slice(GROUP_MAX);
    post(running.map(({ call }) => call));
  };
  const [first] = (await once(worker, 'message')) as [FromWorker];
  if (first.kind === 'failed') {
    await worker.terminate();
    const wayOut = first.isBusy ? 'stop the local cloud that has it, or' : 'remove its folder, or';
    throw new Error(
      `DynamoDB's file ${workerData.file} cannot be opened (${first.message}): ${wayOut} choose another folder with --dir.`,
    );
  }
  worker.on('message', (message: FromWorker) => {
    if (message.kind === 'expired') onExpired();
    if (message.kind !== 'answers') return;
    const answered = running;
    running = [];
    send();
    for (const [position, answer] of message.answers.entries()) answered[position]?.resolve(answer);
  });
  return {
    /** @returns JSON of the answer. */
    async call(call: EngineCall): Promise<string> {
      const answer = await new Promise<EngineAnswer>((resolve) => {
        if (waiting.push({ call, resolve }) === 1) setImmediate(send);
      });
      if ('answer' in answer) return answer.answer;
      throw new AwsError(answer.code, answer.message, answer.status, JSON.parse(answer.fields));
    },
    async close(): Promise<void> {
      const exited = once(worker, 'exit');
      while (running.length > 0 || waiting.length > 0) await once(worker, 'message');
      post('close');
      await exited;
    },
  };
}
