import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { listKeys } from '../../calls/list-keys.ts';
import { type TrainingColumn, trainingColumnsOf } from '../../model/encode.ts';
import type { Encoding } from '../../model/encoding.ts';
import type { JudgedScores } from '../../promotion/gate.ts';
import { linesOf, placeOf } from '../../promotion/scores.ts';
import type { TrainingPlan } from '../plan.ts';
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

/** Points that a curve is drawn by, and bins that scores are dealt into. */
const CURVE_POINTS = 100;
const BINS = 10;

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
  judged: { readonly rows: readonly string[]; readonly scores: readonly number[] },
): Promise<string[]> {
  const columns = trainingColumnsOf(encoding);
  const { bucket, prefix } = placeOf(plan.trainUri);
  const folder = prefix.replace(/part=train\/$/, '');
  const { modelName, schemaHash, selection } = plan;
  const about = { modelName, schemaHash };
  const features = await featuresOf(s3, bucket, prefix, columns);
  const documents = {
    'columns.json': { ...about, columns: [labelName, ...columns.map(({ name }) => name)], selection },
    'features.json': { ...about, ...features },
    'judged.json': { ...about, ...judgedOf(scores) },
    'weights.json': { ...about, ...weightsByName(columns, judged) },
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
  { rows, scores }: { readonly rows: readonly string[]; readonly scores: readonly number[] },
) {
  const weights = weightsOf(
    rows.map((row) => row.split(',').map(Number)),
    scores,
  );
  if (!weights.isLinear) return weights;
  const named = columns.map(({ name, feature }, index) => ({ name, feature: feature.name, ...weights.columns[index] }));
  return { ...weights, columns: named };
}

/** Values of the rows to train on, by class and column. Rows are in the order of a hash, so that the first are a sample. */
async function featuresOf(s3: S3, bucket: string, prefix: string, columns: readonly TrainingColumn[]) {
  const most = Math.min(ROWS_MAX, Math.floor(CELLS_MAX / Math.max(1, columns.length)));
  const values = [0, 1].map(() => columns.map((): number[] => []));
  let rows = 0;
  for await (const line of linesUnder(s3, bucket, prefix)) {
    if (rows === most) break;
    rows += 1;
    const [label, ...numbers] = line.split(',').map(Number);
    for (const [index, number] of numbers.entries()) values[label === 1 ? 1 : 0]?.[index]?.push(number);
  }
  const told = columns.map((column, index) =>
    columnOf(
      column,
      [0, 1].map((label) => values[label]?.[index] ?? []),
      [0, 1].map((label) => (columns[index + 1]?.holds === 'missing' ? (values[label]?.[index + 1] ?? []) : [])),
    ),
  );
  const rowsByClass = Object.fromEntries([0, 1].map((label) => [label, values[label]?.[0]?.length ?? 0]));
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
function columnOf(column: TrainingColumn, [zeros = [], ones = []]: readonly number[][], missing: readonly number[][]) {
  const { name, feature, holds } = column;
  const first = zeros[0] ?? ones[0];
  const isConstant = [zeros, ones].every((values) => values.every((it) => it === first));
  const about = { name, feature: feature.name, holds, isConstant };
  if (holds === 'position') {
    const { categories, other } = column;
    const positions = Array.from({ length: Math.max(categories.length, other) }, (_, index) => index + 1);
    const of = (values: readonly number[]) => ({ shares: sharesBetween(values, positions) });
    return { ...about, byClass: { 0: of(zeros), 1: of(ones) } };
  }
  if (holds !== 'value' || feature.type === 'boolean') {
    const of = (values: readonly number[]) => ({ share: mean(values) });
    return { ...about, byClass: { 0: of(zeros), 1: of(ones) } };
  }
  const [knownZeros, knownOnes] = [zeros, ones].map((values, at) =>
    values.filter((_, row) => missing[at]?.[row] !== 1),
  );
  const edges = edgesOf([...(knownZeros ?? []), ...(knownOnes ?? [])]);
  const of = (values: readonly number[], known: readonly number[] = []) => {
    return { ...spread(values), shares: sharesBetween(known, edges) };
  };
  return { ...about, edges, byClass: { 0: of(zeros, knownZeros), 1: of(ones, knownOnes) } };
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

/** Of each model that has scored the rows: its ROC curve, and how often rows of a score are of class 1. */
export function judgedOf({ labels, challenger, champion, leader, threshold }: JudgedScores) {
  const models = { challenger, champion, leader };
  const told = Object.entries(models).flatMap(([name, scores]) =>
    scores ? [[name, { roc: rocCurve(scores, labels), calibration: calibration(scores, labels) }] as const] : [],
  );
  return { rows: labels.length, threshold, models: Object.fromEntries(told) };
}

/** Shares of class 0 and class 1 that score as high or higher, at thresholds downwards, ties in one step. */
function rocCurve(scores: Float64Array, labels: Uint8Array): [falsePositives: number, truePositives: number][] {
  const order = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const negatives = labels.length - positives;
  const points: [number, number][] = [[0, 0]];
  let [found, wrong] = [0, 0];
  for (const [at, row] of order.entries()) {
    if (labels[row] === 1) found += 1;
    else wrong += 1;
    const next = order[at + 1];
    const isTied = next !== undefined && scores[next] === scores[row];
    if (!isTied) points.push([wrong / negatives, found / positives]);
  }
  const step = Math.max(1, Math.ceil(points.length / CURVE_POINTS));
  return points.filter((_, index) => index % step === 0 || index === points.length - 1);
}

/** Bins of equal width over scores from 0 to 1; those without a row are left out. */
function calibration(scores: Float64Array, labels: Uint8Array) {
  const bins = Array.from({ length: BINS }, () => ({ rows: 0, scores: 0, positives: 0 }));
  for (const [row, score] of scores.entries()) {
    const bin = bins[Math.min(BINS - 1, Math.max(0, Math.floor(score * BINS)))];
    if (!bin) continue;
    bin.rows += 1;
    bin.scores += score;
    bin.positives += labels[row] ?? 0;
  }
  return bins.flatMap(({ rows, scores: sum, positives }, index) =>
    rows === 0
      ? []
      : [{ from: index / BINS, to: (index + 1) / BINS, rows, meanScore: sum / rows, share: positives / rows }],
  );
}
