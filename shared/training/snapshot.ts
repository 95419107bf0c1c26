import { createHash } from 'node:crypto';
import {
  COPIES,
  changesSql,
  DELETED,
  latestChangesSql,
  latestRowsOf,
  RECENCY,
  sqlName,
  sqlText,
} from '../change-log/sql.ts';
import { columnsOf, type Feature, type FeatureGroup, labelOf } from '../definition/feature-group.ts';
import type { Snapshot } from '../state/snapshots.ts';

/**
 * Snapshots: what trainings and views need of the change log, so that they read the last snapshot and the changes since,
 * and not all of history. A snapshot holds some changes of each record, whole, as Parquet:
 *
 *     trainingTime latest        its latest change
 *     trainingTime as-of-label   if the latest has no label: that one. Otherwise the changes from the last one without
 *                                a label on: what was known before the label arrived, its arrival, and all since
 *
 * A snapshot of all changes is the snapshot of (the snapshot of some of them, and the others), however they are dealt
 * out: what a snapshot leaves out of a record comes before a change that decides alone. So late rows, rows out of order
 * and rows read twice need no care, and a deletion is a row like any other, which stays. Property tests hold this.
 *
 * Rows that only a very late row could ever make count again are let go: see the two limits in days below.
 *
 * The rows of records that have a label now are a part of their own, which is all that a training set is made from.
 */

/** Glue's table over all snapshots, and its partition keys: every query must name a snapshot, and may name a part. */
export const SNAPSHOT_TABLE = 'snapshots';
export const SNAPSHOT_KEY = 'snapshot';
export const SNAPSHOT_PART_KEY = 'snapshot_part';
export const SNAPSHOT_PARTS = ['labeled', 'rest'] as const;
/** Where in the data bucket the snapshots are, each in a folder of its name. */
export const SNAPSHOTS_PREFIX = 'snapshots/';

/**
 * Days between a change and the latest time its row may reach the change log. What ingest gave up on waits in
 * quarantine for 180 days at most, and a redrive writes its rows; streams and Firehose add a day each. Rest: margin.
 */
export const LATENESS_DAYS_MAX = 190;

/**
 * Days for which changes between the label's arrival and the latest are kept. After that a row that comes between them
 * needs no other: one without a label decides itself, and a deletion is followed by an INSERT or a repair, which are kept
 * on. The days are for what is delivered again with another event time: streams and Firehose do so within two. The rest
 * is margin.
 */
export const SETTLING_DAYS = 14;

/**
 * Hours between a row's arrival in Firehose, which names its partition, and the latest time its object may appear in
 * S3: Firehose retries a delivery for 24 hours, and buffers before it for 15 minutes at most.
 */
const DELIVERY_HOURS_MAX = 26;

/**
 * Column that says of a row that its features are not known to be those of before the label: the first change that the
 * stream has seen of the record modified an item, and it has a label. An item that came with its label had none before.
 */
export const INEXACT = '"_inexact"';

/**
 * Column that says on which day, `YYYY-MM-DD`, a record had a label first, of all its changes that a snapshot has seen. A
 * label that is corrected keeps its day. The earliest of days needs no history: snapshots of snapshots have it, too.
 */
export const LABELED_DAY = '_labeled_day';

/** Condition of the changes with a label: none of them, where the definition has none. */
const hasLabelSql = ({ label }: FeatureGroup) => (label ? `${sqlName(label.name)} IS NOT NULL` : 'false');

/** The day of a change with a label, and the earliest of a record's. */
const labeledDay = (group: FeatureGroup) =>
  `CASE WHEN ${hasLabelSql(group)} THEN substr("event_time", 1, 10) END AS "${LABELED_DAY}"`;
const FIRST_DAY = '"_first_day"';
const firstDay = (group: FeatureGroup) =>
  `, min("${LABELED_DAY}") OVER (PARTITION BY ${sqlName(group.recordIdentifier.name)}) AS ${FIRST_DAY}`;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Hexadecimal digits of the format's hash, as many as of the schema hash. */
const FORMAT_DIGITS = 16;

/** A column of the snapshots' table, which is read by name. */
export interface SnapshotColumn {
  readonly name: string;
  readonly holds: Feature | 'label' | 'text' | 'record';
}

/** Columns of a snapshot: all that the views show. Whoever reads fewer of them pays for fewer. */
export function snapshotColumns(group: FeatureGroup): SnapshotColumn[] {
  return [
    ...['sequence_number', 'event_name', 'event_time', 'dt'].map((name) => ({ name, holds: 'text' as const })),
    { name: group.recordIdentifier.name, holds: 'record' },
    ...columnsOf(group).map(({ name, feature }) => ({ name, holds: feature })),
    { name: LABELED_DAY, holds: 'text' },
  ];
}

/**
 * Hash of what decides which rows a snapshot has and how they are read. None is built upon a snapshot of another
 * definition: the first one after such a change reads all of history.
 */
