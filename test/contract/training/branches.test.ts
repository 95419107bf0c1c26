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

/** What FailAttempt is told. */
interface Failed {
  readonly Error: string;
  readonly Cause: string;
}

/** What the services answer, where a test asks for other than the usual. */
interface World {
  /** Calls that fail, as `service Operation` or `retrain action`, and the error's code. */
  readonly fails?: Readonly<Record<string, string>>;
  /** Part of the request that fails, where several states make the same call. */
  readonly failsFor?: string;
  readonly examined?: 'known' | 'too-few-rows';
  readonly trainingStatus?: 'Stopped';
  readonly approvalSeconds?: number;
  readonly approval?: 'stopped';
  readonly rollout?: 'update' | 'recreate' | 'stopped';
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
  const failed: Failed[] = [];
  const call = worldOf(world, calls, failed);
  const local = stepFunctions({ db: new DatabaseSync(':memory:'), call });
  closers.push(() => local.close());
  machines += 1;
  local.createStateMachine({ name: 'branches', arn: ARN, definition: impatient() });
  const operations = local.service.operations ?? {};
  const invoke = async (operation: string, input: object) => operations[operation]?.(input as never, undefined);
  const { executionArn } = (await invoke('StartExecution', {
    ...{
      stateMachineArn: ARN,
      name: `run-${machines}`,
      input: JSON.stringify({ ...plan, approvalSeconds: world.approvalSeconds ?? 0 }),
    },
  })) as { executionArn: string };
  for (;;) {
    const found = (await invoke('DescribeExecution', { executionArn })) as { status: string; error?: string };
    if (found.status !== 'RUNNING') return { ...found, calls, failed: failed[0] };
    await sleep(25);
  }
}

