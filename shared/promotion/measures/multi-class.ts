import { mean, varianceOfMean } from '../roc-auc.ts';
import { type Estimate, type Labels, logLossOf, lossSaved, type Measure, shareSaved, widthOf } from './measure.ts';

/** One of several classes: the log loss, and the mean of the classes' F1. A row has a probability for each class. */
export const MULTI_CLASS: Measure = {
  metrics: ['log_loss', 'macro_f1'],
  metricsOf(scores, labels) {
    const { value: skill } = skillOf(scores, labels);
    return { logLoss: mean(losses(scores, labels)), macroF1: macroF1(scores, labels).value, skill };
  },
  valueOf: ({ logLoss = 0, macroF1: f1 = 0 }, metric) => (metric === 'log_loss' ? logLoss : f1),
  gain(ours, theirs, labels, metric) {
    if (metric === 'log_loss') return lossSaved(losses(ours, labels), losses(theirs, labels));
    const [our, their] = [macroF1(ours, labels), macroF1(theirs, labels)];
    const differences = our.influences.map((it, row) => it - (their.influences[row] ?? 0));
    return { value: our.value - their.value, error: Math.sqrt(varianceOfMean(differences)) };
  },
  skill: { name: 'share of log loss saved', ofNothing: 0, least: -1 },
  skillOf,
};

const losses = (scores: Float64Array, labels: Labels): Float64Array => {
  const width = widthOf(scores, labels);
  return Float64Array.from(labels, (label, row) => logLossOf(scores[row * width + label] ?? 0));
};

/** The class of the greatest score of a row; of equal ones the first. */
export function likeliest(scores: ArrayLike<number>, from: number, width: number): number {
  let best = 0;
  for (let label = 1; label < width; label += 1) {
    if ((scores[from + label] ?? 0) > (scores[from + best] ?? 0)) best = label;
  }
  return best;
}

/**
 * Mean of the F1 of each class, by the likeliest one, and what each row moves it by, whose spread tells how uncertain it
 * is (delta method). A class that is neither there nor predicted is left out.
 */
function macroF1(scores: Float64Array, labels: Labels): { value: number; influences: Float64Array } {
  const rows = labels.length;
  const width = widthOf(scores, labels);
  const predicted = Uint8Array.from(labels, (_, row) => likeliest(scores, row * width, width));
  const influences = new Float64Array(rows);
  let [sum, counted] = [0, 0];
  for (let label = 0; label < width; label += 1) {
    const right = Float64Array.from(labels, (it, row) => (it === label && predicted[row] === label ? 1 : 0));
    const wrong = Float64Array.from(labels, (it, row) => ((it === label) !== (predicted[row] === label) ? 1 : 0));
    const [p, q] = [mean(right), mean(wrong)];
    const all = 2 * p + q;
    if (all === 0) continue;
    counted += 1;
    sum += (2 * p) / all;
    for (let row = 0; row < rows; row += 1) {
      const moved = 2 * q * ((right[row] ?? 0) - p) - 2 * p * ((wrong[row] ?? 0) - q);
      influences[row] = (influences[row] ?? 0) + moved / all ** 2;
    }
  }
  return { value: sum / Math.max(1, counted), influences: influences.map((it) => it / Math.max(1, counted)) };
}

/** Share of the log loss of a model that gives each class its share of the rows, which this one saves. */
function skillOf(scores: Float64Array, labels: Labels): Estimate {
  const shares = new Float64Array(widthOf(scores, labels));
  for (const label of labels) shares[label] = (shares[label] ?? 0) + 1 / labels.length;
  const ofNothing = Float64Array.from(labels, (label) => logLossOf(shares[label] ?? 0));
  if (shares.filter((it) => it > 0).length < 2) {
    throw new Error('The rows to judge by are of one class: nothing can be compared on them');
  }
  return shareSaved(losses(scores, labels), ofNothing);
}
