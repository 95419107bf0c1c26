import type { FeatureGroup } from '../../definition/feature-group.ts';
import type { Snapshot } from '../../state/snapshots.ts';
import { firstDayToRead, isUsable, SNAPSHOTS_PREFIX, snapshotFormat, snapshotQuery } from '../snapshot.ts';

/** Hours from one snapshot to the next, whether or not anything trains meanwhile. */
const SNAPSHOT_HOURS = 24;

/** Hours from one attempt at a snapshot to the next. */
const ATTEMPT_HOURS = 4;

const HOUR_MS = 3_600_000;

/** Longest input of an execution, in bytes, less what its states add. Source: Step Functions quotas. */
const INPUT_BYTES_MAX = (256 - 16) * 1_024;

/** Where and by which means snapshots are made. */
export interface SnapshotOptions {
  readonly dataBucket: string;
  readonly glueDatabase: string;
  readonly athenaWorkgroup: string;
}

/** Input of the snapshot state machine; without a query it shows the newest snapshot. */
export interface SnapshotPlan {
  readonly snapshot: Snapshot;
  readonly snapshotQuery: string;
  readonly workGroup: string;
  readonly queryOutputLocation: string;
  readonly database: string;
}

/**
 * Whether it is time for a snapshot, or to show the one that there is.
 *
 * @param newest the newest finished one. @param shown the one that the views read.
 */
export function snapshotDue(
  group: FeatureGroup,
  newest: Snapshot | undefined,
  shown: Snapshot | undefined,
  nowMs: number,
): 'build' | 'show' | undefined {
  const isCurrent =
    newest && isUsable(newest, group) && nowMs - Date.parse(newest.watermark) < SNAPSHOT_HOURS * HOUR_MS;
  if (!isCurrent) return 'build';
  return shown?.name === newest.name ? undefined : 'show';
}

/** Whether the hours of this attempt have had none: those of the newest snapshot are not tried again. */
export const isUnattempted = (newest: Snapshot, nowMs: number): boolean =>
  attemptName(Date.parse(newest.watermark)) !== attemptName(nowMs);

/** A name that is the same for all who attempt a snapshot at about the same time, so that one of them does. */
export function attemptName(nowMs: number): string {
  const slot = Math.floor(nowMs / (ATTEMPT_HOURS * HOUR_MS)) * ATTEMPT_HOURS * HOUR_MS;
  return `snapshot-${new Date(slot).toISOString().slice(0, 13)}`;
}

/**
 * Everything that the state machine needs for a snapshot.
 *
 * @param nowMs becomes the snapshot's watermark: its query runs later, so it reads every row that is in S3 by then.
 * @throws Error when the definition is so large that the query does not fit into an execution's input.
 */
export function snapshotPlan(
  group: FeatureGroup,
  { dataBucket, glueDatabase: database, athenaWorkgroup }: SnapshotOptions,
  name: string,
  nowMs: number,
  newest?: Snapshot,
): SnapshotPlan {
  const base = newest && isUsable(newest, group) ? newest : undefined;
  const plan = {
    ...writtenSnapshot(group, { dataBucket, database, name, nowMs, base }),
    workGroup: athenaWorkgroup,
    queryOutputLocation: `s3://${dataBucket}/athena-results/`,
    database,
  };
  const bytes = Buffer.byteLength(JSON.stringify(plan));
  if (bytes > INPUT_BYTES_MAX) {
    throw new Error(
      `A snapshot of ${group.name} takes an execution input of ${bytes} bytes, of at most ${INPUT_BYTES_MAX}: use fewer features, or shorter names.`,
    );
  }
  return plan;
}

/** A snapshot to be written, and the query that writes it. Without a base it is made from all of history. */
export function writtenSnapshot(
  group: FeatureGroup,
  {
    dataBucket,
    database,
    name,
    nowMs,
    base,
  }: { dataBucket: string; database: string; name: string; nowMs: number; base: Snapshot | undefined },
) {
  return {
    snapshotQuery: snapshotQuery(group, { database, base, nowMs }, `s3://${dataBucket}/${SNAPSHOTS_PREFIX}${name}/`),
    snapshot: {
      name,
      format: snapshotFormat(group),
      watermark: new Date(nowMs).toISOString(),
      base: base?.name ?? null,
      changeLogFrom: base ? firstDayToRead(base) : null,
    },
  };
}