function worldOf(world: World, calls: string[], failed: Failed[]): Call {
  const faults = new Faults();
  for (const [name, code] of Object.entries(world.fails ?? {})) {
    const [service, operation] = name.split(' ') as ['sagemaker', string];
    faults.inject({ service, operation, kind: 'before', code, times: 10 });
  }
  const told = [...(world.endpoint ?? [['Creating', NEW] as const, ['InService', NEW] as const])];
  const answers: Record<string, (input: Record<string, unknown>) => unknown> = {
    StartQueryExecution: () => ({ QueryExecutionId: 'q' }),
    GetQueryExecution: () => ({ QueryExecution: { QueryExecutionId: 'q', Status: { State: 'SUCCEEDED' } } }),
    GetQueryResults: () => ({ ResultSet: { Rows: [{}, { Data: COUNTS }] } }),
    DescribeTrainingJob: () => ({
      ...{ TrainingJobName: plan.trainingJobName, TrainingJobStatus: world.trainingStatus ?? 'Completed' },
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
    champion: () => ({
      ...{ found: world.champion ?? true, modelName: world.champion === false ? null : 'champion' },
      ...{ contentType: 'text/csv', incumbent: {} },
    }),
    judge: () => ({ decision: world.verdict ?? 'promote', reason: 'as the test says', comparison: {} }),
    'clean-up': ({ alarms }) => {
      const stale = world.staleAlarms
        ? (alarms as { AlarmName: string }[]).map((it) => it.AlarmName).filter((it) => it === 'old')
        : [];
      return { alarmNames: stale, alarms: stale.length };
    },
    fail: ({ run }) => {
      failed.push((run as { failure: Failed }).failure);
      return {};
    },
    examine: () => ({ decision: world.examined ?? 'worth-training', reason: 'as the test says' }),
    approval: () => ({ state: world.approval ?? 'approved', reason: 'a person said so' }),
    rollout: () => ({
      ...{ state: world.rollout ?? 'create', instanceCount: 2, retain: false, deploymentConfig: {} },
      ...{ probe: world.rollout !== 'update', reason: 'as the test says' },
    }),
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

const COUNTS = [80, 50, 30, 20, 10, 10, 10, 5, 5, 0, 123, 456].map((it) => ({ VarCharValue: String(it) }));

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
  AskForApproval: { approvalSeconds: 1 },
  UpdateEndpoint: { rollout: 'update' },
  DeleteFailedEndpoint: { rollout: 'recreate' },
  RefuseChallenger: { verdict: 'refuse' },
  DeleteStaleAlarms: { staleAlarms: true },
};

/** How many tasks before this one make the same call. */
function callsBefore(name: string, call: string): number {
  const names = caught.filter(([, it]) => it === call).map(([it]) => it);
  return names.indexOf(name);
}

/** States in which the attempt is over: what fails there fails nothing. */
const AFTERWARDS = ['FindAlarms', 'CleanUp', 'DeleteStaleAlarms', 'ConsiderNext'];

/** Every Catch of the definition, but those of what the tests below look at by themselves. */
const caught = Object.entries(States)
  .filter(([name, { Catch }]) => Catch && name !== 'PollEndpoint')
  .map(([name, state]) => [name, callOf(state)] as const);

describe('every Catch', () => {
  let runs: Map<string, ReturnType<typeof run>>;
  beforeAll(() => {
    // All at once: they wait more than they work.
    runs = new Map(
      caught.map(([name, failing]) => {
        const fails = {
          [failing]: 'AccessDeniedException',
          ...(name === 'FailAttempt' && { 'retrain judge': 'Broken' }),
        };
        return [name, run({ ...WAY_TO[name], fails, ...requestOf(States[name] ?? { Type: 'Task' }) })];
      }),
    );
  });

  it.each(caught)('of %s, when %s fails, leads where the epoch is not lost', async (name, failing) => {
    const { status, calls, failed, error } = (await runs.get(name)) ?? (await run({}));
    const call = failing.startsWith('retrain ') ? failing : failing.split(' ')[1];
    expect(calls).toContain(call);
    if (AFTERWARDS.includes(name)) {
      expect({ status, failed }).toEqual({ status: 'SUCCEEDED', failed: undefined });
    } else if (name === 'FailAttempt') {
      expect(status).toBe('FAILED');
    } else {
      expect(status).toBe('FAILED');
      expect(failed?.Error).toBe(error);
      expect(failed?.Cause).toContain('Injected fault');
      expect(calls, 'it is cleaned up after a failure too').toContain('retrain clean-up');
      const reached = calls.filter((it) => it === call);
      expect(reached.length, 'the tasks before it have made their calls').toBeGreaterThanOrEqual(
        callsBefore(name, failing),
      );
    }
  });

  it('of PollEndpoint fails the attempt when the endpoint has vanished', async () => {
    const { status, failed } = await run({ endpoint: [undefined] });
    expect(status).toBe('FAILED');
    expect(failed?.Cause).toContain('Could not find endpoint');
  });
});

describe('every branch of a Choice', () => {
  it('IsWorthTraining: too few rows are not trained on, and a known set ends the epoch without a failure', async () => {
    const few = await run({ examined: 'too-few-rows' });
    expect(few.failed).toEqual({ Error: 'TooFewRows', Cause: 'as the test says' });
    const known = await run({ examined: 'known' });
    expect({ status: known.status, failed: known.failed }).toEqual({ status: 'SUCCEEDED', failed: undefined });
    for (const { calls } of [few, known]) expect(calls).not.toContain('CreateTrainingJob');
  });

  it('IsTrained: a job that was stopped is no model', async () => {
    // By what Step Functions makes of it, or by this choice: its guide says nothing of stopped jobs.
    const { failed, calls } = await run({ trainingStatus: 'Stopped' });
    expect(failed).toBeDefined();
    expect(calls).not.toContain('CreateModel');
  });

  it('IsApprovalNeeded, IsApproved: a person is asked only where that is wanted, and heard', async () => {
    expect((await run({})).calls).not.toContain('retrain approval');
    expect((await run({ approvalSeconds: 60 })).calls).toEqual(
      expect.arrayContaining(['retrain approval', 'retrain close']),
    );
    const { calls } = await run({ approvalSeconds: 60, approval: 'stopped' });
    expect(calls).toContain('retrain refuse');
    expect(calls).not.toContain('retrain rollout');
  });

  it('IsGoingAhead: a loop that was paused meanwhile deploys nothing', async () => {
    const { status, calls } = await run({ rollout: 'stopped' });
    expect(status).toBe('SUCCEEDED');
    expect(calls).toContain('retrain refuse');
    expect(calls).not.toContain('CreateEndpointConfig');
  });

  it('IsProbeNeeded: an endpoint that nobody asks yet is probed before it serves', async () => {
    const { calls } = await run({});
    expect(calls.indexOf('retrain probe')).toBeLessThan(calls.indexOf('retrain close'));
    expect(calls).toContain('retrain probe');
    expect((await run({ rollout: 'update' })).calls).not.toContain('retrain probe');
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

  it('HowToDeploy: a failed endpoint is deleted and made anew, one that serves updated, any other made', async () => {
    const failed = await run({ rollout: 'recreate' });
    expect(failed.calls).toEqual(expect.arrayContaining(['DeleteEndpoint', 'CreateEndpoint', 'retrain close']));
    const { calls } = await run({ rollout: 'update' });
    expect(calls).toEqual(expect.arrayContaining(['UpdateEndpoint', 'retrain close']));
    expect(calls).not.toContain('DeleteEndpoint');
    expect((await run({})).calls).toContain('CreateEndpoint');
  });

  it('HasFailed: the next training is considered at once when this one is over, and not when it failed', async () => {
    expect((await run({})).calls).toContain('retrain undefined');
    expect((await run({ trainingStatus: 'Stopped' })).calls).not.toContain('retrain undefined');
  });

  it.each(['Creating', 'Updating', 'SystemUpdating', 'RollingBack'])(
    'CheckEndpoint: waits while it is %s',
    async (it) => {
      const { status, calls } = await run({
        endpoint: [
          [it, 'old'],
          ['InService', NEW],
        ],
      });
      expect(status).toBe('SUCCEEDED');
      expect(calls.filter((call) => call === 'DescribeEndpoint')).toHaveLength(2);
    },
  );

  it('CheckEndpoint: in service with the old configuration is a rollback', async () => {
    const { failed } = await run({
      endpoint: [
        ['Updating', 'old'],
        ['InService', 'old'],
      ],
    });
    expect(failed?.Error).toBe('DeploymentRolledBack');
    expect(failed?.Cause).toContain(plan.errorAlarmName);
  });

  it.each(['Failed', 'OutOfService', 'UpdateRollbackFailed'])('CheckEndpoint: gives up when it is %s', async (it) => {
    const { failed } = await run({ endpoint: [[it, 'old']] });
    expect(failed?.Error).toBe('EndpointNotReplaced');
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
      ...[
        'CheckEndpoint',
        'HasChampion',
        'HasFailed',
        'HasStaleAlarms',
        'HowToDeploy',
        'IsApprovalNeeded',
        'IsApproved',
      ],
      ...['IsChallengerBetter', 'IsGoingAhead', 'IsProbeNeeded', 'IsTrained', 'IsWorthTraining'],
    ]);
  });
});
