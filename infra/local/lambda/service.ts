import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsError, notImplemented } from '../protocol/aws-error.ts';
import { decodePath } from '../protocol/request.ts';
import type { Service, WireRequest, WireResponse } from '../protocol/service.ts';
import { type FunctionFacts, functionOperations, functionRoutes } from './function-operations.ts';
import { urlEvent, urlResponse } from './function-url.ts';
import type { LambdaRuntime } from './runtime.ts';

const INVOKE_PATH = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;
const URL_PATH = /^\/lambda-url\/([^/]+)(\/.*)?$/;
/** Largest event of an asynchronous invocation, in bytes. Source: Lambda quotas. */
const ASYNC_PAYLOAD_BYTES_MAX = 1024 * 1024;
/** Waits before the two retries of a failed asynchronous invocation; AWS waits one and two minutes. */
const ASYNC_RETRY_MILLIS = [1_000, 2_000];

/** How a request to a function URL ended. */
export interface UrlRequest {
  readonly functionName: string;
  readonly status: number;
  readonly durationMs: number;
}

export interface LambdaServiceOptions extends FunctionFacts {
  readonly onUrlRequest?: (request: UrlRequest) => void;
}

const NOTHING_MORE: FunctionFacts = { endpointUrl: () => '', mappings: () => [] };

/** Lambda: Invoke, what is asked of functions, and function URLs under `/lambda-url/<function>/`. */
export function lambdaService(runtime: LambdaRuntime, options: LambdaServiceOptions = NOTHING_MORE): Service {
  const background = new Set<Promise<void>>();
  const stopping = new AbortController();

  async function runInBackground(functionName: string, payload: string): Promise<void> {
    for (const millis of [...ASYNC_RETRY_MILLIS, 0]) {
      const { functionError } = await runtime.invoke(functionName, payload);
      if (!functionError) return;
      await sleep(millis, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
    }
  }

  async function invoke(reference: string, request: WireRequest): Promise<WireResponse> {
    const { name } = runtime.find(reference, request.query.get('Qualifier') ?? undefined);
    if (request.headers['x-amz-client-context']) throw notImplemented('lambda', 'parameter ClientContext of Invoke');
    const payload = payloadOf(request);
    const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
    const requestId = randomUUID();
    if (type === 'DryRun') return { status: 204, headers: { 'x-amzn-requestid': requestId } };
    if (type === 'Event') {
      if (Buffer.byteLength(payload) > ASYNC_PAYLOAD_BYTES_MAX) {
        const message = `Request must be smaller than ${ASYNC_PAYLOAD_BYTES_MAX} bytes for an asynchronous invocation`;
        throw new AwsError('RequestTooLargeException', message, 413, { Type: 'User' });
      }
      const running = runInBackground(name, payload).catch((error) => console.error(`lambda ${name}:`, error));
      background.add(running);
      running.finally(() => background.delete(running));
      return { status: 202, headers: { 'x-amzn-requestid': requestId } };
    }
    if (type !== 'RequestResponse') throw notImplemented('lambda', `InvocationType ${type}`);
    const answer = await runtime.invoke(name, payload);
    const wantsLog = request.headers['x-amz-log-type'] === 'Tail';
    return {
      status: 200,
      headers: {
        'content-type': 'application/json',
        'x-amz-executed-version': '$LATEST',
        'x-amzn-requestid': answer.requestId,
        ...(answer.functionError && { 'x-amz-function-error': answer.functionError }),
        ...(wantsLog && { 'x-amz-log-result': Buffer.from(answer.logTail).toString('base64') }),
      },
      body: answer.payload,
    };
  }

  async function callUrl(reference: string, path: string, request: WireRequest): Promise<WireResponse> {
    const event = urlEvent(request, path);
    const functionName = runtime.find(reference).name;
    const startMs = Date.now();
    const answer = urlResponse(await runtime.invoke(functionName, JSON.stringify(event)));
    options.onUrlRequest?.({ functionName, status: answer.status, durationMs: Date.now() - startMs });
    return answer;
  }

  return {
    name: 'lambda',
    routes: functionRoutes,
    operations: functionOperations(runtime, options),
    raw(request) {
      const [, invoked] = INVOKE_PATH.exec(request.path) ?? [];
      if (invoked !== undefined && request.method === 'POST') {
        const Qualifier = request.query.get('Qualifier');
        const input = { FunctionName: decodePath(invoked), ...(Qualifier !== null && { Qualifier }) };
        return { operation: 'Invoke', input, run: () => invoke(input.FunctionName, request) };
      }
      const [, called, path = '/'] = URL_PATH.exec(request.path) ?? [];
      if (called === undefined) return undefined;
      return { operation: 'InvokeFunctionUrl', run: () => callUrl(decodePath(called), path, request) };
    },
    async close() {
      stopping.abort();
      await runtime.close();
      await Promise.all(background);
    },
  };
}

function payloadOf(request: WireRequest): string {
  const payload = request.body.length === 0 ? '{}' : request.body.toString('utf8');
  try {
    JSON.parse(payload);
    return payload;
  } catch (error) {
    const message = `Could not parse request body into json: ${(error as Error).message}`;
    throw new AwsError('InvalidRequestContentException', message, 400, { Type: 'User' });
  }
}
