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

export type Split = 'train' | 'validation';

/** Buckets that records are dealt into by their identifier's hash, and those of them that validate. */
const BUCKETS = 100;
const VALIDATION_BUCKETS = 20;

/** Hexadecimal digits of the hash that give the bucket: 65,536 values, so buckets differ by a thousandth at most. */
const BUCKET_DIGITS = 4;

/**
 * One row: train_rows, validation_rows, train_positives, train_negatives, validation_positives, validation_negatives, and
 * inexact_rows, of both parts.
 */
export function countQuery(group: FeatureGroup, source: SnapshotSource): string {
  const label = sqlName(group.label.name);
  const count = (...conditions: string[]) => `count(*) FILTER (WHERE ${conditions.join(' AND ')})`;
  const [train, validation] = [inSplit(group, 'train'), inSplit(group, 'validation')];
  return `SELECT
  ${count(train)} AS train_rows,
  ${count(validation)} AS validation_rows,
  ${count(train, `${label} = 1`)} AS train_positives,
  ${count(train, `${label} = 0`)} AS train_negatives,
  ${count(validation, `${label} = 1`)} AS validation_positives,
  ${count(validation, `${label} = 0`)} AS validation_negatives,
  ${group.trainingTime === 'as-of-label' ? count(INEXACT) : '0'} AS inexact_rows
FROM (
${trainableRowsSql(group, source)}
) AS "trainable"`;
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
  CASE WHEN ${inSplit(group, 'train')} THEN 'train' ELSE 'validation' END AS part
FROM (
${trainableRowsSql(group, source)}
) AS "trainable"
ORDER BY ${hashSql(group)}`;
}

/** Where under the training set's prefix {@link unloadQuery} writes a part of it. */
export const partFolder = (split: Split): string => `part=${split}/`;

/**
 * Writes the training set as CSV, as linear-learner and XGBoost read it: label first, no header. Both parts in one pass
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
  return `${bucket} ${split === 'validation' ? '<' : '>='} ${VALIDATION_BUCKETS}`;
}
