import { mean } from '../roc-auc.ts';
import { type Estimate, type Labels, type Measure, shareSaved } from './measure.ts';

/**
 * A number: the root of the mean squared error, and the mean absolute error, in the label's unit. Gains in them are
 * shares of the other model's error, so that one policy suits labels of any unit. A score is the number itself.
 */
export const REGRESSION: Measure = {
  metrics: ['rmse', 'mae'],
  metricsOf(scores, labels) {
    const rmse = Math.sqrt(mean(squares(scores, labels)));
    return { rmse, mae: mean(distances(scores, labels)), skill: skillOf(scores, labels).value };
  },
  valueOf: ({ rmse = 0, mae = 0 }, metric) => (metric === 'rmse' ? rmse : mae),
  gain(ours, theirs, labels, metric) {
    if (metric === 'mae') return shareSaved(distances(ours, labels), distances(theirs, labels));
    const saved = shareSaved(squares(ours, labels), squares(theirs, labels));
    const ratio = Math.sqrt(Math.max(0, 1 - saved.value));
    // Of a root: the error of what is under it, halved, by the root itself.
    return { value: 1 - ratio, error: ratio === 0 ? 0 : saved.error / (2 * ratio) };
  },
  skill: { name: 'R²', ofNothing: 0, least: -1 },
  skillOf,
};

const distances = (scores: Float64Array, labels: Labels): Float64Array =>
  scores.map((score, row) => Math.abs(score - (labels[row] ?? 0)));

const squares = (scores: Float64Array, labels: Labels): Float64Array => distances(scores, labels).map((it) => it ** 2);

/** Share of the variance that the model explains. */
function skillOf(scores: Float64Array, labels: Labels): Estimate {
  const middle = mean(Float64Array.from(labels));
  const variance = Float64Array.from(labels, (it) => (it - middle) ** 2);
  if (mean(variance) === 0) throw new Error('The rows to judge by have one label: nothing can be compared on them');
  return shareSaved(squares(scores, labels), variance);
}
