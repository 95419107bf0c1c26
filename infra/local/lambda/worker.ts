/** One execution environment of a function: it runs in a worker thread, with an environment of its own. */
import { setSourceMapsSupport } from 'node:module';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import type { InvokeMessage, LambdaError, WorkerData, WorkerMessage } from './function.ts';

type Handler = (event: unknown, context: object) => unknown;

const { handlerFile, exportName, context } = workerData as WorkerData;

/**
 * An environment that has been idle for this long, in milliseconds, gives back the memory of what it needs no more. V8
 * collects when a heap has grown, and an idle one does not grow.
 */
const REST_MILLIS = 1_000;
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
let resting: NodeJS.Timeout | undefined;

function post(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

function errorOf(thrown: unknown): LambdaError {
  if (!(thrown instanceof Error)) return { errorType: typeof thrown, errorMessage: String(thrown) };
  return { errorType: thrown.name, errorMessage: thrown.message, trace: (thrown.stack ?? '').split('\n') };
}

/** Logs go the way of results, so that what a function has logged is known when its answer is. */
function captureOutput(stream: NodeJS.WriteStream): void {
  stream.write = (chunk: string | Uint8Array, encoding?: unknown, done?: unknown) => {
    post({ kind: 'log', text: typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8') });
    const callback = typeof encoding === 'function' ? encoding : done;
    if (typeof callback === 'function') process.nextTick(callback as () => void);
    return true;
  };
}

async function load(): Promise<Handler> {
  const module = (await import(pathToFileURL(handlerFile).href)) as Record<string, unknown>;
  const handler = module[exportName];
  if (typeof handler === 'function') return handler as Handler;
  const error = new Error(`${handlerFile} has no function "${exportName}"`);
  error.name = 'Runtime.HandlerNotFound';
  throw error;
}

async function invoke(handler: Handler, { requestId, payload, deadline }: InvokeMessage): Promise<void> {
  clearTimeout(resting);
  try {
    const result = await handler(JSON.parse(payload), {
      ...context,
      callbackWaitsForEmptyEventLoop: true,
      awsRequestId: requestId,
      getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    });
    post({ kind: 'result', payload: JSON.stringify(result) ?? 'null' });
  } catch (thrown) {
    post({ kind: 'error', error: errorOf(thrown) });
  }
  resting = setTimeout(collectGarbage, REST_MILLIS).unref();
}

// Functions are bundled, and stack traces name the lines that people wrote.
setSourceMapsSupport(true, { nodeModules: true });
captureOutput(process.stdout);
captureOutput(process.stderr);
try {
  const handler = await load();
  parentPort?.on('message', (message: InvokeMessage) => invoke(handler, message));
  post({ kind: 'ready' });
} catch (thrown) {
  post({ kind: 'error', error: errorOf(thrown) });
}
