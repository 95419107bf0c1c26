import type { S3Client } from '@aws-sdk/client-s3';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { errorCode } from '../../calls/failure.ts';
import { listObjects } from '../../calls/list-keys.ts';
import { CHANGE_LOG_PREFIX } from '../../change-log/sql.ts';
import { latestView } from '../../change-log/view.ts';
import { readEpochState } from '../../state/epochs.ts';
import {
  readShownSnapshot,
  readSnapshot,
  recordShownSnapshot,
  recordSnapshot,
  type Snapshot,
} from '../../state/snapshots.ts';
import type { Outcome, RetrainDependencies } from '../actions.ts';
import type { RequestOf } from '../event.ts';
import { firstDayToRead, isUsable, latestRowsSinceSql } from '../snapshot.ts';
import { deleteOldSnapshots } from './old.ts';
import { attemptName, isUnattempted, snapshotDue, snapshotPlan } from './plan.ts';

/** Snapshots go their own way: they are made once a day, and shown, whatever becomes of trainings. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const BYTES_PER_MEGABYTE = 1_000_000;

/**
 * Starts a snapshot when one is due, at most once in the hours of an attempt; tells how old the shown one is. Beside time,
 * much new change log makes one due: queries on the views, and the next training, would read all of it.
 */
export async function considerSnapshot(dependencies: RetrainDependencies): Promise<void> {
  const { table, group, options, now, reportSnapshotAge } = dependencies;
  const [newest, shown] = await Promise.all([readSnapshot(table), readShownSnapshot(table)]);
  if (shown) reportSnapshotAge?.((now() - Date.parse(shown.watermark)) / HOUR_MS);
  const due = snapshotDue(group, newest, shown, now()) ?? (await isLongAgo(dependencies, newest));
  if (!due) return;
  const name = attemptName(now());
  await start(dependencies, name, due === 'show' ? {} : snapshotPlan(group, options, name, now(), newest));
}

/** Whether more of the change log has come since a snapshot than queries should read. */
async function isLongAgo(
  { s3, options, now }: RetrainDependencies,
  newest: Snapshot | undefined,
): Promise<'build' | undefined> {
  if (!newest || !isUnattempted(newest, now())) return undefined;
  const bytes = await bytesSince(s3, options.dataBucket, newest, now());
  return bytes > options.snapshotChangeLogMegabytes * BYTES_PER_MEGABYTE ? 'build' : undefined;
}

/** Bytes of the change log that were delivered since a snapshot, by the partitions that the next one reads. */
async function bytesSince(
  s3: Pick<S3Client, 'send'>,
  bucket: string,
  newest: Snapshot,
  nowMs: number,
): Promise<number> {
  const deliveredMs = Date.parse(newest.watermark);
  let bytes = 0;
  for (let day = Date.parse(firstDayToRead(newest)); day <= nowMs; day += DAY_MS) {
    const prefix = `${CHANGE_LOG_PREFIX}dt=${new Date(day).toISOString().slice(0, 10)}/`;
    for await (const object of listObjects(s3, bucket, prefix)) {
      if (object.modifiedMs > deliveredMs) bytes += object.bytes;
    }
  }
  return bytes;
}

/** Step Functions refuses a name that was started before, whatever its input: another invocation was first. */
async function start({ sfn, options }: RetrainDependencies, name: string, input: object): Promise<void> {
  const { snapshotMachineArn: stateMachineArn } = options;
  try {
    await sfn.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
  } catch (error) {
    if (errorCode(error) !== 'ExecutionAlreadyExists') throw error;
  }
}

/** A snapshot is written. One that a training has made is shown by an execution of its own, which holds nobody up. */
export async function finishSnapshot(
  { snapshot, isShownNext }: RequestOf<'snapshot'>,
  dependencies: RetrainDependencies,
): Promise<Outcome> {
  const changed = await recordSnapshot(dependencies.table, snapshot);
  if (!isShownNext) await start(dependencies, snapshot.name, {});
  return { decision: 'snapshot', changed, reason: `The snapshot ${snapshot.name} is finished.` };
}

/** What Glue is to be told, so that the views read the newest snapshot and the partitions since. */
export async function showSnapshot(
  _: RequestOf<'show-snapshot'>,
  { table, group, options }: RetrainDependencies,
): Promise<Shown> {
  const snapshot = await readSnapshot(table);
  if (!snapshot || !isUsable(snapshot, group)) {
    throw new Error('There is no snapshot by this definition to be shown. The schedule makes the next one.');
  }
  const { glueDatabase: database } = options;
  const view = latestView(group, database, latestRowsSinceSql(group, { database, base: snapshot }));
  return { snapshot, database, view };
}

/** The view of the live rows, and the snapshot that it reads. */
export interface Shown {
  readonly snapshot: RequestOf<'snapshot-shown'>['snapshot'];
  readonly database: string;
  readonly view: object;
}

/** The views read a snapshot: what no view and no training needs any more is removed. */
export async function snapshotShown(
  { snapshot }: RequestOf<'snapshot-shown'>,
  { table, s3, options, now }: RetrainDependencies,
): Promise<Outcome> {
  const changed = await recordShownSnapshot(table, snapshot);
  const [newest, shown, { training }] = await Promise.all([
    readSnapshot(table),
    readShownSnapshot(table),
    readEpochState(table),
  ]);
  const planned: { snapshot?: { name?: string; base?: string | null } } = training ? JSON.parse(training.input) : {};
  const named = [
    snapshot.name,
    newest?.name,
    newest?.base,
    shown?.name,
    planned.snapshot?.name,
    planned.snapshot?.base,
  ];
  const objects = await deleteOldSnapshots(s3, options.dataBucket, new Set(named), now());
  const removed = objects > 0 ? ` ${objects} objects of older ones are removed.` : '';
  return { decision: 'snapshot-shown', changed, reason: `The views read the snapshot ${snapshot.name}.${removed}` };
}
