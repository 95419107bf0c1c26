import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { retrainingDefinition } from '../../../infra/aws/retraining/state-machine.ts';
import { AwsError } from '../../../infra/local/protocol/aws-error.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import type { Call } from '../../../infra/local/protocol/service.ts';
import { stepFunctions } from '../../../infra/local/step-functions/step-functions.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import { rowsOfOneSchema, rowsOfTwoSchemas } from '../../../shared/promotion/judge-rows.ts';
import { trainingPlan } from '../../../shared/training/plan.ts';
import { accounts } from '../builders.ts';
import { retrainEnvironment } from '../retrain-environment.ts';

/**
 * The deployed state machine, run: the local Step Functions carries the very definition out, against services that
 * answer as documented and fail where a test says.
 */

export interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Parameters?: { readonly Payload?: { readonly action: string } } & Readonly<Record<string, unknown>>;
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[];
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Default?: string;
  readonly Retry?: readonly object[];
}
export const { States } = retrainingDefinition as { States: Record<string, State> };

const ARN = 'arn:aws:states:us-east-1:000000000000:stateMachine:branches';
const RETRAIN = 'retrain';
const config = retrainConfig({ ...retrainEnvironment, CHANGE_LOG_BUFFER_SECONDS: '0' });
/** A plan whose endpoint is looked at again at once. */
export const plan = {
  ...trainingPlan(accounts, config, { epoch: 1, attempt: 1 }, 0),
  endpointPollSeconds: 0,
};

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
export interface World {
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
  readonly leader?: boolean;
  /** Whether what serves is of another schema, and rows are to be written for both. */
  readonly shared?: boolean;
  readonly verdict?: 'promote' | 'refuse';
  readonly staleAlarms?: boolean;
  /** What DescribeEndpoint tells, call by call; the last goes on. Undefined: there is no such endpoint. */
  readonly endpoint?: readonly (readonly [status: string, configuration: string] | undefined)[];
}

export const NEW = plan.endpointConfigName;

/** What writes the rows to judge by for two schemas, in such a world. */
export const SHARED_QUERY = 'UNLOAD of rows in two schemas';

let machines = 0;

/** Runs the state machine in a world, and gives how it ended and which states it came through. */
export async function run(world: World) {
  const calls: string[] = [];
  const failed: Failed[] = [];
  const call = worldOf(world, calls, failed);
  const local = stepFunctions({ db: new DatabaseSync(':memory:'), call });
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
    if (found.status !== 'RUNNING') {
      await local.close();
      return { ...found, calls, failed: failed[0] };
    }
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
    GetQueryExecution: () => ({
      QueryExecution: {
        ...{ QueryExecutionId: 'q', Status: { State: 'SUCCEEDED' } },
        Statistics: { DataScannedInBytes: 1_000 },
      },
    }),
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
      leader: { found: world.leader ?? false, modelName: world.leader ? 'best' : null, contentType: 'text/csv' },
      rows: world.shared
        ? rowsOfTwoSchemas('s3://data/shared/', { challenger: 3, champion: 2 })
        : rowsOfOneSchema(plan.judgeUri),
      query: world.shared ? SHARED_QUERY : null,
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

/** What leads to a task that the usual run does not come through. */
export const WAY_TO: Readonly<Record<string, World>> = {
  AskForApproval: { approvalSeconds: 1 },
  ScoreLeader: { leader: true },
  BuildSharedRows: { shared: true },
  UpdateEndpoint: { rollout: 'update' },
  DeleteFailedEndpoint: { rollout: 'recreate' },
  RefuseChallenger: { verdict: 'refuse' },
  DeleteStaleAlarms: { staleAlarms: true },
};
