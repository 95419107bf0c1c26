import { Worker } from 'node:worker_threads';
import { ACCOUNT, REGION } from '../protocol/arn.ts';
import {
  functionArn,
  type InvokeMessage,
  type LambdaError,
  type LambdaFunction,
  type WorkerData,
  type WorkerMessage,
} from './function.ts';

/** Longest a function's module may take to load, in milliseconds. Lambda allows 10 s; a busy laptop needs more. */
const INIT_MILLIS_MAX = 60_000;

/** Young heap of a function's thread. Lambda's runtime gives more; here up to four threads a function share a laptop. */
const YOUNG_MB = 8;

export type Answer = { readonly payload: string } | { readonly error: LambdaError };

/**
 * One Lambda execution environment: a worker thread that has loaded the handler and takes one invocation at a time.
 * It cannot be used any more once it is `broken`.
 */
export class ExecutionEnvironment {
  readonly logStream: string;
  readonly #function: LambdaFunction;
  readonly #worker: Worker;
  readonly #onLine: (line: string) => void;
  readonly #ready: Promise<Answer | undefined>;
  #settle: ((answer: Answer | 'ready' | undefined) => void) | undefined;
  #unfinishedLine = '';
  #broken = false;

  constructor(lambda: LambdaFunction, endpointUrl: string, onLine: (line: string) => void) {
    this.#function = lambda;
    this.#onLine = onLine;
    this.logStream = `${new Date().toISOString().slice(0, 10).replaceAll('-', '/')}/[$LATEST]${crypto.randomUUID().replaceAll('-', '')}`;
    const workerData: WorkerData = {
      handlerFile: lambda.handlerFile,
      exportName: lambda.exportName,
      context: {
        functionName: lambda.name,
        functionVersion: '$LATEST',
        invokedFunctionArn: functionArn(lambda.name),
        memoryLimitInMB: String(lambda.memoryMB),
        logGroupName: `/aws/lambda/${lambda.name}`,
        logStreamName: this.logStream,
      },
    };
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData,
      env: environmentOf(lambda, endpointUrl, this.logStream),
      // The flags of the process (a test runner's, say) are not the function's.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: lambda.memoryMB, maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker.on('message', (message: WorkerMessage) => this.#take(message));
    this.#worker.on('error', (error: Error & { code?: string }) => this.#break(fatal(error)));
    this.#worker.on('exit', (code) =>
      this.#break({ errorType: 'Runtime.ExitError', errorMessage: `Runtime exited with error: exit status ${code}` }),
    );
    this.#ready = this.#answer(INIT_MILLIS_MAX).then((answer) => {
      if (answer === 'ready') return undefined;
      this.#broken = true;
      return answer ?? { error: timedOut('Init', INIT_MILLIS_MAX / 1_000) };
    });
  }

  get broken(): boolean {
    return this.#broken;
  }

  /** Runs one invocation. It always answers: with the result, the function's error, or what became of its environment. */
  async invoke(requestId: string, payload: string): Promise<Answer> {
    const failedInit = await this.#ready;
    if (failedInit) {
      await this.close();
      return failedInit;
    }
    const millis = this.#function.timeoutSeconds * 1_000;
    const answered = this.#answer(millis);
    this.#worker.postMessage({ requestId, payload, deadline: Date.now() + millis } satisfies InvokeMessage);
    const answer = await answered;
    this.#flush();
    if (answer && answer !== 'ready') return answer;
    await this.close();
    return { error: timedOut('Task', this.#function.timeoutSeconds, requestId) };
  }

  async close(): Promise<void> {
    this.#broken = true;
    await this.#worker.terminate();
  }

  /** The worker's next answer; undefined when it does not come in time. */
  #answer(millis: number): Promise<Answer | 'ready' | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle?.(undefined), millis);
      this.#settle = (answer) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(answer);
      };
    });
  }

  #take(message: WorkerMessage): void {
    if (message.kind === 'log') this.#log(message.text);
    else if (message.kind === 'ready') this.#settle?.('ready');
    else if (message.kind === 'result') this.#settle?.({ payload: message.payload });
    else this.#settle?.({ error: message.error });
  }

  #break(error: LambdaError): void {
    this.#broken = true;
    this.#settle?.({ error });
  }

  #log(text: string): void {
    const lines = (this.#unfinishedLine + text).split('\n');
    this.#unfinishedLine = lines.pop() ?? '';
    for (const line of lines) this.#onLine(line);
  }

  #flush(): void {
    if (this.#unfinishedLine) this.#onLine(this.#unfinishedLine);
    this.#unfinishedLine = '';
  }
}

/** Only what is configured, and what Lambda sets itself: nothing of this process gets through. */
function environmentOf(lambda: LambdaFunction, endpointUrl: string, logStream: string): Record<string, string> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    TZ: ':UTC',
    LANG: 'en_US.UTF-8',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCOUNT_ID: ACCOUNT,
    AWS_ACCESS_KEY_ID: lambda.accessKeyId ?? 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL: endpointUrl,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: lambda.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(lambda.memoryMB),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${lambda.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    ...lambda.environment,
    // The only thing of this process that gets through: with what Node has compiled, functions start faster.
    ...(process.env.NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
  };
}

function timedOut(phase: 'Init' | 'Task', seconds: number, requestId?: string): LambdaError {
  const of = requestId ? `RequestId: ${requestId} Error: ` : '';
  return { errorType: 'Sandbox.Timedout', errorMessage: `${of}${phase} timed out after ${seconds.toFixed(2)} seconds` };
}

function fatal(error: Error & { code?: string }): LambdaError {
  return error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? { errorType: 'Runtime.OutOfMemory', errorMessage: 'Error: Runtime exited with error: signal: killed' }
    : { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}
