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
  /** What is told of a model that nothing is compared with: by which name, and its value where nothing is known. */
  readonly skill: { readonly name: string; readonly ofNothing: number };
  skillOf(scores: Float64Array, labels: Labels): Estimate;
}

/** Scores are kept this far from 0 and 1, where the logarithm of one wrong row would outweigh all others. */
const SCORE_MARGIN = 1e-15;

/** Loss of the probability that was given to what came true. */
export const logLossOf = (probability: number): number =>
  -Math.log(Math.min(Math.max(probability, SCORE_MARGIN), 1 - SCORE_MARGIN));