export function snapshotFormat(group: FeatureGroup): string {
  const { trainingTime, onDelete, onTtlExpiry } = group;
  const columns = snapshotColumns(group).map(({ name, holds }) => [
    name.toLowerCase(),
    typeof holds === 'string' ? holds : holds.type,
  ]);
  const format = JSON.stringify({ columns, trainingTime, onDelete, onTtlExpiry, files: 'parquet' });
  return createHash('sha256').update(format).digest('hex').slice(0, FORMAT_DIGITS);
}

/** Whether a new snapshot may be built upon this one. If not, all of history is read. */
export const isUsable = (base: Snapshot, group: FeatureGroup): boolean => base.format === snapshotFormat(group);

/** First partition, `YYYY-MM-DD`, that can have gained rows since the watermark of a snapshot. */
export function firstDayToRead(base: Snapshot): string {
  return day(Date.parse(base.watermark) - DELIVERY_HOURS_MAX * HOUR_MS);
}

/** What a snapshot is made from. */
export interface SnapshotInput {
  readonly database: string;
  /** Snapshot to build upon; absent: all of history is read. */
  readonly base?: Snapshot | undefined;
  readonly nowMs: number;
}

/** The rows of a new snapshot: the columns of {@link snapshotColumns}, and last the part that the row belongs to. */
export function snapshotRowsSql(group: FeatureGroup, input: SnapshotInput): string {
  const { nowMs } = input;
  const isLatest = group.trainingTime === 'latest';
  const kept = isLatest
    ? latestOfEachSql(group, input, true)
    : sinceUnlabeledSql(group, allRowsSql(group, input, true), nowMs);
  const isDeletion = `${DELETED}${isLatest ? '' : ' AND "_recency" = "_latest"'}`;
  // What is kept of a labeled record begins with a change without a label, if there is one, but goes on after it.
  const hasLabel = isLatest ? hasLabelSql(group) : `COALESCE("_unlabeled", '') < "_latest"`;
  const [labeled, rest] = SNAPSHOT_PARTS.map(sqlText);
  return `SELECT ${columnNames(group).join(', ')}, ${FIRST_DAY} AS "${LABELED_DAY}", CASE WHEN ${hasLabel} THEN ${labeled} ELSE ${rest} END AS "${SNAPSHOT_PART_KEY}"
FROM (
${kept}
) AS "kept"
WHERE NOT (${isDeletion} AND "dt" < ${daysBefore(nowMs, LATENESS_DAYS_MAX)})`;
}

/**
 * Writes a snapshot: a folder for each part, with Parquet in it.
 *
 * @param uri an empty prefix, `s3://…/`.
 */
export function snapshotQuery(group: FeatureGroup, input: SnapshotInput, uri: string): string {
  return `UNLOAD (
${snapshotRowsSql(group, input)}
)
TO ${sqlText(uri)}
WITH (format = 'PARQUET', compression = 'ZSTD', partitioned_by = ARRAY['${SNAPSHOT_PART_KEY}'])`;
}

/**
 * The live rows, as the view `latest` shows them, read from the last snapshot and the changes since. The same rows as
 * from all of history: {@link latestRowsSql} says which.
 */
export function latestRowsSinceSql(group: FeatureGroup, input: Omit<SnapshotInput, 'nowMs'>): string {
  return latestRowsOf(group, latestOfEachSql(group, input));
}

/** Of each record its latest change, deletions included. @param withDay whether also the first day with a label. */
function latestOfEachSql(group: FeatureGroup, input: Omit<SnapshotInput, 'nowMs'>, withDay = false): string {
  const { database, base } = input;
  const beside = withDay ? firstDay(group) : '';
  if (!base || group.trainingTime !== 'latest') {
    return latestChangesSql(group, allRowsSql(group, input, withDay), beside);
  }
  // The snapshot has one row of each record, so it is not ordered again: the latest of the changes since is put in.
  // Its columns have numbers for names, as a query must fit into an execution's input. The last is of the ranking.
  const columns = columnNames(group);
  const record = sqlName(group.recordIdentifier.name);
  const since = latestChangesSql(group, changeRowsSql(group, database, base, withDay), beside);
  const sinceColumn = (name: string) => `"_${columns.indexOf(name)}"`;
  const place = `${RECENCY} || "dt"`;
  const placeSince = place.replaceAll(/"\w+"/g, sinceColumn);
  const days = `CASE WHEN "_first" < "${LABELED_DAY}" THEN "_first" ELSE COALESCE("${LABELED_DAY}", "_first") END`;
  return `SELECT ${columns.map((it) => `IF("_later", ${sinceColumn(it)}, ${it}) AS ${it}`).join(', ')}${withDay ? `, ${days} AS ${FIRST_DAY}` : ''}
FROM (
  SELECT *, CASE WHEN ${sinceColumn(record)} IS NULL THEN false WHEN ${record} IS NULL THEN true
    ELSE ${placeSince} > ${place} END AS "_later"
  FROM (
${baseSql(group, database, base, withDay)}
  ) AS "base"
  FULL JOIN (
${since}
  ) AS "since" (${[...columns.map(sinceColumn), ...(withDay ? ['"_day"', '"_nth"', '"_first"'] : ['"_nth"'])].join(', ')})
  ON ${record} = ${sinceColumn(record)}
) AS "joined"`;
}

