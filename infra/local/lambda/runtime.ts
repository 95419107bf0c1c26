import { randomUUID } from 'node:crypto';
import { AwsError } from '../protocol/aws-error.ts';
import { type Answer, ExecutionEnvironment } from './execution-environment.ts';
import { functionArn, functionReference, LATEST, type LambdaFunction } from './function.ts';

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

/**
 * An environment that has been idle for this long, in milliseconds, is ended while another of its function is idle. On
 * AWS it lives for minutes; here its memory is a laptop's.
 */
const SURPLUS_MILLIS = 3_000;

export interface LambdaRuntimeOptions {
  readonly functions: readonly LambdaFunction[];
  /** Where functions find every service; asked for at the first invocation, when the port is known. */
  readonly endpointUrl: () => string;
  /** Takes every line functions write to stdout and stderr, metrics in EMF among them. */
  readonly onLog?: (functionName: string, line: string) => void;
  /** Hears of every invocation that has ended. */
  readonly onInvocation?: (invocation: EndedInvocation) => void;
  readonly concurrencyMax?: number;
  /** Default: {@link SURPLUS_MILLIS}. */
  readonly surplusMillis?: number;
}

export interface LogLine {
  readonly timeMs: number;
  readonly text: string;
}

/** An invocation for whoever counts it and keeps its log. */
export interface EndedInvocation {
  readonly lambda: LambdaFunction;
  readonly startMs: number;
  readonly durationMs: number;
  readonly isError: boolean;
  readonly logStream: string;
  /** What Lambda itself says of it among them. */
  readonly lines: readonly LogLine[];
}

