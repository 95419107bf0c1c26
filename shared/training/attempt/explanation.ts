import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { listKeys } from '../../calls/list-keys.ts';
import { BINARY_CLASSES, NUMBERS } from '../../definition/label.ts';
import { type TrainingColumn, trainingColumnsOf } from '../../model/encode.ts';
import type { Encoding } from '../../model/encoding.ts';
import type { JudgedScores } from '../../promotion/gate.ts';
import { linesOf, placeOf } from '../../promotion/scores.ts';
import type { TrainingPlan } from '../plan.ts';
import { judgedOf } from './judged.ts';
import { weightsOf } from './weights.ts';

/**
 * What a training tells of itself, as JSON beside its rows: the names of their columns, how features are spread in each
 * class, and what its model makes of the rows to judge by. Values are of aggregates: no record is in it.
 */

/** Cells of rows to train on that are looked at, and rows at most: numbers of 40 MB, in a function of 1,024 MB. */
const CELLS_MAX = 5_000_000;
const ROWS_MAX = 100_000;

const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95];

/** Shares of the rows at which the bins of a number's histogram end. Equal values share a bin, so that there may be fewer. */
const BIN_ENDS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

type S3 = Pick<S3Client, 'send'>;

type Explained = Pick<TrainingPlan, 'trainUri' | 'modelName' | 'schemaHash' | 'selection'>;

/**
 * Writes `columns.json`, `features.json`, `judged.json` and `weights.json` under a training's prefix. Idempotent: the same
 * rows and scores give the same texts under the same keys.
 *
 * @param judged the rows that the challenger was judged by, as it takes them, and its scores, as far as they are looked at.
 * @returns names of the features that have one value in all rows that were looked at, so that nothing is learned from them.
 */
export async function explainTraining(
  s3: S3,
  plan: Explained,
  encoding: Encoding,
  labelName: string,
  scores: JudgedScores,
  judged: { readonly rows: readonly string[]; readonly scores: readonly (readonly number[])[] },
): Promise<string[]> {
  const columns = trainingColumnsOf(encoding);
  const { bucket, prefix } = placeOf(plan.trainUri);
  const folder = prefix.replace(/part=train\/$/, '');
  const { modelName, schemaHash, selection } = plan;
  const about = { modelName, schemaHash };
  const features = await featuresOf(s3, bucket, prefix, columns, classesLearned(encoding));
  const documents = {
    'columns.json': { ...about, columns: [labelName, ...columns.map(({ name }) => name)], selection },
    'features.json': { ...about, ...features },
    'judged.json': { ...about, ...judgedOf(scores) },
    'weights.json': { ...about, ...weightsByName(columns, judged, encoding) },
  };
  for (const [name, document] of Object.entries(documents)) {
    const Body = JSON.stringify(document, undefined, 1);
    const put = { Bucket: bucket, Key: `${folder}${name}`, Body, ContentType: 'application/json' };
    await s3.send(new PutObjectCommand(put));
  }
  if (features.rows === 0) return [];
  const told = new Set(features.columns.flatMap((column) => (column.isConstant ? [] : [column.feature])));
  return encoding.features.flatMap(({ name }) => (told.has(name) ? [] : [name]));
}

/** The weights of a linear model by the names of their columns, or why there are none. */
function weightsByName(
  columns: readonly TrainingColumn[],
  { rows, scores }: { readonly rows: readonly string[]; readonly scores: readonly (readonly number[])[] },
  { label }: Encoding,
) {
  if (label?.kind === 'multi-class') {
    return { isLinear: false, rows: 0, reason: 'Each of its classes has weights of its own.' } as const;
  }
  const weights = weightsOf(
    rows.map((row) => row.split(',').map(Number)),
    scores.map(([score = 0]) => score),
    label ? 'numbers' : 'probabilities',
  );
  if (!weights.isLinear) return weights;
  const named = columns.map(({ name, feature }, index) => ({ name, feature: feature.name, ...weights.columns[index] }));
  return { ...weights, columns: named };
}

/** Classes of the rows, by their numbers; rows whose label is a number are one class. */
const classesLearned = ({ label }: Encoding): readonly string[] =>
  label?.kind === 'regression' ? [NUMBERS] : (label?.classes.map((_, number) => String(number)) ?? BINARY_CLASSES);

