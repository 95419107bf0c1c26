import { sqlName, sqlText } from '../change-log/sql.ts';
import { type FeatureGroup, labelOf } from '../definition/feature-group.ts';
import { classesOf, type LabelKind, labelKind } from '../definition/label.ts';
import {
  FIRST_DAY_SECOND,
  imputation,
  SECONDS_PER_DAY,
  type TrainingColumn,
  trainingColumnsOf,
  BUCKET_DIGITS as VALUE_BUCKET_DIGITS,
} from '../model/encode.ts';
import { INEXACT, LABELED_DAY, learnedRowsSql } from './snapshot.ts';

/**
 * Trino SQL that builds the training set from a snapshot of the change log: of what it holds, the live labeled rows.
 * Counts and files come from the same snapshot, so they agree whatever arrives meanwhile.
 */

/** A snapshot, and the Glue database it is read in. */
export interface SnapshotSource {
  readonly database: string;
  readonly snapshot: string;
  /** Which of the labeled records are learned from; absent: all of them. */
  readonly selection?: Selection | undefined;
}

/** Which labeled records a training is made of. */
export interface Selection {
  /** First day, `YYYY-MM-DD`, of labels that count, in any part of the set. */
  readonly since?: string | undefined;
  /** Most rows to train on: those of the newest labels, and of one day those with the lowest hashes. */
  readonly rowsMax?: number | undefined;
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

/** Columns that the counts are made from: a row's bucket, and a hash of the change and label that it is learned from. */
const BUCKET = '"_bucket"';
const LEARNED_HASH = '"_learned_hash"';

/** Name of the relation that the queries select from. */
export const TRAINABLE = 'trainable';

/** Hexadecimal digits of a row's hash in each of the two sums that stand for a set of rows: sums of a billion fit into a bigint. */
const SUM_DIGITS = 8;

/**
 * One row: rows, positives and negatives of each part, or in place of these two the rows of each of several classes as a
 * list, and an empty one, so that every kind of label has as many columns; inexact_rows, of all parts; and two sums over
 * all rows of a hash of the change and label that each is learned from. Equal sums: the same rows, in whatever order.
 */
export function countQuery(group: FeatureGroup, source: SnapshotSource): string {
  const label = sqlName(labelOf(group).name);
  const count = (...conditions: string[]) => `count(*) FILTER (WHERE ${conditions.join(' AND ')})`;
  const countIn = (split: Split, ...conditions: string[]) => count(inBuckets(split, BUCKET), ...conditions);
  const kind = labelKind(labelOf(group));
  const parts = (['train', 'validation', 'judge'] as const).flatMap((split) => [
    `${countIn(split)} AS ${split}_rows`,
    ...(kind === 'binary'
      ? [
          `${countIn(split, `${label} = 1`)} AS ${split}_positives`,
          `${countIn(split, `${label} = 0`)} AS ${split}_negatives`,
        ]
      : [
          `${listSql(classesOf(group.label).map((it) => countIn(split, `${label} = ${it}`)))} AS ${split}_classes`,
          `'[]' AS ${split}_rest`,
        ]),
  ]);
  const columns = [
    ...parts,
    `${group.trainingTime === 'as-of-label' ? count(INEXACT) : '0'} AS inexact_rows`,
    ...[0, 1].map((nth) => `${sumOfHashes(nth)} AS rows_hash_${nth}`),
  ];
  return `SELECT
  ${columns.join(',\n  ')}
FROM (
SELECT *, ${bucketSql(group, TRAINABLE)} AS ${BUCKET}, ${learnedHash(label, kind)} AS ${LEARNED_HASH}
FROM (
${trainableRowsSql(group, source, ['sequence_number', 'event_time'])}
) AS "trainable"
) AS "dealt"`;
}

/** A repair has a sequence number of what it repairs, so that only the event time tells the two apart. */
function learnedHash(label: string, kind: LabelKind): string {
  const learned =
    kind === 'binary' ? `CASE WHEN ${label} = 1 THEN '+' ELSE '-' END` : `' ' || CAST(${label} AS VARCHAR)`;
  return `to_hex(md5(to_utf8("sequence_number" || ' ' || "event_time" || ${learned})))`;
}

const sumOfHashes = (nth: number) =>
  `COALESCE(sum(from_base(substr(${LEARNED_HASH}, ${1 + nth * SUM_DIGITS}, ${SUM_DIGITS}), 16)), 0)`;

/**
 * The rows of the training set: the label, then the encoded columns, numbers all, in the order of `trainingColumns`, and
 * last the part that the row belongs to. Columns are called c0, c1, …: a name such as `job=a,b` would upset the writer's
 * own metadata. Rows are in the order of their hash, which is as good as shuffled and the same every time.
 */
export function trainingRowsSql(group: FeatureGroup, source: SnapshotSource): string {
  const columns = [labelSql(group), ...trainingColumnsOf(group).map((column) => columnSql(column))].map(
    (sql, index) => `  ${sql} AS c${index}`,
  );
  return `SELECT
${columns.join(',\n')},
  ${partSql(group, TRAINABLE)} AS part
FROM (
${trainableRowsSql(
  group,
  source,
  group.features.filter((it) => it.training).map((it) => it.name),
)}
) AS "trainable"
ORDER BY ${hashSql(group, TRAINABLE)}`;
}

/** The label as a model learns it: the number of the class, or the number that it is. */
export function labelSql(group: FeatureGroup): string {
  const { name, type } = labelOf(group);
  return `CAST(${sqlName(name)} AS ${type ? 'DOUBLE' : 'INTEGER'})`;
}

/** A list of numbers in JSON. */
const listSql = (numbers: readonly string[]): string =>
  numbers.length === 0 ? `'[]'` : `'[' || ${numbers.map((it) => `CAST(${it} AS VARCHAR)`).join(` || ',' || `)} || ']'`;

/** The part that a record is dealt into by its identifier's hash, as text. @param relation that holds the identifier. */
export function partSql(group: FeatureGroup, relation: string): string {
  const [judge, train] = [inSplit(group, 'judge', relation), inSplit(group, 'train', relation)];
  return `CASE WHEN ${train} THEN 'train' WHEN ${judge} THEN 'judge' ELSE 'validation' END`;
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

/**
 * Live rows with a label and every required number. The encoder refuses a record that lacks one likewise.
 *
 * @param columns what is asked of each row beside the record identifier and the label.
 */
export function trainableRowsSql(group: FeatureGroup, source: SnapshotSource, columns: readonly string[]): string {
  const { since, rowsMax } = source.selection ?? {};
  const required = trainingColumnsOf(group)
    .filter((it) => it.holds === 'value' && !it.feature.optional)
    .map((it) => it.feature.name);
  const days = since === undefined && rowsMax === undefined ? [] : [LABELED_DAY];
  const conditions = [
    ...[labelOf(group).name, ...required].map((name) => `${sqlName(name)} IS NOT NULL`),
    ...(since === undefined ? [] : [`"${LABELED_DAY}" >= ${sqlText(since)}`]),
  ];
  const rows = `SELECT * FROM (
${learnedRowsSql(group, source, [...new Set([...columns, ...required, ...days])])}
) AS "learned"
WHERE ${conditions.join(' AND ')}`;
  if (rowsMax === undefined) return rows;
  // Rows to validate on and to judge by are of a rank of their own, which nothing asks for.
  return `SELECT * FROM (
SELECT *, row_number() OVER (
  PARTITION BY ${inSplit(group, 'train', 'dated')} ORDER BY "${LABELED_DAY}" DESC, ${hashSql(group, 'dated')}
) AS "_rank"
FROM (
${rows}
) AS "dated"
) AS "sampled"
WHERE "_rank" <= ${rowsMax} OR NOT (${inSplit(group, 'train', 'sampled')})`;
}

/**
 * One encoded column. Its counterpart is `encode`, and a property test holds the two to each other.
 *
 * @param value SQL of the feature's text.
 */
export function columnSql(column: TrainingColumn, value = sqlName(column.feature.name)): string {
  switch (column.holds) {
    case 'value': {
      const stored = `CAST(${value} AS DOUBLE)`;
      const isTime = column.feature.type === 'timestamp';
      const number = isTime ? `((${stored} - ${FIRST_DAY_SECOND}) / ${SECONDS_PER_DAY})` : stored;
      if (!column.feature.optional) return number;
      return `COALESCE(${number}, CAST(${sqlText(imputation(column.feature))} AS DOUBLE))`;
    }
    case 'missing':
      return `CASE WHEN ${value} IS NULL THEN 1 ELSE 0 END`;
    case 'category':
      return `CASE WHEN ${value} = ${sqlText(column.category)} THEN 1 ELSE 0 END`;
    case 'position': {
      const cases = column.categories.map((category, index) => `WHEN ${sqlText(category)} THEN ${index + 1}`);
      const position = `CASE ${value} ${cases.join(' ')} ELSE ${column.other} END`;
      return column.other === 0 ? position : `CASE WHEN ${value} IS NULL THEN 0 ELSE ${position} END`;
    }
    case 'other': {
      const known = column.categories.map(sqlText).join(', ');
      return `CASE WHEN ${value} IS NULL OR ${value} IN (${known}) THEN 0 ELSE 1 END`;
    }
    case 'bucket': {
      const digits = `substr(to_hex(md5(to_utf8(${value}))), 1, ${VALUE_BUCKET_DIGITS})`;
      return `CASE WHEN from_base(${digits}, 16) % ${column.buckets} = ${column.bucket} THEN 1 ELSE 0 END`;
    }
  }
}

/** Qualified, as the record identifier may be called like a column of the result, `c1` or `part`. */
export function hashSql(group: FeatureGroup, relation: string): string {
  return `to_hex(md5(to_utf8(${sqlName(relation)}.${sqlName(group.recordIdentifier.name)})))`;
}

export const inSplit = (group: FeatureGroup, split: Split, relation = TRAINABLE): string =>
  inBuckets(split, bucketSql(group, relation));

const bucketSql = (group: FeatureGroup, relation: string) =>
  `from_base(substr(${hashSql(group, relation)}, 1, ${BUCKET_DIGITS}), 16) % ${BUCKETS}`;

function inBuckets(split: Split, bucket: string): string {
  const [from, to] = SPLITS[split];
  return [from > 0 ? `${bucket} >= ${from}` : '', to < BUCKETS ? `${bucket} < ${to}` : '']
    .filter(Boolean)
    .join(' AND ');
}
