import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { retrainingDefinition } from '../../../infra/aws/retraining/state-machine.ts';
import { AwsError } from '../../../infra/local/protocol/aws-error.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import type { Call } from '../../../infra/local/protocol/service.ts';
import { stepFunctions } from '../../../infra/local/step-functions/step-functions.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import { trainingPlan } from '../../../shared/training/plan.ts';
import { accounts } from '../../given/builders.ts';
import { retrainEnvironment } from '../../given/retrain-environment.ts';

/**
 * Every Catch and every Choice branch of the deployed state machine, run: the local Step Functions carries the very
 * definition out, against services that answer as documented and fail where a test says.
 */

interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Parameters?: { readonly Payload?: { readonly action: string } } & Readonly<Record<string, unknown>>;
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[];
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Default?: string;
  readonly Retry?: readonly object[];
}
const { States } = retrainingDefinition as { States: Record<string, State> };

const ARN = 'arn:aws:states:us-east-1:000000000000:stateMachine:branches';
const RETRAIN = 'retrain';
const environment = { ...retrainEnvironment, CHANGE_LOG_BUFFER_SECONDS: '0', ENDPOINT_POLL_SECONDS: '1' };
const plan = trainingPlan(accounts, retrainConfig(environment), { epoch: 1, attempt: 1 }, 0);

/** The definition with retries that come at once: how often and how late is not what is tested here. */
function impatient(): object {
  const text = JSON.stringify(retrainingDefinition).replaceAll(/\$\{RetrainFunctionArn\}/g, RETRAIN);
  return JSON.parse(text, (name, value) =>
    name === 'Retry' ? value.map((it: object) => ({ ...it, IntervalSeconds: 1, MaxAttempts: 1 })) : value,
  );
}

/** What the services answer, where a test asks for other than the usual. */
interface World {
  /** Calls that fail, as `service Operation` or `retrain action`, and the error's code. */
  readonly fails?: Readonly<Record<string, string>>;
  /** Part of the request that fails, where several states make the same call. */
  readonly failsFor?: string;
  readonly positives?: number;
  readonly champion?: boolean;
  readonly verdict?: 'promote' | 'refuse';
  readonly staleAlarms?: boolean;
  /** What DescribeEndpoint tells, call by call; the last goes on. Undefined: there is no such endpoint. */
  readonly endpoint?: readonly (readonly [status: string, configuration: string] | undefined)[];
}

const NEW = plan.endpointConfigName;

let machines = 0;
const closers: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
});

/** Runs the state machine in a world, and gives how it ended and which states it came through. */
async function run(world: World) {
  const calls: string[] = [];
  const reopened: { error: string; cause: string }[] = [];
  const call = worldOf(world, calls, reopened);
  const local = stepFunctions({ db: new DatabaseSync(':memory:'), call });
  closers.push(() => local.close());
  machines += 1;
  local.createStateMachine({ name: 'branches', arn: ARN, definition: impatient() });
  const operations = local.service.operations ?? {};
  const invoke = async (operation: string, input: object) => operations[operation]?.(input as never, undefined);
  const { executionArn } = (await invoke('StartExecution', {
    ...{ stateMachineArn: ARN, name: `run-${machines}`, input: JSON.stringify(plan) },
  })) as { executionArn: string };
  for (;;) {
    const found = (await invoke('DescribeExecution', { executionArn })) as { status: string; error?: string };
    if (found.status !== 'RUNNING') return { ...found, calls, reopened: reopened[0] };
    await sleep(25);
  }
}

function worldOf(world: World, calls: string[], reopened: { error: string; cause: string }[]): Call {
  const faults = new Faults();
  for (const [name, code] of Object.entries(world.fails ?? {})) {
    const [service, operation] = name.split(' ') as ['sagemaker', string];
    faults.inject({ service, operation, kind: 'before', code, times: 10 });
  }
  // DescribeEndpoint is asked again before an endpoint is taken for missing.
  const told = [...(world.endpoint ?? [undefined, undefined, ['Creating', NEW], ['InService', NEW]])];
  const answers: Record<string, (input: Record<string, unknown>) => unknown> = {
    StartQueryExecution: () => ({ QueryExecutionId: 'q' }),
    GetQueryExecution: () => ({ QueryExecution: { QueryExecutionId: 'q', Status: { State: 'SUCCEEDED' } } }),
    GetQueryResults: () => ({ ResultSet: { Rows: [{}, { Data: counts(world.positives ?? 50) }] } }),
    DescribeTrainingJob: () => ({
      ...{ TrainingJobName: plan.trainingJobName, TrainingJobStatus: 'Completed' },
      ModelArtifacts: { S3ModelArtifacts: 's3://data/models/model.tar.gz' },
    }),
    DescribeAlarms: () => ({ MetricAlarms: [{ AlarmName: plan.errorAlarmName }, { AlarmName: 'old' }] }),
    DescribeTransformJob: () => ({ TransformJobStatus: 'Completed' }),
    DescribeEndpoint: () => {
      const now = told.length > 1 ? told.shift() : told[0];
      if (!now) throw new AwsError('ValidationException', 'Could not find endpoint');
      return { EndpointStatus: now[0], EndpointConfigName: now[1] };
    },
  };
  const actions: Record<string, (payload: Record<string, unknown>) => object> = {
    champion: () => ({ found: world.champion ?? true, modelName: world.champion === false ? null : 'champion' }),
    judge: () => ({ decision: world.verdict ?? 'promote', reason: 'as the test says', comparison: {} }),
    'clean-up': ({ alarmNames }) => {
      const stale = world.staleAlarms ? (alarmNames as string[]).filter((it) => it === 'old') : [];
      return { alarmNames: stale, alarms: stale.length };
    },
    reopen: (payload) => {
      reopened.push(payload as unknown as { error: string; cause: string });
      return {};
    },
  };
  return (service, operation, input) => {
    if (service !== 'lambda') {
      calls.push(operation);
      const answer = async () => answers[operation]?.(input as never) ?? {};
      const spared = world.failsFor !== undefined && !Object.values(input).includes(world.failsFor);
      return spared ? answer() : faults.apply(service, operation, answer);
    }
    const payload = JSON.parse((input as { Payload: string }).Payload);
    calls.push(`retrain ${payload.action}`);
    return faults.apply('retrain' as 'lambda', payload.action, async () => ({
      ...{ StatusCode: 200, Payload: JSON.stringify(actions[payload.action]?.(payload) ?? {}) },
    }));
  };
}

