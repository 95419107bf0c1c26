import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { ExecutionAlreadyExists, type SFNClient, type StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { retrain } from '../../../functions/retrain.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import { beginBackfill, endBackfill } from '../../../shared/state/backfill/run.ts';
import { readEpochState } from '../../../shared/state/epochs.ts';
import type { RetrainDependencies } from '../../../shared/training/actions.ts';
import { accounts } from '../../given/builders.ts';
import { retrainEnvironment } from '../../given/retrain-environment.ts';
import { addLabels } from '../../given/retraining/labels.ts';
import { noFleets } from '../../given/retraining/no-fleets.ts';
import { stateTable } from '../../given/state-table.ts';

const NOW = Date.UTC(2026, 0, 15);

/** Step Functions' documented answers to StartExecution. */
class Executions {
  readonly #inputs = new Map<string, string>();
  readonly #ended = new Set<string>();
  starts = 0;
  failNext = false;

  readonly client = { send: (command: StartExecutionCommand) => this.#start(command) } as unknown as SFNClient;

  end(name: string): void {
    this.#ended.add(name);
  }

  get names(): string[] {
    return [...this.#inputs.keys()];
  }

  inputOf(name: string) {
    return JSON.parse(this.#inputs.get(name) ?? '');
  }

  async #start({ input: { name = '', input = '', stateMachineArn = '' } }: StartExecutionCommand) {
    // Snapshots have tests of their own.
    if (stateMachineArn.endsWith(':snapshot')) return {};
    this.starts += 1;
    if (this.failNext) {
      this.failNext = false;
      throw new Error('connection lost');
    }
    const known = this.#inputs.get(name);
    if (known !== undefined && (known !== input || this.#ended.has(name))) {
      throw new ExecutionAlreadyExists({ message: name, $metadata: {} });
    }
    this.#inputs.set(name, input);
    return {};
  }
}

let state: Awaited<ReturnType<typeof stateTable>>;
let executions: Executions;
let now: number;
let dependencies: RetrainDependencies;

beforeEach(async () => {
  state = await stateTable();
  executions = new Executions();
  now = NOW;
  dependencies = {
    options: retrainConfig({ ...retrainEnvironment, LABELS_THRESHOLD: '6', LABELS_PER_CLASS_MIN: '2' }),
    group: accounts,
    table: state,
    sfn: executions.client,
    s3: new S3Client({ region: 'us-east-1' }),
    ...noFleets,
    runtime: new SageMakerRuntimeClient({ region: 'us-east-1' }),
    now: () => now,
  };
});
afterEach(() => state.close());

const schedule = () => retrain({ source: 'aws.events' }, dependencies);
const epochState = () => readEpochState(state);

/** The event of the state machine's CloseEpoch for an execution. */
const closeEvent = (name: string) => {
  const plan = executions.inputOf(name);
  return {
    action: 'close',
    epoch: plan.epoch,
    attempt: plan.attempt,
    plan,
    training: {
      TrainingJobName: plan.trainingJobName,
      FinalMetricDataList: [{ MetricName: 'validation:roc_auc_score', Value: 0.78, Timestamp: 1 }],
      ModelArtifacts: { S3ModelArtifacts: 's3://data/models/model.tar.gz' },
    },
    counted: { counts: { trainRows: 5, validationRows: 1, judgeRows: 1 }, rowsHash: '1-2' },
    verdict: { decision: 'promote', reason: 'better', comparison: { metric: 'auc', rows: 1 } },
  };
};

/** The event of the state machine's FailAttempt. */
const failEvent = (name: string, error = 'States.Timeout', cause = 'slow', more: object = {}) => ({
  action: 'fail',
  run: { ...executions.inputOf(name), ...more, failure: { Error: error, Cause: cause } },
});

describe('retrain', () => {
  test('waits, starting nothing, until the threshold is reached', async () => {
    await addLabels(state, 5, 'a');
    expect(await schedule()).toMatchObject({ decision: 'wait' });
    expect(executions.starts).toBe(0);
  });

  test('waits while a backfill is under way, and decides when it has ended', async () => {
    await addLabels(state, 6, 'a');
    await beginBackfill(state, { runId: 'r', sinceMs: 1, sources: '', definition: '' }, 1);
    expect(await schedule()).toMatchObject({ decision: 'wait', reason: expect.stringContaining('backfill') });
    await endBackfill(state, 'r', 'done', 2);
    expect(await schedule()).toMatchObject({ decision: 'train' });
    expect(executions.starts).toBe(1);
  });

  test('claims the epoch and starts its execution at the threshold', async () => {
    await addLabels(state, 6, 'a');
    expect(await schedule()).toMatchObject({ decision: 'train', epoch: 1, attempt: 1 });
    expect(executions.names).toEqual(['accounts-epoch-1-attempt-1']);
    expect(executions.inputOf('accounts-epoch-1-attempt-1')).toMatchObject({ featureGroup: 'accounts', epoch: 1 });
    expect((await epochState()).epoch).toBe(2);
  });

  test('starts one execution when invoked many times at once', async () => {
    await addLabels(state, 6, 'a');
    await Promise.all(Array.from({ length: 8 }, schedule));
    expect(executions.names).toHaveLength(1);
    expect(await epochState()).toMatchObject({ epoch: 2, training: { epoch: 1, attempt: 1 } });
  });

  test('starts the claimed training again, byte for byte, when the first start was lost', async () => {
    await addLabels(state, 6, 'a');
    executions.failNext = true;
    await expect(schedule()).rejects.toThrow('connection lost');
    const claimed = (await epochState()).training;
    now += 60_000;
    expect(await schedule()).toMatchObject({ decision: 'resume' });
    expect(JSON.stringify(executions.inputOf('accounts-epoch-1-attempt-1'))).toBe(claimed?.input);
  });

  test('leaves a running training alone and counts later labels towards the next', async () => {
    await addLabels(state, 6, 'a');
    await schedule();
    await addLabels(state, 6, 'b');
    expect(await schedule()).toMatchObject({ decision: 'resume' });
    expect(executions.names).toHaveLength(1);
    await retrain(closeEvent('accounts-epoch-1-attempt-1'), dependencies);
    expect(await schedule()).toMatchObject({ decision: 'wait' });
    now += 3_600_000;
    expect(await schedule()).toMatchObject({ decision: 'train', epoch: 2 });
  });

  test('reopens an epoch whose execution died, and trains it again after the pause', async () => {
    await addLabels(state, 6, 'a');
    await schedule();
    executions.end('accounts-epoch-1-attempt-1');
    expect(await schedule()).toMatchObject({ decision: 'reopen', changed: true });
    expect(await schedule()).toMatchObject({ decision: 'wait' });
    now += 60_000;
    expect(await schedule()).toMatchObject({ decision: 'train', epoch: 1, attempt: 2 });
    expect(executions.names).toEqual(['accounts-epoch-1-attempt-1', 'accounts-epoch-1-attempt-2']);
  });

  test('closes and reopens an epoch as the state machine says, any number of times', async () => {
    await addLabels(state, 6, 'a');
    await schedule();
    const failure = failEvent('accounts-epoch-1-attempt-1');
    expect(await retrain(failure, dependencies)).toMatchObject({ decision: 'reopen', changed: true });
    expect(await retrain(failure, dependencies)).toMatchObject({ decision: 'reopen', changed: false });
    now += 60_000;
    await schedule();
    const closing = closeEvent('accounts-epoch-1-attempt-2');
    expect(await retrain(closing, dependencies)).toMatchObject({ decision: 'close', changed: true });
    expect(await retrain(closing, dependencies)).toMatchObject({ decision: 'close', changed: false });
    expect(await epochState()).toMatchObject({ epoch: 2, lastTraining: { epoch: 1, attempt: 2 } });
  });

  test('builds each training upon the newest finished snapshot, whatever became of its training', async () => {
    await addLabels(state, 6, 'a');
    await schedule();
    const { snapshot } = executions.inputOf('accounts-epoch-1-attempt-1');
    expect(snapshot).toMatchObject({ watermark: new Date(NOW).toISOString(), base: null, changeLogFrom: null });
    const finished = { action: 'snapshot', snapshot };
    expect(await retrain(finished, dependencies)).toMatchObject({ decision: 'snapshot', changed: true });
    expect(await retrain(finished, dependencies)).toMatchObject({ decision: 'snapshot', changed: false });
    await retrain(failEvent('accounts-epoch-1-attempt-1'), dependencies);
    now += 60_000;
    await schedule();
    const next = executions.inputOf('accounts-epoch-1-attempt-2');
    expect(next.snapshot).toMatchObject({ base: snapshot.name, changeLogFrom: '2026-01-13' });
    expect(next.snapshotQuery).toContain(`"snapshot" = '${snapshot.name}'`);
    const older = { ...snapshot, name: 'older', watermark: '2025-12-31T00:00:00.000Z' };
    expect(await retrain({ ...finished, snapshot: older }, dependencies)).toMatchObject({ changed: false });
  });

  test('carries over labels that land in a claimed epoch, and closing it decides by them', async () => {
    await addLabels(state, 6, 'a');
    await schedule();
    // Their writer had read the epoch before the claim.
    await addLabels(state, 5, 'late', 1);
    await addLabels(state, 1, 'b');
    await retrain(closeEvent('accounts-epoch-1-attempt-1'), dependencies);
    expect((await epochState()).carried).toEqual({ total: 5, 0: 3, 1: 2 });
    now += 3_600_000;
    expect(await schedule()).toMatchObject({ decision: 'train', epoch: 2 });
    expect(await epochState()).toMatchObject({ countsAtClaim: { total: 1 }, training: { epoch: 2 } });
    expect((await epochState()).carried).toBeUndefined();
    await retrain(closeEvent('accounts-epoch-2-attempt-1'), dependencies);
    expect((await epochState()).carried?.total).toBe(0);
  });

  test('refuses an action that the state machine does not send', async () => {
    await expect(retrain({ action: 'retire' }, dependencies)).rejects.toThrow('Not an event of the retraining');
  });
});