export interface LambdaRuntime {
  readonly functions: readonly LambdaFunction[];
  /** @throws AwsError ResourceNotFoundException, RequestTooLargeException; a function's own error is in the answer. */
  invoke(functionName: string, payload: string): Promise<Invocation>;
  /**
   * @param qualifier of the request, beside the one that the name may end in.
   * @throws AwsError ResourceNotFoundException, also for a version or alias that the function does not have.
   */
  find(functionName: string, qualifier?: string): LambdaFunction;
  /** Has every function start anew, as a new version does: environments end after what they are doing. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

/** Runs functions in worker threads, each as Lambda would: one invocation at a time per execution environment. */
export function lambdaRuntime(options: LambdaRuntimeOptions): LambdaRuntime {
  const { functions, endpointUrl, onLog = () => undefined, onInvocation, concurrencyMax = CONCURRENCY_MAX } = options;
  const { surplusMillis = SURPLUS_MILLIS } = options;
  const pools = new Map<string, Pool>();

  function find(reference: string, given?: string): LambdaFunction {
    const { name, qualifier = given } = functionReference(reference);
    const found = functions.find((it) => it.name === name);
    if (found && (qualifier === undefined || qualifier === LATEST || found.aliases?.includes(qualifier))) return found;
    const arn = `${functionArn(name)}${qualifier === undefined ? '' : `:${qualifier}`}`;
    throw new AwsError('ResourceNotFoundException', `Function not found: ${arn}`, 404, { Type: 'User' });
  }

  function poolOf(lambda: LambdaFunction): Pool {
    const pool = pools.get(lambda.name) ?? new Pool(lambda, endpointUrl(), onLog, { concurrencyMax, surplusMillis });
    pools.set(lambda.name, pool);
    return pool;
  }

  return {
    functions,
    find,
    async invoke(functionName, payload) {
      const lambda = find(functionName);
      if (Buffer.byteLength(payload) > PAYLOAD_BYTES_MAX) {
        const message = `Request must be smaller than ${PAYLOAD_BYTES_MAX} bytes for the InvokeFunction operation`;
        throw new AwsError('RequestTooLargeException', message, 413, { Type: 'User' });
      }
      const requestId = randomUUID();
      const { answer, log, startMs, logStream } = await poolOf(lambda).invoke(requestId, payload);
      const failure = failureOf(answer);
      const thrown = failure && 'error' in answer ? `ERROR\tInvoke Error\t${failure}` : undefined;
      if (thrown !== undefined) onLog(lambda.name, thrown);
      const durationMs = Math.max(Date.now() - startMs, 1);
      const lines = executionLog({ lambda, requestId, log, startMs, durationMs, thrown });
      onInvocation?.({ lambda, startMs, durationMs, isError: failure !== undefined, logStream, lines });
      return {
        requestId,
        payload: failure ?? ('payload' in answer ? answer.payload : 'null'),
        functionError: failure === undefined ? undefined : 'Unhandled',
        logTail: Buffer.from(lines.map(({ text }) => `${text}\n`).join(''))
          .subarray(-LOG_TAIL_BYTES)
          .toString('utf8'),
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

/** What a function logged, between the lines by which Lambda says when it began and ended, and what it took. */
function executionLog({
  lambda,
  requestId,
  log,
  startMs,
  durationMs,
  thrown,
}: {
  readonly lambda: LambdaFunction;
  readonly requestId: string;
  readonly log: readonly LogLine[];
  readonly startMs: number;
  readonly durationMs: number;
  readonly thrown: string | undefined;
}): LogLine[] {
  const id = `RequestId: ${requestId}`;
  const duration = `Duration: ${durationMs}.00 ms\tBilled Duration: ${durationMs} ms`;
  const timeMs = startMs + durationMs;
  return [
    { timeMs: startMs, text: `START ${id} Version: ${LATEST}` },
    ...log,
    ...(thrown === undefined ? [] : [{ timeMs, text: thrown }]),
    { timeMs, text: `END ${id}` },
    { timeMs, text: `REPORT ${id}\t${duration}\tMemory Size: ${lambda.memoryMB} MB` },
  ];
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
  log: LogLine[];
  /** Runs from the end of each invocation. */
  idle: NodeJS.Timeout | undefined;
}

/** The execution environments of one function. */
class Pool {
  readonly #lambda: LambdaFunction;
  readonly #endpointUrl: string;
  readonly #onLog: (functionName: string, line: string) => void;
  readonly #surplusMillis: number;
  readonly #slots: Slot[];
  readonly #waiting: ((slot: Slot) => void)[] = [];
  #closed = false;

  constructor(
    lambda: LambdaFunction,
    endpointUrl: string,
    onLog: (functionName: string, line: string) => void,
    { concurrencyMax, surplusMillis }: { readonly concurrencyMax: number; readonly surplusMillis: number },
  ) {
    this.#lambda = lambda;
    this.#endpointUrl = endpointUrl;
    this.#onLog = onLog;
    this.#surplusMillis = surplusMillis;
    this.#slots = Array.from({ length: concurrencyMax }, () => ({
      environment: undefined,
      busy: false,
      stale: false,
      log: [],
      idle: undefined,
    }));
  }

  async invoke(
    requestId: string,
    payload: string,
  ): Promise<{ answer: Answer; log: readonly LogLine[]; startMs: number; logStream: string }> {
    const slot = await this.#take();
    try {
      if (this.#closed) throw new Error(`Function ${this.#lambda.name} was not invoked: the local cloud is stopping`);
      slot.log = [];
      const startMs = Date.now();
      const environment = this.#environmentOf(slot);
      const answer = await environment.invoke(requestId, payload);
      if (slot.stale) await environment.close();
      if (environment.broken || slot.stale) slot.environment = undefined;
      slot.stale = false;
      return { answer, log: slot.log, startMs, logStream: environment.logStream };
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
        slot.log.push({ timeMs: Date.now(), text: line });
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
    clearTimeout(slot.idle);
    slot.busy = true;
    return Promise.resolve(slot);
  }

  #give(slot: Slot): void {
    const next = this.#waiting.shift();
    if (next) {
      next(slot);
      return;
    }
    slot.busy = false;
    slot.idle = setTimeout(() => this.#endSurplus(slot), this.#surplusMillis).unref();
  }

  #endSurplus(slot: Slot): void {
    const idle = this.#slots.filter((it) => it.environment && !it.busy);
    if (this.#closed || idle.length < 2 || !idle.includes(slot)) return;
    void slot.environment?.close();
    slot.environment = undefined;
  }
}