function counts(positives: number) {
  return [80, 20, positives, 30, 10, 10, 0].map((it) => ({ VarCharValue: String(it) }));
}

/** How a task's call is named in {@link World.fails}. */
function callOf({ Resource = '', Parameters }: State): string {
  const [service = '', action = ''] = Resource.replace(/^arn:aws:states:::(aws-sdk:)?/, '').split(':');
  if (service === 'lambda') return `retrain ${Parameters?.Payload?.action}`;
  const operation = action.replace(/\.sync$/, '');
  return `${service} ${operation.charAt(0).toUpperCase()}${operation.slice(1)}`;
}

/** What tells a task's request from those of other tasks that make the same call. */
function requestOf({ Parameters = {} }: State): { failsFor?: string } {
  const path = Parameters['QueryString.$'] ?? Parameters['TransformJobName.$'] ?? Parameters['AlarmName.$'];
  const value = path === undefined ? undefined : plan[String(path).slice(2) as keyof typeof plan];
  return value === undefined ? {} : { failsFor: String(value) };
}

/** What leads to a task that the usual run does not come through. */
const WAY_TO: Readonly<Record<string, World>> = {
  UpdateEndpoint: {
    endpoint: [
      ['InService', 'old'],
      ['InService', NEW],
    ],
  },
  DeleteFailedEndpoint: {
    endpoint: [
      ['Failed', 'old'],
      ['InService', NEW],
    ],
  },
  RefuseChallenger: { verdict: 'refuse' },
  DeleteStaleAlarms: { staleAlarms: true },
};

/** How many tasks before this one make the same call. */
function callsBefore(name: string, call: string): number {
  const names = caught.filter(([, it]) => it === call).map(([it]) => it);
  return names.indexOf(name);
}

/** States after which the epoch is closed: what fails there fails nothing. */
const AFTER_THE_CLOSE = ['FindAlarms', 'CleanUp', 'DeleteStaleAlarms'];

/** Every Catch of the definition, but those of what the tests below look at by themselves. */
const caught = Object.entries(States)
  .filter(([name, { Catch }]) => Catch && name !== 'DescribeEndpoint' && name !== 'PollEndpoint')
  .map(([name, state]) => [name, callOf(state)] as const);

describe('every Catch', () => {
  let runs: Map<string, ReturnType<typeof run>>;
  beforeAll(() => {
    // All at once: they wait more than they work.
    runs = new Map(
      caught.map(([name, failing]) => {
        const fails = {
          [failing]: 'AccessDeniedException',
          ...(name === 'ReopenEpoch' && { 'retrain judge': 'Broken' }),
        };
        return [name, run({ ...WAY_TO[name], fails, ...requestOf(States[name] ?? { Type: 'Task' }) })];
      }),
    );
  });

  it.each(caught)('of %s, when %s fails, leads where the epoch is not lost', async (name, failing) => {
    const { status, calls, reopened, error } = (await runs.get(name)) ?? (await run({}));
    expect(calls).toContain(failing.startsWith('retrain ') ? failing : failing.split(' ')[1]);
    if (AFTER_THE_CLOSE.includes(name)) {
      expect({ status, reopened }).toEqual({ status: 'SUCCEEDED', reopened: undefined });
    } else if (name === 'ReopenEpoch') {
      expect(status).toBe('FAILED');
    } else {
      expect(status).toBe('FAILED');
      expect(reopened?.error).toBe(error);
      expect(reopened?.cause).toContain('Injected fault');
      const reached = calls.filter((it) => it === (failing.startsWith('retrain ') ? failing : failing.split(' ')[1]));
      expect(reached.length, 'the tasks before it have made their calls').toBeGreaterThanOrEqual(
        callsBefore(name, failing),
      );
    }
  });

  it('of DescribeEndpoint takes an endpoint that is not there to be created', async () => {
    const { status, calls } = await run({});
    expect(status).toBe('SUCCEEDED');
    expect(calls).toContain('CreateEndpoint');
    expect(calls).not.toContain('UpdateEndpoint');
  });

  it('of DescribeEndpoint reopens the epoch when it is another error than that', async () => {
    const { calls, reopened } = await run({ fails: { 'sagemaker DescribeEndpoint': 'ResourceLimitExceeded' } });
    expect(reopened?.error).toBe('SageMaker.ResourceLimitExceededException');
    expect(calls).not.toContain('CreateEndpoint');
  });

  it('of PollEndpoint reopens the epoch when the endpoint has vanished', async () => {
    const { status, reopened } = await run({ endpoint: [['InService', 'old'], undefined] });
    expect(status).toBe('FAILED');
    expect(reopened?.cause).toContain('Could not find endpoint');
  });
});

