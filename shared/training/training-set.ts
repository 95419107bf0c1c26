import { sqlName, sqlText } from '../change-log/sql.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import { imputation, type TrainingColumn, trainingColumnsOf } from '../model/encode.ts';
import { INEXACT, learntRowsSql } from './snapshot.ts';

/**
 * Trino SQL that builds the training set from a snapshot of the change log: of what it holds, the live labelled rows.
 * Counts and files come from the same snapshot, so they agree whatever arrives meanwhile.
 */

/** A snapshot, and the Glue database it is read in. */
export interface SnapshotSource {
  readonly database: string;
  readonly snapshot: string;
}

export type Split = 'judge' | 'validation' | 'train';

/** Buckets that records are dealt into by their identifier's hash. */
const BUCKETS = 100;

/**
 * Each part's first bucket, and the one after its last. The algorithm may choose among models by the validation rows, so
 * the gate has rows of its own, which nothing else ever sees.
 */
const SPLITS: Readonly<Record<Split, readonly [from: number, to: number]>> = {
  judge: [0, 10],
  validation: [10, 20],
  train: [20, BUCKETS],
};

/** Hexadecimal digits of the hash that give the bucket: 65,536 values, so buckets differ by a thousandth at most. */
const BUCKET_DIGITS = 4;

/** Hexadecimal digits of a row's hash in each of the two sums that stand for a set of rows: sums of a billion fit into a bigint. */
const SUM_DIGITS = 8;

/**
 * One row: rows, positives and negatives of each part; inexact_rows, of all parts; and two sums over all rows of a hash of
 * the change and label that each is learnt from. Equal sums: the same rows, in whatever order.
 */
export function countQuery(group: FeatureGroup, source: SnapshotSource): string {
  const label = sqlName(group.label.name);
  const count = (...conditions: string[]) => `count(*) FILTER (WHERE ${conditions.join(' AND ')})`;
  const parts = (['train', 'validation', 'judge'] as const).flatMap((split) => [
    `${count(inSplit(group, split))} AS ${split}_rows`,
    `${count(inSplit(group, split), `${label} = 1`)} AS ${split}_positives`,
    `${count(inSplit(group, split), `${label} = 0`)} AS ${split}_negatives`,
  ]);
  const columns = [
    ...parts,
    `${group.trainingTime === 'as-of-label' ? count(INEXACT) : '0'} AS inexact_rows`,
    ...[0, 1].map((nth) => `${sumOfHashes(label, nth)} AS rows_hash_${nth}`),
  ];
  return `SELECT
  ${columns.join(',\n  ')}
FROM (
${trainableRowsSql(group, source)}
) AS "trainable"`;
}

/** A repair has a sequence number of what it repairs, so that only the event time tells the two apart. */
function sumOfHashes(label: string, nth: number): string {
  const row = `"sequence_number" || ' ' || "event_time" || CASE WHEN ${label} = 1 THEN '+' ELSE '-' END`;
  return `COALESCE(sum(from_base(substr(to_hex(md5(to_utf8(${row}))), ${1 + nth * SUM_DIGITS}, ${SUM_DIGITS}), 16)), 0)`;
}

/**
 * The rows of the training set: the label, then the encoded columns, numbers all, in the order of `trainingColumns`, and
 * last the part that the row belongs to. Columns are called c0, c1, …: a name such as `job=a,b` would upset the writer's
 * own metadata. Rows are in the order of their hash, which is as good as shuffled and the same every time.
 */
export function trainingRowsSql(group: FeatureGroup, source: SnapshotSource): string {
  const label = `CAST(${sqlName(group.label.name)} AS INTEGER)`;
  const columns = [label, ...trainingColumnsOf(group).map(columnSql)].map((sql, index) => `  ${sql} AS c${index}`);
  return `SELECT
${columns.join(',\n')},
  CASE WHEN ${inSplit(group, 'train')} THEN 'train' WHEN ${inSplit(group, 'judge')} THEN 'judge' ELSE 'validation' END AS part
FROM (
${trainableRowsSql(group, source)}
) AS "trainable"
ORDER BY ${hashSql(group)}`;
}

/** Where under the training set's prefix {@link unloadQuery} writes a part of it. */
export const partFolder = (split: Split): string => `part=${split}/`;

/**
 * Writes the training set as CSV, as linear-learner and XGBoost read it: label first, no header. All parts in one pass
 * over the snapshot, each in its folder: a column that UNLOAD partitions by comes last, and is not in the files. UNLOAD
 * compresses text by default, which training in File mode would take for the text itself.
 *
 * @param uri an empty prefix, `s3://…/`.
 */
export function unloadQuery(group: FeatureGroup, source: SnapshotSource, uri: string): string {
  return `UNLOAD (
${trainingRowsSql(group, source)}
)
TO ${sqlText(uri)}
WITH (format = 'TEXTFILE', field_delimiter = ',', compression = 'NONE', partitioned_by = ARRAY['part'])`;
}

/** Live rows with a label and every required number. The encoder refuses a record that lacks one likewise. */
function trainableRowsSql(group: FeatureGroup, { database, snapshot }: SnapshotSource): string {
  const required = trainingColumnsOf(group).filter((it) => it.holds === 'value' && !it.feature.optional);
  const names = [group.label.name, ...required.map((it) => it.feature.name)];
  return `SELECT * FROM (
${learntRowsSql(group, database, snapshot)}
) AS "learnt"
WHERE ${names.map((name) => `${sqlName(name)} IS NOT NULL`).join(' AND ')}`;
}

/** One encoded column. Its counterpart is `encode`, and a property test holds the two to each other. */
function columnSql(column: TrainingColumn): string {
  const value = sqlName(column.feature.name);
  switch (column.holds) {
    case 'value': {
      const number = `CAST(${value} AS DOUBLE)`;
      if (!column.feature.optional) return number;
      return `COALESCE(${number}, CAST(${sqlText(imputation(column.feature))} AS DOUBLE))`;
    }
    case 'missing':
      return `CASE WHEN ${value} IS NULL THEN 1 ELSE 0 END`;
    case 'category':
      return `CASE WHEN ${value} = ${sqlText(column.category)} THEN 1 ELSE 0 END`;
    case 'position': {
      const cases = column.categories.map((category, index) => `WHEN ${sqlText(category)} THEN ${index + 1}`);
      return `CASE ${value} ${cases.join(' ')} ELSE 0 END`;
    }
  }
}

/** Qualified, as the record identifier may be called like a column of the result, `c1` or `part`. */
function hashSql(group: FeatureGroup): string {
  return `to_hex(md5(to_utf8("trainable".${sqlName(group.recordIdentifier.name)})))`;
}

function inSplit(group: FeatureGroup, split: Split): string {
  const bucket = `from_base(substr(${hashSql(group)}, 1, ${BUCKET_DIGITS}), 16) % ${BUCKETS}`;
  const [from, to] = SPLITS[split];
  return [from > 0 ? `${bucket} >= ${from}` : '', to < BUCKETS ? `${bucket} < ${to}` : '']
    .filter(Boolean)
    .join(' AND ');
}