/** Values of the rows to train on, by class and column. Rows are in the order of a hash, so that the first are a sample. */
async function featuresOf(
  s3: S3,
  bucket: string,
  prefix: string,
  columns: readonly TrainingColumn[],
  classes: readonly string[],
) {
  const most = Math.min(ROWS_MAX, Math.floor(CELLS_MAX / Math.max(1, columns.length)));
  const values = classes.map(() => columns.map((): number[] => []));
  let rows = 0;
  for await (const line of linesUnder(s3, bucket, prefix)) {
    if (rows === most) break;
    rows += 1;
    const [label, ...numbers] = line.split(',').map(Number);
    const place = classes.length === 1 ? 0 : (label ?? 0);
    for (const [index, number] of numbers.entries()) values[place]?.[index]?.push(number);
  }
  const told = columns.map((column, index) =>
    columnOf(
      column,
      classes,
      values.map((ofClass) => ofClass[index] ?? []),
      values.map((ofClass) => (columns[index + 1]?.holds === 'missing' ? (ofClass[index + 1] ?? []) : [])),
    ),
  );
  const rowsByClass = Object.fromEntries(classes.map((label, place) => [label, values[place]?.[0]?.length ?? 0]));
  return {
    ...{ rows, rowsByClass, columns: told },
    constant: told.flatMap(({ name, isConstant }) => (isConstant ? [name] : [])),
  };
}

async function* linesUnder(s3: S3, bucket: string, prefix: string): AsyncGenerator<string, void> {
  for await (const key of listKeys(s3, bucket, prefix)) yield* linesOf(s3, bucket, key);
}

/**
 * A number's quantiles, mean and histogram; of an ordinal the share of each position; of any other column the share of
 * rows that have it: that are missing, or of a category.
 *
 * @param missing of each class, whether its rows have no value: what a number is then counted as is in no histogram.
 */
function columnOf(
  column: TrainingColumn,
  classes: readonly string[],
  byClass: readonly number[][],
  missing: readonly number[][],
) {
  const { name, feature, holds } = column;
  const first = byClass.find((values) => values.length > 0)?.[0];
  const isConstant = byClass.every((values) => values.every((it) => it === first));
  const ofEach = <T>(of: (values: readonly number[], place: number) => T) =>
    Object.fromEntries(classes.map((label, place) => [label, of(byClass[place] ?? [], place)]));
  const about = { name, feature: feature.name, holds, isConstant };
  if (holds === 'position') {
    const { categories, other } = column;
    const positions = Array.from({ length: Math.max(categories.length, other) }, (_, index) => index + 1);
    return { ...about, byClass: ofEach((values) => ({ shares: sharesBetween(values, positions) })) };
  }
  if (holds !== 'value' || feature.type === 'boolean') {
    return { ...about, byClass: ofEach((values) => ({ share: mean(values) })) };
  }
  const known = byClass.map((values, at) => values.filter((_, row) => missing[at]?.[row] !== 1));
  const edges = edgesOf(known.flat());
  const told = ofEach((values, at) => ({ ...spread(values), shares: sharesBetween(known[at] ?? [], edges) }));
  return { ...about, edges, byClass: told };
}

function spread(values: readonly number[]) {
  const sorted = Float64Array.from(values).sort();
  const quantiles = QUANTILES.map((q) => [q, sorted[Math.round(q * (sorted.length - 1))] ?? null]);
  return { mean: mean(values), quantiles: Object.fromEntries(quantiles) };
}

/** Where the bins of a histogram end, upwards. A bin has its lower end and not its upper one, so that the least value is none. */
function edgesOf(values: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  const ends = BIN_ENDS.flatMap((share) => sorted[Math.floor(share * sorted.length)] ?? []);
  return [...new Set(ends)].filter((edge) => edge !== sorted[0]);
}

/** Shares of values below the first edge, between each two, and from the last on. No values: all are 0. */
function sharesBetween(values: readonly number[], edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const value of values) {
    const bin = edges.findLastIndex((edge) => edge <= value) + 1;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts.map((count) => count / Math.max(1, values.length));
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, it) => sum + it, 0) / values.length;
