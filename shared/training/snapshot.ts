import { createHash } from 'node:crypto';
import { COPIES, changesSql, DELETED, latestChangesSql, RECENCY, sqlName, sqlText } from '../change-log/sql.ts';
import { columnsOf, type Feature, type FeatureGroup } from '../definition/feature-group.ts';
import type { Snapshot } from '../state/snapshots.ts';

/**
 * Snapshots: what training needs of the change log, so that the next training reads the last snapshot and the changes
 * since, and not all of history. A snapshot holds some changes of each record, as rows of the change log:
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
 */

/** Glue's table over all snapshots, and its partition key, whose value every query must name. */
export const SNAPSHOT_TABLE = 'training_snapshots';
export const SNAPSHOT_KEY = 'snapshot';
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

/** Age from which a snapshot is not built upon. Its objects expire later: a base that has vanished would lose records. */
export const SNAPSHOT_AGE_DAYS_MAX = 60;

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

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Hexadecimal digits of the format's hash, as many as of the schema hash. */
const FORMAT_DIGITS = 16;

/** A column of the snapshots' table, which is read by position. */
export interface SnapshotColumn {
  readonly name: string;
  readonly holds: Feature | 'label' | 'text' | 'record';
}

/** Columns of a snapshot. Features that do not train are left out: they may be the bulk of a record. */
export function snapshotColumns(group: FeatureGroup): SnapshotColumn[] {
  return [
    ...['sequence_number', 'event_name', 'event_time', 'dt'].map((name) => ({ name, holds: 'text' as const })),
    { name: group.recordIdentifier.name, holds: 'record' },
    ...columnsOf(group).flatMap(({ name, feature }) =>
      feature === 'label' || feature.training ? [{ name, holds: feature }] : [],
    ),
  ];
}

/**
 * Hash of what decides which rows a snapshot has and how they are read. It is part of the location, so that a snapshot
 * of another definition is never read as one of this: the first training after such a change reads all of history.
 */
export function snapshotFormat(group: FeatureGroup): string {
  const { trainingTime, onDelete, onTtlExpiry } = group;
  const columns = snapshotColumns(group).map(({ name, holds }) => [
    name.toLowerCase(),
    typeof holds === 'string' ? holds : holds.type,
  ]);
  const format = JSON.stringify({ columns, trainingTime, onDelete, onTtlExpiry });
  return createHash('sha256').update(format).digest('hex').slice(0, FORMAT_DIGITS);
}

/** Where in the data bucket a definition's snapshots are, each in a folder of its name. */
export const snapshotsFolder = (group: FeatureGroup): string => `${SNAPSHOTS_PREFIX}${snapshotFormat(group)}/`;

/** Whether a new snapshot may be built upon this one. If not, all of history is read. */
export function isUsable(base: Snapshot, group: FeatureGroup, nowMs: number): boolean {
  return base.format === snapshotFormat(group) && nowMs - Date.parse(base.watermark) < SNAPSHOT_AGE_DAYS_MAX * DAY_MS;
}

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

/**
 * The rows of a new snapshot.
 *
 * @param selected what to select of the columns of {@link snapshotColumns}; all of them, if not given.
 */
export function snapshotRowsSql(group: FeatureGroup, input: SnapshotInput, selected = columnNames(group)): string {
  const { database, base, nowMs } = input;
  const columns = columnNames(group).join(', ');
  const changes = changesSql(group, database, columns, base && firstDayToRead(base));
  const rows = base
    ? `${changes}\nUNION ALL\nSELECT ${columns}\nFROM ${snapshotSql(database)}\nWHERE "${SNAPSHOT_KEY}" = ${sqlText(base.name)}`
    : changes;
  const isLatest = group.trainingTime === 'latest';
  const kept = isLatest ? latestChangesSql(group, rows) : sinceUnlabelledSql(group, rows, nowMs);
  const isDeletion = `${DELETED}${isLatest ? '' : ' AND "_recency" = "_latest"'}`;
  return `SELECT ${selected.join(', ')}
FROM (
${kept}
) AS "kept"
WHERE NOT (${isDeletion} AND "dt" < ${daysBefore(nowMs, LATENESS_DAYS_MAX)})`;
}

