import { setTimeout as sleep } from 'node:timers/promises';
import { AwsError } from '../protocol/aws-error.ts';
import type { Call } from '../protocol/service.ts';
import { carryOutJsonToString } from './definition.ts';
import type { Integration } from './integration.ts';
import { TaskError, taskErrorOf } from './task-error.ts';

/** Largest input or result of a state, in bytes. Source: Step Functions quotas, 256 KiB. */
export const PAYLOAD_BYTES_MAX = 262_144;

/** How often a job that a task waits for is looked at, in milliseconds. */
const POLL_MS = 200;

/** How a job is started, looked at, judged and stopped. */
interface Job {
  readonly look: { readonly operation: string; readonly input: (started: Answer, request: Answer) => object };
  readonly state: (description: Answer) => string;
  readonly stop: string;
}

type Answer = Readonly<Record<string, unknown>>;

const JOBS: Readonly<Record<string, Job>> = {
  StartQueryExecution: {
    look: {
      operation: 'GetQueryExecution',
      input: (started) => ({ QueryExecutionId: started.QueryExecutionId }),
    },
    state: (it) => String(((it.QueryExecution as Answer).Status as Answer).State).toUpperCase(),
    stop: 'StopQueryExecution',
  },
  CreateTrainingJob: {
    look: {
      operation: 'DescribeTrainingJob',
      input: (_, request) => ({ TrainingJobName: request.TrainingJobName }),
    },
    state: (it) => String(it.TrainingJobStatus).toUpperCase(),
    stop: 'StopTrainingJob',
  },
  CreateTransformJob: {
    look: {
      operation: 'DescribeTransformJob',
      input: (_, request) => ({ TransformJobName: request.TransformJobName }),
    },
    state: (it) => String(it.TransformJobStatus).toUpperCase(),
    stop: 'StopTransformJob',
  },
};

const SUCCEEDED = ['SUCCEEDED', 'COMPLETED'];
const FAILED = ['FAILED', 'CANCELLED', 'STOPPED'];

/** Reason of an abort that leaves jobs alone: the cloud itself is stopping. */
export const CLOUD_CLOSED = 'cloud closed';

/**
 * Carries out a task, given its parameters, and gives its result.
 *
 * `signal` ends the waiting for a job, and stops the job, as Step Functions does when an execution is stopped or a
 * task has timed out; with {@link CLOUD_CLOSED} as its reason it only ends the waiting.
 *
 * @throws TaskError by the name that Step Functions gives the failure.
 */
export async function runTask(integration: Integration, parameters: unknown, call: Call, signal: AbortSignal) {
  const input = carryOutJsonToString(parameters) as Answer;
  const send: Send = async (operation, request) => (await call(integration.service, operation, request)) as Answer;
  const answer =
    integration.service === 'lambda'
      ? await invokeFunction(integration, input, send)
      : await callService(integration, input, send, signal);
  const text = JSON.stringify(answer ?? {});
  checkResult(`${integration.resourceType}:${integration.resource}`, text);
  return JSON.parse(text);
}

/** @throws TaskError States.DataLimitExceeded for a result that is too large to be handed on. */
export function checkResult(of: string, text: string): void {
  if (Buffer.byteLength(text) <= PAYLOAD_BYTES_MAX) return;
  throw new TaskError(
    'States.DataLimitExceeded',
    `The state/task '${of}' returned a result with a size exceeding the maximum number of bytes service limit.`,
    false,
  );
}

/** Calls an operation of the task's service. */
type Send = (operation: string, input: object) => Promise<Answer>;

async function callService(integration: Integration, input: Answer, send: Send, signal: AbortSignal): Promise<unknown> {
  const { service, operation, sync, kind } = integration;
  const started = await send(operation, input).catch((error) => {
    throw taskErrorOf(integration, error);
  });
  const job = sync ? JOBS[operation] : undefined;
  const answer = job
    ? await finished(integration, job, { handle: job.look.input(started, input), send, signal })
    : started;
  // An item's attributes are the user's own, whatever their names end with.
  return service === 'dynamodb' ? answer : withTimes(answer, kind);
}

async function finished(
  integration: Integration,
  job: Job,
  { handle, send, signal }: { handle: object; send: Send; signal: AbortSignal },
): Promise<Answer> {
  for (;;) {
    const description = await lookAt(integration, job, handle, send);
    const state = description && job.state(description);
    if (description && state !== undefined && SUCCEEDED.includes(state)) return description;
    if (state !== undefined && FAILED.includes(state)) {
      throw new TaskError('States.TaskFailed', JSON.stringify(withTimes(description, integration.kind)));
    }
    if (signal.aborted) {
      // The best effort that AWS promises: nobody is left to hear that stopping failed.
      if (signal.reason !== CLOUD_CLOSED) await send(job.stop, handle).catch(() => undefined);
      throw new TaskError('States.Timeout', 'The task was ended before its job was done');
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** A job's description; undefined when the look was throttled or its answer lost, since looking again cures both. */
async function lookAt(integration: Integration, job: Job, handle: object, send: Send): Promise<Answer | undefined> {
  try {
    return await send(job.look.operation, handle);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code.startsWith('Throttling')) return undefined;
    throw taskErrorOf(integration, error);
  }
}

/** lambda:invoke. An error of the function fails the task by the error's own type. */
async function invokeFunction(integration: Integration, input: Answer, send: Send): Promise<object> {
  const request = { ...input, Payload: JSON.stringify(input.Payload ?? {}) };
  const answer = await send('Invoke', request).catch((error) => {
    throw taskErrorOf(integration, error);
  });
  const payload: unknown = answer.Payload ? JSON.parse(String(answer.Payload)) : null;
  if (answer.FunctionError !== undefined) {
    const { errorType } = (payload ?? {}) as { errorType?: string };
    throw new TaskError(errorType ?? 'Lambda.Unknown', JSON.stringify(payload));
  }
  return { ExecutedVersion: '$LATEST', Payload: payload, StatusCode: answer.StatusCode };
}

/**
 * Services write times as epoch seconds. Optimized integrations hand them on as epoch milliseconds, AWS SDK
 * integrations as ISO 8601 text. A time is told by the name of its field (`CreationTime`, `SubmissionDateTime`,
 * `Timestamp`).
 */
function withTimes(value: unknown, kind: Integration['kind']): unknown {
  if (Array.isArray(value)) return value.map((it) => withTimes(it, kind));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([name, inner]) => {
    if (typeof inner !== 'number' || !/(Time|Timestamp)$/.test(name)) return [name, withTimes(inner, kind)];
    const milliseconds = Math.round(inner * 1000);
    return [name, kind === 'optimized' ? milliseconds : new Date(milliseconds).toISOString()];
  });
  return Object.fromEntries(entries);
}