describe('every branch of a Choice', () => {
  it('CheckCounts: rows of one class are not trained on', async () => {
    const { reopened, calls } = await run({ positives: 0 });
    expect(reopened?.error).toBe('TooFewRows');
    expect(calls).not.toContain('CreateTrainingJob');
  });

  it('HasChampion: with one, both models score; without, the challenger alone', async () => {
    const jobs = async (champion: boolean) =>
      (await run({ champion })).calls.filter((it) => it === 'CreateTransformJob').length;
    expect(await Promise.all([jobs(true), jobs(false)])).toEqual([2, 1]);
  });

  it('IsChallengerBetter: one that is refused changes nothing but the epoch', async () => {
    const { status, calls } = await run({ verdict: 'refuse' });
    expect(status).toBe('SUCCEEDED');
    expect(calls).toContain('retrain refuse');
    expect(
      calls.filter((it) =>
        /EndpointConfig|UpdateEndpoint|CreateEndpoint|MetricAlarm|DeleteAlarms|retrain close/.test(it),
      ),
    ).toEqual([]);
  });

  it('IsEndpointFailed: a failed endpoint is deleted and made anew, any other updated', async () => {
    const failed = await run(WAY_TO.DeleteFailedEndpoint ?? {});
    expect(failed.calls).toEqual(expect.arrayContaining(['DeleteEndpoint', 'CreateEndpoint', 'retrain close']));
    const { calls } = await run(WAY_TO.UpdateEndpoint ?? {});
    expect(calls).toEqual(expect.arrayContaining(['UpdateEndpoint', 'retrain close']));
    expect(calls).not.toContain('DeleteEndpoint');
  });

  it.each(['Creating', 'Updating', 'SystemUpdating', 'RollingBack'])(
    'CheckEndpoint: waits while it is %s',
    async (it) => {
      const { status, calls } = await run({
        endpoint: [
          ['InService', 'old'],
          [it, 'old'],
          ['InService', NEW],
        ],
      });
      expect(status).toBe('SUCCEEDED');
      expect(calls.filter((call) => call === 'DescribeEndpoint')).toHaveLength(3);
    },
  );

  it('CheckEndpoint: in service with the old configuration is a rollback', async () => {
    const { reopened } = await run({
      endpoint: [
        ['InService', 'old'],
        ['Updating', 'old'],
        ['InService', 'old'],
      ],
    });
    expect(reopened?.error).toBe('DeploymentRolledBack');
    expect(reopened?.cause).toContain(plan.errorAlarmName);
  });

  it.each(['Failed', 'OutOfService', 'UpdateRollbackFailed'])('CheckEndpoint: gives up when it is %s', async (it) => {
    const { reopened } = await run({
      endpoint: [
        ['InService', 'old'],
        [it, 'old'],
      ],
    });
    expect(reopened?.error).toBe('EndpointNotReplaced');
  });

  it('no alarm is made before its configuration, so that one without is known to be left over', async () => {
    const { calls } = await run({});
    const made = calls.filter((it) => /^(CreateEndpointConfig|PutMetricAlarm)$/.test(it));
    expect(made).toEqual(['CreateEndpointConfig', 'PutMetricAlarm', 'PutMetricAlarm']);
  });

  it('HasStaleAlarms: alarms of removed configurations are deleted, if there are any', async () => {
    expect((await run({ staleAlarms: true })).calls).toContain('DeleteAlarms');
    expect((await run({})).calls).not.toContain('DeleteAlarms');
  });

  it('has a test for each Choice there is', () => {
    const choices = Object.entries(States).flatMap(([name, { Type }]) => (Type === 'Choice' ? [name] : []));
    expect(choices.sort()).toEqual([
      ...['CheckCounts', 'CheckEndpoint', 'HasChampion', 'HasStaleAlarms', 'IsChallengerBetter', 'IsEndpointFailed'],
    ]);
  });
});