/** The rows of the base and of the changes since, or of all of history. */
function allRowsSql(group: FeatureGroup, { database, base }: Omit<SnapshotInput, 'nowMs'>, withDay: boolean): string {
  const changes = changeRowsSql(group, database, base, withDay);
  return base ? `${changes}\nUNION ALL\n${baseSql(group, database, base, withDay)}` : changes;
}

function changeRowsSql(group: FeatureGroup, database: string, base: Snapshot | undefined, withDay: boolean): string {
  const columns = [...columnNames(group), ...(withDay ? [labeledDay(group)] : [])].join(', ');
  return changesSql(group, database, columns, base && firstDayToRead(base));
}

const baseSql = (group: FeatureGroup, database: string, { name }: Snapshot, withDay: boolean) =>
  `SELECT ${[...columnNames(group), ...(withDay ? [`"${LABELED_DAY}"`] : [])].join(', ')}\nFROM ${snapshotSql(database)}\nWHERE "${SNAPSHOT_KEY}" = ${sqlText(name)}`;

/**
 * One row for each record that is not deleted: its label of now and the features it is learned with. As of the label:
 * those of the change before the label's arrival; where there is none, those the label came with. The columns are the
 * record identifier, the label, and those asked for. As of the label also {@link INEXACT}.
 *
 * @param columns names of training features, and of what tells the change: each is read, and nothing else.
 */
export function learnedRowsSql(
  group: FeatureGroup,
  { database, snapshot }: { database: string; snapshot: string },
  columns: readonly string[],
): string {
  const record = sqlName(group.recordIdentifier.name);
  const label = sqlName(labelOf(group).name);
  const asked = [record, ...columns.map(sqlName)];
  const from = `FROM ${snapshotSql(database)}
WHERE "${SNAPSHOT_KEY}" = ${sqlText(snapshot)} AND "${SNAPSHOT_PART_KEY}" = ${sqlText(SNAPSHOT_PARTS[0])}`;
  // A record in this part has a label, so that its latest change is no deletion.
  if (group.trainingTime === 'latest') return `SELECT ${[...asked, label].join(', ')}\n${from}`;
  const order = `PARTITION BY ${record} ORDER BY ${RECENCY}`;
  return `SELECT * FROM (
SELECT ${asked.join(', ')},
  "event_name" IN ('MODIFY', 'REPAIR', 'SNAPSHOT') AND ${label} IS NOT NULL AS ${INEXACT},
  last_value(${label}) OVER (${order} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS ${label},
  row_number() OVER (${order}) AS "_nth"
${from} AND NOT (${DELETED})
) AS "ordered"
WHERE "_nth" = 1`;
}

/**
 * A copy that was delivered again may carry another event time: of a change's copies, the greatest is its place. The day
 * is the earliest of all copies, as a row of the last snapshot brings the day of changes that were let go.
 */
function sinceUnlabeledSql(group: FeatureGroup, rows: string, nowMs: number): string {
  const record = sqlName(group.recordIdentifier.name);
  const label = sqlName(labelOf(group).name);
  return `SELECT * FROM (
  SELECT *, row_number() OVER (PARTITION BY ${record} ORDER BY "_recency") AS "_nth"
  FROM (
    SELECT *,
      max("_recency") OVER (PARTITION BY ${record}) AS "_latest",
      max(CASE WHEN ${label} IS NULL THEN "_recency" END) OVER (PARTITION BY ${record}) AS "_unlabeled"
    FROM (
      SELECT *, ${RECENCY} AS "_recency",
        row_number() OVER (PARTITION BY ${record}, ${COPIES} ORDER BY "event_time" DESC, "dt" DESC) AS "_copy"${firstDay(group)}
      FROM (
${rows}
      ) AS "changes"
    ) AS "copies"
    WHERE "_copy" = 1
  ) AS "placed"
  WHERE "_recency" >= COALESCE("_unlabeled", '')
) AS "since_unlabeled"
WHERE "_nth" <= 2 OR "_recency" = "_latest" OR "dt" >= ${daysBefore(nowMs, SETTLING_DAYS)}
  OR ("event_name" IN ('INSERT', 'REPAIR', 'SNAPSHOT') AND "dt" >= ${daysBefore(nowMs, LATENESS_DAYS_MAX)})`;
}

const snapshotSql = (database: string) => `${sqlName(database)}.${sqlName(SNAPSHOT_TABLE)}`;

const columnNames = (group: FeatureGroup) =>
  snapshotColumns(group).flatMap(({ name }) => (name === LABELED_DAY ? [] : sqlName(name)));

const daysBefore = (nowMs: number, days: number) => sqlText(day(nowMs - days * DAY_MS));

const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
