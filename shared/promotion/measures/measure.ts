import { mean, varianceOfMean } from '../roc-auc.ts';

/** What a gate needs to know of scores, for each kind of label in its own way. Scores are of the same rows, in one order. */

/** Labels of rows: class numbers from 0, or the numbers themselves. */
export type Labels = Uint8Array | Float64Array;

/** A value that is estimated from rows, with its standard error: infinite where the rows are too few to tell. */
export interface Estimate {
  readonly value: number;
  readonly error: number;
}

/** Measures of one model on the rows to judge by: those of its kind of label, and no others. */
export interface Metrics {
  readonly auc?: number;
  readonly logLoss?: number;
  readonly macroF1?: number;
  readonly rmse?: number;
  readonly mae?: number;
  /** Share of the log loss, or of the variance, that a model without features leaves and this one does not. */
  readonly skill?: number;
}

/** The measures of one kind of label. Scores of one row lie side by side, as many as the classes are. */
export interface Measure {
  readonly metrics: readonly string[];
  /** @throws Error when the rows cannot be compared on. */
  metricsOf(scores: Float64Array, labels: Labels): Metrics;
  /** The metric that the gate compares by. */
  valueOf(metrics: Metrics, metric: string): number;
  /** By how much the first is better than the other, in the metric; positive if it is. */
  gain(ours: Float64Array, theirs: Float64Array, labels: Labels, metric: string): Estimate;
  /**
   * What is told of a model that nothing is compared with: by which name, its value where nothing is known, and its least
   * one. Its greatest is 1.
   */
  readonly skill: { readonly name: string; readonly ofNothing: number; readonly least: number };
  skillOf(scores: Float64Array, labels: Labels): Estimate;
}

/** Scores are kept this far from 0 and 1, where the logarithm of one wrong row would outweigh all others. */
const SCORE_MARGIN = 1e-15;

/** Loss of the probability that was given to what came true. */
export const logLossOf = (probability: number): number =>
  -Math.log(Math.min(Math.max(probability, SCORE_MARGIN), 1 - SCORE_MARGIN));

/** Scores that a row has. */
export const widthOf = (scores: Float64Array, labels: Labels): number => scores.length / Math.max(1, labels.length);

/** What the first saves of the other's losses, in the mean of the rows. */
export function lossSaved(ours: Float64Array, theirs: Float64Array): Estimate {
  const saved = theirs.map((loss, row) => loss - (ours[row] ?? 0));
  return { value: mean(saved), error: Math.sqrt(varianceOfMean(saved)) };
}

/** A gain over losses of nothing, where there are some. A share of nothing has no value. */
const LOST: Estimate = { value: -1, error: 0 };

/** Share of the other's losses that is saved: of a ratio of two means of the same rows (delta method). */
export function shareSaved(ours: Float64Array, theirs: Float64Array): Estimate {
  const whole = mean(theirs);
  if (whole === 0) return mean(ours) === 0 ? { value: 0, error: 0 } : LOST;
  const ratio = mean(ours) / whole;
  const parts = ours.map((it, row) => (it - ratio * (theirs[row] ?? 0)) / whole);
  return { value: 1 - ratio, error: Math.sqrt(varianceOfMean(parts)) };
}
