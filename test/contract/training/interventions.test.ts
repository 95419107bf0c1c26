import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import type { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { retrain } from '../../../functions/retrain.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import { readEncoding } from '../../../shared/state/encodings.ts';
import { readEpochState } from '../../../shared/state/epochs.ts';
import { readEvidence } from '../../../shared/state/evidence.ts';
import { answerApproval, pauseLoop, resumeLoop } from '../../../shared/state/intervention.ts';
import { type Serving, writeServing } from '../../../shared/state/serving.ts';
import type { RetrainDependencies } from '../../../shared/training/actions.ts';
import { accounts } from '../../given/builders.ts';
import { retrainEnvironment } from '../../given/retrain-environment.ts';
import { addLabels } from '../../given/retraining/labels.ts';
import { noFleets } from '../../given/retraining/no-fleets.ts';
import { stateTable } from '../../given/state-table.ts';

/** People who intervene, and failures by their kinds: what retrain decides, on a real state table. */

const SCHEMA = schemaHash(accounts);
const ROWS = {
  ...{ trainRows: 80, trainPositives: 20, trainNegatives: 60, validationRows: 10, validationPositives: 5 },
  ...{ validationNegatives: 5, judgeRows: 12, judgePositives: 6, judgeNegatives: 6 },
};

let state: Awaited<ReturnType<typeof stateTable>>;
let now: number;
let inputs: Map<string, string>;
let givenUp: number;
let dependencies: RetrainDependencies;

beforeEach(async () => {
  state = await stateTable();
  now = Date.UTC(2026, 0, 15);
  inputs = new Map();
  givenUp = 0;
  const start = async ({ input: { name = '', input = '', stateMachineArn = '' } }: StartExecutionCommand) => {
    // Snapshots have tests of their own.
    if (!stateMachineArn.endsWith(':snapshot')) inputs.set(name, input);
    return {};
  };
  dependencies = {
    options: retrainConfig({
      ...retrainEnvironment,
      ...{ LABELS_THRESHOLD: '6', LABELS_PER_CLASS_MIN: '2', ATTEMPTS_MAX: '3', PROMOTION: 'approve' },
    }),
    ...{ group: accounts, table: state, sfn: { send: start } as unknown as SFNClient, now: () => now },
    s3: new S3Client({ region: 'us-east-1' }),
    ...noFleets,
    runtime: new SageMakerRuntimeClient({ region: 'us-east-1' }),
    reportGivenUp: () => {
      givenUp += 1;
    },
  };
});
afterEach(() => state.close());

const schedule = () => retrain({ source: 'aws.events' }, dependencies);
const askFor = (dryRun = false) => retrain({ action: 'train', reason: 'I say so', dryRun }, dependencies);
const planOf = (epoch: number, attempt = 1) =>
  JSON.parse(inputs.get(`accounts-epoch-${epoch}-attempt-${attempt}`) ?? '');
const counted = (rowsHash = '1-2', counts: object = ROWS) => ({ counts, rowsHash });
const verdict = {
  decision: 'promote',
  reason: 'better',
  comparison: { metric: 'auc', rows: 12, challenger: { auc: 0.8, logLoss: 0.4 } },
};
const examine = (epoch: number, attempt = 1, rows = counted()) =>
  retrain({ action: 'examine', epoch, attempt, plan: planOf(epoch, attempt), counted: rows }, dependencies);
const end = (action: 'close' | 'refuse', epoch: number, attempt = 1, rows = counted()) => {
  const plan = planOf(epoch, attempt);
  const training = { TrainingJobName: plan.trainingJobName };
  return retrain({ action, epoch, attempt, plan, training, counted: rows, verdict }, dependencies);
};
const fail = (epoch: number, attempt: number, error: string, cause = '', more: object = {}) =>
  retrain(
    { action: 'fail', run: { ...planOf(epoch, attempt), ...more, failure: { Error: error, Cause: cause } } },
    dependencies,
  );
const serves = (more: Partial<Serving> = {}) =>
  writeServing(
    state,
    { epoch: 1, attempt: 1, endpointConfigName: 'c', modelName: 'm', schemaHash: SCHEMA, endpointName: 'e-1', ...more },
    now,
  );

describe('a person', () => {
  test('who asks for a training gets one, without labels and while the last one cools down', async () => {
    expect(await askFor()).toMatchObject({ decision: 'train', epoch: 1, reason: 'A person asks for it: I say so.' });
    await end('close', 1);
    expect(await schedule()).toMatchObject({ decision: 'wait' });
    expect(await askFor()).toMatchObject({ decision: 'train', epoch: 2 });
  });

  test('who only asks what would be trained changes nothing', async () => {
    await addLabels(state, 5, 'a');
    const told = await askFor(true);
    expect(told).toMatchObject({ decision: 'dry-run' });
    expect((told as { reason: string }).reason).toMatch(
      /^Epoch 1, attempt 1, would be trained now, by linear-learner.*5 newly labeled records.*needs 10 rows to train on.*an AUC that is certainly at least 0.5 \(at 95 %\)/,
    );
    expect([inputs.size, (await readEpochState(state)).epoch]).toEqual([0, 1]);
  });

  test('who pauses the loop stops it, but for one training when asked, until it is resumed', async () => {
    await addLabels(state, 6, 'a');
    await pauseLoop(state, 'holidays', now);
    expect(await schedule()).toMatchObject({ decision: 'wait', reason: expect.stringContaining('(holidays)') });
    now += 1_000;
    expect(await askFor()).toMatchObject({ decision: 'train', epoch: 1 });
    const rollout = { action: 'rollout', epoch: 1, attempt: 1, plan: planOf(1) };
    expect(await retrain(rollout, dependencies)).toMatchObject({ state: 'create' });
    await end('close', 1);
    await addLabels(state, 6, 'b');
    now += 4_000_000;
    expect(await schedule()).toMatchObject({ decision: 'wait' });
    expect(await resumeLoop(state)).toBe(true);
    expect(await resumeLoop(state)).toBe(false);
    expect(await schedule()).toMatchObject({ decision: 'train', epoch: 2 });
  });

  test('who pauses the loop while a training is in flight keeps its model from being deployed', async () => {
    await askFor();
    await pauseLoop(state, 'wait a moment', now + 1);
    const rollout = { action: 'rollout', epoch: 1, attempt: 1, plan: planOf(1) };
    expect(await retrain(rollout, dependencies)).toEqual({
      state: 'stopped',
      reason: 'The loop was paused while it was trained: wait a moment.',
    });
  });

  test('is asked for approval once, is heard, and is not waited for without end', async () => {
    await askFor();
    const ask = () => retrain({ action: 'approval', epoch: 1, attempt: 1, plan: planOf(1), verdict }, dependencies);
    expect(await ask()).toMatchObject({ state: 'waiting' });
    expect((await readEpochState(state)).training?.approval).toMatchObject({
      reason: 'better',
      modelName: planOf(1).modelName,
    });
    now += 71 * 3_600_000;
    expect(await ask()).toMatchObject({ state: 'waiting' });
    now += 3_600_000;
    expect(await ask()).toMatchObject({ state: 'stopped', reason: expect.stringContaining('Nobody approved it') });
    const answer = { approved: true, reason: 'looks good', at: '2026-01-18T00:00:00.000Z' };
    expect(await answerApproval(state, { epoch: 1, attempt: 1 }, answer)).toBe(true);
    expect(await answerApproval(state, { epoch: 1, attempt: 1 }, { ...answer, approved: false })).toBe(false);
    expect(await ask()).toMatchObject({ state: 'approved' });
    expect(await answerApproval(state, { epoch: 2, attempt: 1 }, answer)).toBe(false);
  });
});

describe('a changed definition', () => {
  test('is trained by at once, and its encoding kept before', async () => {
    await serves({ schemaHash: 'ffffffffffffffff' });
    expect(await schedule()).toMatchObject({
      decision: 'train',
      reason: `The definition is of schema ${SCHEMA}, and what serves of ffffffffffffffff.`,
    });
    expect(await readEncoding(state, SCHEMA)).toMatchObject({ schemaHash: SCHEMA });
  });

  test('is not trained by again at once when its model was refused', async () => {
    await serves({ schemaHash: 'ffffffffffffffff', epoch: 0 });
    await schedule();
    await end('refuse', 1);
    now += 10_000_000;
    expect(await schedule()).toMatchObject({ decision: 'wait' });
  });

  test('meets the encoding of what version 0.1.0 serves, which the first look after the upgrade keeps', async () => {
    await serves({ endpointName: undefined });
    await schedule();
    expect(await readEncoding(state, SCHEMA)).toMatchObject({ schemaHash: SCHEMA });
  });
});

describe('what was trained once', () => {
  test('is not trained again, but in another way or on other rows it is', async () => {
    await askFor();
    expect(await examine(1)).toMatchObject({ decision: 'worth-training' });
    await end('refuse', 1);
    await askFor();
    expect(await examine(2, 1, counted('3-4'))).toMatchObject({ decision: 'worth-training' });
    const other = { ...planOf(2), hyperParameters: { epochs: '3' } };
    const asked = { action: 'examine', epoch: 2, attempt: 1, plan: other, counted: counted() };
    expect(await retrain(asked, dependencies)).toMatchObject({ decision: 'worth-training' });
    expect(await examine(2)).toMatchObject({ decision: 'known', changed: true });
    expect(await examine(2)).toMatchObject({ decision: 'known', changed: false });
    const [closed] = await readEvidence(state, 2);
    expect(closed).toMatchObject({
      epoch: 2,
      decision: 'refuse',
      reason: expect.stringContaining('attempt 1 at epoch 1'),
    });
    expect((await readEpochState(state)).training).toBeUndefined();
  });
});

describe('a failure', () => {
  test('for want of rows waits for labels, however long', async () => {
    await addLabels(state, 6, 'a');
    await schedule();
    const few = await examine(1, 1, counted('1-2', { ...ROWS, judgePositives: 4, trainNegatives: 0 }));
    expect(few).toMatchObject({
      decision: 'too-few-rows',
      reason: 'The training set lacks rows of class 0 to train on: 0 of 10, rows of class 1 to judge by: 4 of 5.',
    });
    await fail(1, 1, 'TooFewRows', 'too few');
    now += 100 * 86_400_000;
    expect(await schedule()).toMatchObject({ decision: 'wait', reason: expect.stringContaining('1 are awaited') });
    await addLabels(state, 1, 'b');
    expect(await schedule()).toMatchObject({ decision: 'train', epoch: 1, attempt: 2 });
  });

  test('of a deployment that was rolled back refuses the model: the same data would give the same', async () => {
    await askFor();
    const training = { TrainingJobName: planOf(1).trainingJobName };
    const run = { training, counted: counted(), verdict };
    expect(await fail(1, 1, 'DeploymentRolledBack', 'an alarm went off', run)).toMatchObject({ decision: 'refused' });
    const [closed] = await readEvidence(state, 1);
    expect(closed).toMatchObject({ decision: 'refuse', reason: 'DeploymentRolledBack: an alarm went off' });
    expect(await readEpochState(state)).toMatchObject({ lastFailure: { error: 'DeploymentRolledBack' } });
    expect((await readEpochState(state)).failed).toBeUndefined();
  });

  test('of another kind is tried again, until it is given up with an alarm and a sentence', async () => {
    await addLabels(state, 6, 'a');
    await schedule();
    const cause = JSON.stringify({ TrainingJobName: 'j', FailureReason: 'AlgorithmError: out of memory' });
    for (const attempt of [1, 2]) {
      expect(await fail(1, attempt, 'States.TaskFailed', cause)).toMatchObject({ decision: 'reopen' });
      now += 86_400_000;
      expect(await schedule()).toMatchObject({ decision: 'train', attempt: attempt + 1 });
    }
    expect((await readEpochState(state)).lastFailure?.cause).toBe('AlgorithmError: out of memory');
    const told = await fail(1, 3, 'States.TaskFailed', cause);
    expect(told).toMatchObject({ decision: 'given-up', reason: expect.stringContaining('It was the last of 3') });
    expect(givenUp).toBe(1);
    expect((await readEvidence(state, 1))[0]).toMatchObject({ decision: 'failed' });
    now += 86_400_000;
    expect(await schedule()).toMatchObject({ decision: 'wait' });
  });

  test.each([
    ['TooFewRows', 1],
    ['DeploymentRolledBack', 1],
    ['States.TaskFailed', 3],
  ])('by %s is no reason for 500 attempts, though one may be made whenever it is due', async (error, expected) => {
    await addLabels(state, 6, 'a');
    const isDue = async () => Object.values(await schedule()).includes('train');
    let attempts = 0;
    while (attempts < 500 && (await isDue())) {
      attempts += 1;
      const training = { TrainingJobName: planOf(1, attempts).trainingJobName };
      await fail(1, attempts, error, 'it says why', { training, counted: counted(), verdict });
      now += 365 * 86_400_000;
    }
    expect(attempts).toBe(expected);
  });
});
