import { randomUUID } from 'node:crypto';
import { AwsError } from '../protocol/aws-error.ts';
import { type Answer, ExecutionEnvironment } from './execution-environment.ts';
import { functionArn, functionNameOf, type LambdaFunction } from './function.ts';

/** Most execution environments of one function at a time; further invocations wait for one of them. */
const CONCURRENCY_MAX = 4;
/** Largest event and answer of a synchronous invocation, in bytes. Source: Lambda quotas. */
export const PAYLOAD_BYTES_MAX = 6 * 1024 * 1024;
/** Log lines kept for LogType Tail, in bytes. Source: Invoke, "the last 4 KB of the execution log". */
const LOG_TAIL_BYTES = 4_096;

/** What Invoke answers. */
export interface Invocation {
  readonly requestId: string;
  /** JSON text: what the function returned, or its error. */
  readonly payload: string;
  readonly functionError: 'Unhandled' | undefined;
  /** The end of what it logged. */
  readonly logTail: string;
}

export interface LambdaRuntimeOptions {
  readonly functions: readonly LambdaFunction[];
  /** Where functions find every service; asked for at the first invocation, when the port is known. */
  readonly endpointUrl: () => string;
  /** Takes every line functions write to stdout and stderr, metrics in EMF among them. */
  readonly onLog?: (functionName: string, line: string) => void;
  readonly concurrencyMax?: number;
}

export interface LambdaRuntime {
  /** @throws AwsError ResourceNotFoundException, RequestTooLargeException; a function's own error is in the answer. */
  invoke(functionName: string, payload: string): Promise<Invocation>;
  /** @throws AwsError ResourceNotFoundException */
  find(functionName: string): LambdaFunction;
  /** Has every function start anew, as a new version does: environments end after what they are doing. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

/** Runs functions in worker threads, each as Lambda would: one invocation at a time per execution environment. */
export function lambdaRuntime(options: LambdaRuntimeOptions): LambdaRuntime {
  const { functions, endpointUrl, onLog = () => undefined, concurrencyMax = CONCURRENCY_MAX } = options;
  const pools = new Map<string, Pool>();

  function find(reference: string): LambdaFunction {
    const found = functions.find((it) => it.name === functionNameOf(reference));
    if (found) return found;
    const arn = reference.startsWith('arn:') ? reference : functionArn(reference);
    throw new AwsError('ResourceNotFoundException', `Function not found: ${arn}`, 404, { Type: 'User' });
  }

  function poolOf(lambda: LambdaFunction): Pool {
    const pool = pools.get(lambda.name) ?? new Pool(lambda, endpointUrl(), onLog, concurrencyMax);
    pools.set(lambda.name, pool);
    return pool;
  }

  return {
    find,
    async invoke(functionName, payload) {
      const lambda = find(functionName);
      if (Buffer.byteLength(payload) > PAYLOAD_BYTES_MAX) {
        const message = `Request must be smaller than ${PAYLOAD_BYTES_MAX} bytes for the InvokeFunction operation`;
        throw new AwsError('RequestTooLargeException', message, 413, { Type: 'User' });
      }
      const requestId = randomUUID();
      const { answer, log } = await poolOf(lambda).invoke(requestId, payload);
      const failure = failureOf(answer);
      if (failure && 'error' in answer) onLog(lambda.name, `ERROR\tInvoke Error\t${failure}`);
      return {
        requestId,
        payload: failure ?? ('payload' in answer ? answer.payload : 'null'),
        functionError: failure === undefined ? undefined : 'Unhandled',
        logTail: Buffer.from(log.join('\n')).subarray(-LOG_TAIL_BYTES).toString('utf8'),
      };
    },
    async renew() {
      await Promise.all([...pools.values()].map((pool) => pool.renew()));
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}

function failureOf(answer: Answer): string | undefined {
  if ('error' in answer) return JSON.stringify(answer.error);
  const bytes = Buffer.byteLength(answer.payload);
  if (bytes <= PAYLOAD_BYTES_MAX) return undefined;
  return JSON.stringify({
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${PAYLOAD_BYTES_MAX} bytes).`,
  });
}

interface Slot {
  environment: ExecutionEnvironment | undefined;
  busy: boolean;
  /** Whether the environment is to end after what it is doing. */
  stale: boolean;
  log: string[];
}

/** The execution environments of one function. */
class Pool {
  readonly #lambda: LambdaFunction;
  readonly #endpointUrl: string;
  readonly #onLog: (functionName: string, line: string) => void;
  readonly #slots: Slot[];
  readonly #waiting: ((slot: Slot) => void)[] = [];
  #closed = false;

  constructor(
    lambda: LambdaFunction,
    endpointUrl: string,
    onLog: (functionName: string, line: string) => void,
    concurrencyMax: number,
  ) {
    this.#lambda = lambda;
    this.#endpointUrl = endpointUrl;
    this.#onLog = onLog;
    this.#slots = Array.from({ length: concurrencyMax }, () => ({
      environment: undefined,
      busy: false,
      stale: false,
      log: [],
    }));
  }

  async invoke(requestId: string, payload: string): Promise<{ answer: Answer; log: readonly string[] }> {
    const slot = await this.#take();
    try {
      if (this.#closed) throw new Error(`Function ${this.#lambda.name} was not invoked: the local cloud is stopping`);
      slot.log = [];
      const environment = this.#environmentOf(slot);
      const answer = await environment.invoke(requestId, payload);
      if (slot.stale) await environment.close();
      if (environment.broken || slot.stale) slot.environment = undefined;
      slot.stale = false;
      return { answer, log: slot.log };
    } finally {
      this.#give(slot);
    }
  }

  async renew(): Promise<void> {
    const idle = this.#slots.filter((slot) => !slot.busy && slot.environment);
    const ended = idle.map((slot) => slot.environment?.close());
    for (const slot of this.#slots) {
      slot.stale = slot.busy;
      if (!slot.busy) slot.environment = undefined;
    }
    await Promise.all(ended);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#slots.map((slot) => slot.environment?.close()));
  }

  #environmentOf(slot: Slot): ExecutionEnvironment {
    if (!slot.environment || slot.environment.broken) {
      slot.environment = new ExecutionEnvironment(this.#lambda, this.#endpointUrl, (line) => {
        slot.log.push(line);
        this.#onLog(this.#lambda.name, line);
      });
    }
    return slot.environment;
  }

  /** A warm environment if one is free, else a new one, else whichever is free next. */
  #take(): Promise<Slot> {
    const free = this.#slots.filter((slot) => !slot.busy);
    const slot = free.find((it) => it.environment) ?? free[0];
    if (!slot) return new Promise((resolve) => this.#waiting.push(resolve));
    slot.busy = true;
    return Promise.resolve(slot);
  }

  #give(slot: Slot): void {
    const next = this.#waiting.shift();
    if (next) next(slot);
    else slot.busy = false;
  }
}