/**
 * Writes a snapshot. UNLOAD escapes nothing, so texts are escaped as they are in the change log, and read likewise.
 *
 * @param uri an empty prefix, `s3://…/`.
 */
export function snapshotQuery(group: FeatureGroup, input: SnapshotInput, uri: string): string {
  const columns = snapshotColumns(group).map(({ name, holds }, index) => {
    const isFreeText = holds === 'record' || (typeof holds === 'object' && holds.type === 'categorical');
    return `${isFreeText ? escaped(sqlName(name)) : sqlName(name)} AS c${index}`;
  });
  return `UNLOAD (
${snapshotRowsSql(group, input, columns)}
)
TO ${sqlText(uri)}
WITH (format = 'TEXTFILE', field_delimiter = ',', compression = 'NONE')`;
}

/**
 * One row for each record that is not deleted: its label of now and the features it is learnt with. As of the label:
 * those of the change before the label's arrival; where there is none, those the label came with. The columns are, among
 * others, sequence number and event time of the change, the record identifier, the label and the training features. As
 * of the label also {@link INEXACT}.
 */
export function learntRowsSql(group: FeatureGroup, database: string, snapshot: string): string {
  const record = sqlName(group.recordIdentifier.name);
  const label = sqlName(group.label.name);
  const features = group.features.filter((it) => it.training).map((it) => sqlName(it.name));
  const from = `FROM ${snapshotSql(database)}\nWHERE "${SNAPSHOT_KEY}" = ${sqlText(snapshot)} AND NOT (${DELETED})`;
  if (group.trainingTime === 'latest') return `SELECT *\n${from}`;
  const order = `PARTITION BY ${record} ORDER BY ${RECENCY}`;
  return `SELECT * FROM (
SELECT ${['"sequence_number"', '"event_time"', record, ...features].join(', ')},
  "event_name" IN ('MODIFY', 'REPAIR') AND ${label} IS NOT NULL AS ${INEXACT},
  last_value(${label}) OVER (${order} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS ${label},
  row_number() OVER (${order}) AS "_nth"
${from}
) AS "ordered"
WHERE "_nth" = 1`;
}

/** A copy that was delivered again may carry another event time: of a change's copies, the greatest is its place. */
function sinceUnlabelledSql(group: FeatureGroup, rows: string, nowMs: number): string {
  const record = sqlName(group.recordIdentifier.name);
  const label = sqlName(group.label.name);
  return `SELECT * FROM (
  SELECT *, row_number() OVER (PARTITION BY ${record} ORDER BY "_recency") AS "_nth"
  FROM (
    SELECT *,
      max("_recency") OVER (PARTITION BY ${record}) AS "_latest",
      max(CASE WHEN ${label} IS NULL THEN "_recency" END) OVER (PARTITION BY ${record}) AS "_unlabelled"
    FROM (
      SELECT *, ${RECENCY} AS "_recency",
        row_number() OVER (PARTITION BY ${record}, ${COPIES} ORDER BY "event_time" DESC, "dt" DESC) AS "_copy"
      FROM (
${rows}
      ) AS "changes"
    ) AS "copies"
    WHERE "_copy" = 1
  ) AS "placed"
  WHERE "_recency" >= COALESCE("_unlabelled", '')
) AS "since_unlabelled"
WHERE "_nth" <= 2 OR "_recency" = "_latest" OR "dt" >= ${daysBefore(nowMs, SETTLING_DAYS)}
  OR ("event_name" IN ('INSERT', 'REPAIR') AND "dt" >= ${daysBefore(nowMs, LATENESS_DAYS_MAX)})`;
}

const snapshotSql = (database: string) => `${sqlName(database)}.${sqlName(SNAPSHOT_TABLE)}`;

const columnNames = (group: FeatureGroup) => snapshotColumns(group).map(({ name }) => sqlName(name));

const escaped = (column: string) => String.raw`replace(replace(${column}, '\', '\\'), ',', '\,')`;

const daysBefore = (nowMs: number, days: number) => sqlText(day(nowMs - days * DAY_MS));

const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
