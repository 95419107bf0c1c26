import type { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { ExecutionAlreadyExists, type SFNClient, type StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { retrain } from '../../../functions/retrain.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import { keepCheck, readCheck } from '../../../shared/state/checks.ts';
import { pauseLoop } from '../../../shared/state/intervention.ts';
import { recordShownSnapshot } from '../../../shared/state/snapshots.ts';
import type { RetrainDependencies } from '../../../shared/training/actions.ts';
import type { ToldCheck } from '../../../shared/training/check.ts';
import { accounts } from '../../given/builders.ts';
import { retrainEnvironment } from '../../given/retrain-environment.ts';
import { noFleets } from '../../given/retraining/no-fleets.ts';
import { stateTable } from '../../given/state-table.ts';

const HOUR_MS = 3_600_000;

let state: Awaited<ReturnType<typeof stateTable>>;
let started: Map<string, { machine: string; input: string }>;
let ages: number[];
let checks: ToldCheck[];
/** Of the change log, and the prefixes that were asked for. */
let files: { Key: string; Size: number; LastModified: Date }[];
let listed: string[];
let now: number;
let dependencies: RetrainDependencies;

beforeEach(async () => {
  state = await stateTable();
  started = new Map();
  ages = [];
  checks = [];
  now = Date.UTC(2026, 0, 15, 9, 30);
  const start = async ({ input: { name = '', input = '', stateMachineArn = '' } }: StartExecutionCommand) => {
    if (started.has(name)) throw new ExecutionAlreadyExists({ message: name, $metadata: {} });
    started.set(name, { machine: stateMachineArn.split(':').pop() ?? '', input });
    return {};
  };
  files = [];
  const list = async ({ input: { Prefix = '' } }: ListObjectsV2Command) => {
    listed.push(Prefix);
    return { Contents: files.filter(({ Key }) => Key.startsWith(Prefix)) };
  };
  listed = [];
  dependencies = {
    options: retrainConfig({ ...retrainEnvironment, SNAPSHOT_CHANGE_LOG_MEGABYTES: '10' }),
    ...{ group: accounts, table: state, sfn: { send: start } as unknown as SFNClient, now: () => now },
    s3: { send: list } as unknown as S3Client,
    ...noFleets,
    runtime: new SageMakerRuntimeClient({ region: 'us-east-1' }),
    reportSnapshotAge: (hours) => ages.push(hours),
    reportCheck: (check) => checks.push(check),
  };
});
afterEach(() => state.close());

const schedule = () => retrain({ source: 'aws.events' }, dependencies);
const planOf = (name: string) => JSON.parse(started.get(name)?.input ?? '');
const finish = async (name: string, isShownNext = true) => {
  const { snapshot } = planOf(name);
  await retrain({ action: 'snapshot', snapshot, isShownNext }, dependencies);
  return snapshot;
};

describe('the schedule', () => {
  test('starts a snapshot of all of history first, then one a day upon the last', async () => {
    await schedule();
    expect(started.get('snapshot-2026-01-15T08')?.machine).toBe('snapshot');
    const first = planOf('snapshot-2026-01-15T08').snapshot;
    expect(first).toMatchObject({ base: null, watermark: '2026-01-15T09:30:00.000Z' });
    await finish('snapshot-2026-01-15T08');
    await recordShownSnapshot(state, first);
    now += 23 * HOUR_MS;
    await schedule();
    expect(started.size).toBe(1);
    now += HOUR_MS;
    await schedule();
    expect(planOf('snapshot-2026-01-16T08').snapshot).toMatchObject({ base: first.name, changeLogFrom: '2026-01-14' });
    expect(ages).toEqual([23, 24]);
  });

  test('starts one before the day is over when much of the change log is new, in hours that have had none', async () => {
    await schedule();
    const first = await finish('snapshot-2026-01-15T08');
    await recordShownSnapshot(state, first);
    const delivered = (day: string, at: string, Size: number) =>
      files.push({ Key: `change-log/dt=${day}/${files.length}`, Size, LastModified: new Date(at) });
    // Read by the first one; delivered since, some of it late; and not new enough to count.
    delivered('2026-01-15', '2026-01-15T09:29:59.000Z', 90_000_000);
    delivered('2026-01-14', '2026-01-15T09:31:00.000Z', 4_000_000);
    delivered('2026-01-15', '2026-01-15T10:00:00.000Z', 6_000_000);
    now += 2 * HOUR_MS;
    await schedule();
    expect(listed, 'these hours have had theirs').toEqual([]);
    now += HOUR_MS;
    await schedule();
    expect(listed).toEqual(['change-log/dt=2026-01-14/', 'change-log/dt=2026-01-15/']);
    expect(started.size, 'no more than the threshold').toBe(1);
    delivered('2026-01-15', '2026-01-15T12:00:00.000Z', 1);
    await schedule();
    expect(planOf('snapshot-2026-01-15T12').snapshot).toMatchObject({ base: first.name });
  });

  test('tries again after hours what came to nothing, and not before', async () => {
    await schedule();
    now += 2 * HOUR_MS;
    await schedule();
    expect([...started.keys()]).toEqual(['snapshot-2026-01-15T08']);
    now += 2 * HOUR_MS;
    await schedule();
    expect([...started.keys()]).toEqual(['snapshot-2026-01-15T08', 'snapshot-2026-01-15T12']);
  });

  test('goes on with snapshots while the loop is paused', async () => {
    await pauseLoop(state, 'I say so', now);
    expect(await schedule()).toMatchObject({ decision: 'wait' });
    expect(started.size).toBe(1);
  });

  test('shows a snapshot that was finished and is not shown, without making another', async () => {
    await schedule();
    await finish('snapshot-2026-01-15T08');
    now += 4 * HOUR_MS;
    await schedule();
    expect(started.get('snapshot-2026-01-15T12')?.input).toBe('{}');
  });

  test('makes another after another definition, and shows none of the one before', async () => {
    await schedule();
    await finish('snapshot-2026-01-15T08');
    dependencies = { ...dependencies, group: { ...accounts, trainingTime: 'as-of-label' } };
    await expect(retrain({ action: 'show-snapshot' }, dependencies)).rejects.toThrow('no snapshot by this definition');
    now += 4 * HOUR_MS;
    await schedule();
    expect(planOf('snapshot-2026-01-15T12').snapshot.base).toBeNull();
  });

  test('is what makes snapshots: labels that arrive do not', async () => {
    await retrain({ Records: [] }, dependencies);
    expect(started.size).toBe(0);
  });
});

describe('a snapshot that a training has made', () => {
  test('is shown by an execution of its own, once', async () => {
    await schedule();
    await finish('snapshot-2026-01-15T08', false);
    const snapshot = { ...planOf('snapshot-2026-01-15T08').snapshot, name: 'of-a-training' };
    const finished = { action: 'snapshot', snapshot: { ...snapshot, watermark: '2026-01-15T10:00:00.000Z' } };
    await retrain(finished, dependencies);
    await retrain(finished, dependencies);
    expect(started.get('of-a-training')).toEqual({ machine: 'snapshot', input: '{}' });
    expect(await retrain({ action: 'show-snapshot' }, dependencies)).toMatchObject({
      snapshot: { name: 'of-a-training' },
      database: 'tributary_bank_marketing_dev',
      view: { Name: 'latest', TableType: 'VIRTUAL_VIEW' },
    });
  });
});

describe('the check of the online store', () => {
  const found = { compared: 3_000, listed: 3_000, extra: 0, wrong: 0, younger: 0, changing: 0, late: 0 };
  const kept = (counts: { missing: number; differing: number }, atMs: number) =>
    keepCheck(state, { atMs, isEqual: counts.missing === 0, counts: { ...found, ...counts }, listAfter: 'here' });

  test('is as old as the last one that ended, or as the wait for the first one', async () => {
    await schedule();
    now += 40 * HOUR_MS;
    await schedule();
    await kept({ missing: 2, differing: 1 }, now);
    now += HOUR_MS;
    await schedule();
    await kept({ missing: 0, differing: 0 }, now);
    await schedule();
    expect(checks).toEqual([
      { hours: 0, drifted: undefined },
      { hours: 40, drifted: undefined },
      { hours: 1, drifted: 3 },
      { hours: 0, drifted: 0 },
    ]);
  });

  test('keeps when one last found nothing, while later ones find something', async () => {
    await kept({ missing: 0, differing: 0 }, now);
    await kept({ missing: 1, differing: 0 }, now + HOUR_MS);
    expect(await readCheck(state)).toMatchObject({
      atMs: now + HOUR_MS,
      equalAtMs: now,
      sinceMs: now,
      listAfter: 'here',
    });
  });

  test('is told without a label too, and not by labels that arrive', async () => {
    await retrain({ Records: [] }, dependencies);
    expect(checks).toEqual([]);
    const { label: _, ...unlabeled } = accounts;
    dependencies = { ...dependencies, group: unlabeled };
    await schedule();
    expect(checks).toHaveLength(1);
  });
});
