import type { JudgedScores } from '../../promotion/gate.ts';
import { type Labels, widthOf } from '../../promotion/measures/measure.ts';
import { likeliest } from '../../promotion/measures/multi-class.ts';

/** What models make of the rows to judge by, as curves that a page can draw. */

/** Points that a curve is drawn by, and bins that scores are dealt into. */
const CURVE_POINTS = 100;
const BINS = 10;

/**
 * Of each model that has scored the rows: its ROC curve, and how often rows of a score are of class 1. Of several
 * classes, in place of both, how often the likeliest class of a probability is the right one, and which classes are taken
 * for which. Of a number, its mean beside that of the labels, in bins of as many rows.
 */
export function judgedOf({ kind, labels, challenger, champion, leader, threshold }: JudgedScores) {
  const models = { challenger, champion, leader };
  const told = Object.entries(models).flatMap(([name, scores]) =>
    scores ? [[name, curvesOf(kind, scores, labels)] as const] : [],
  );
  return { ...(kind && { kind }), rows: labels.length, threshold, models: Object.fromEntries(told) };
}

/** What is told of one model. */
interface Curves {
  readonly calibration: readonly Bin[];
  readonly roc?: readonly [falsePositives: number, truePositives: number][];
  /** Rows by their class and, within it, by the class that is predicted. */
  readonly confusion?: readonly (readonly number[])[];
}

/** Rows whose scores are from one to the other, their mean, and the share that is right, or the mean of the labels. */
interface Bin {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly meanScore: number;
  readonly share: number;
}

function curvesOf(kind: JudgedScores['kind'], scores: Float64Array, labels: Labels): Curves {
  if (kind === 'regression') return { calibration: binsOfNumbers(scores, labels) };
  if (kind !== 'multi-class') {
    const classes = Uint8Array.from(labels);
    return { roc: rocCurve(scores, classes), calibration: calibration(scores, classes) };
  }
  const width = widthOf(scores, labels);
  const predicted = Array.from(labels, (_, row) => likeliest(scores, row * width, width));
  const confusion = Array.from({ length: width }, () => new Array<number>(width).fill(0));
  for (const [row, label] of labels.entries()) {
    const ofClass = confusion[label];
    const taken = predicted[row] ?? 0;
    if (ofClass) ofClass[taken] = (ofClass[taken] ?? 0) + 1;
  }
  const highest = Float64Array.from(predicted, (label, row) => scores[row * width + label] ?? 0);
  const isRight = Uint8Array.from(labels, (label, row) => (predicted[row] === label ? 1 : 0));
  return { calibration: calibration(highest, isRight), confusion };
}

/** Bins of as many rows each, by the numbers that are predicted. */
function binsOfNumbers(scores: Float64Array, labels: Labels): Bin[] {
  const order = [...scores.keys()].sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  const size = Math.max(1, Math.ceil(order.length / BINS));
  return Array.from({ length: Math.ceil(order.length / size) }, (_, bin) => {
    const rows = order.slice(bin * size, (bin + 1) * size);
    const mean = (of: ArrayLike<number>) => rows.reduce((sum, row) => sum + (of[row] ?? 0), 0) / rows.length;
    const [from = 0, to = 0] = [rows[0], rows.at(-1)].map((row) => scores[row ?? 0]);
    return { from, to, rows: rows.length, meanScore: mean(scores), share: mean(labels) };
  });
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
function calibration(scores: Float64Array, labels: Uint8Array): Bin[] {
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
