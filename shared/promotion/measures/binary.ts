import { mean, type RocAuc, rocAuc, standardErrorOfGain, varianceOfMean } from '../roc-auc.ts';
import { type Labels, logLossOf, lossSaved, type Measure } from './measure.ts';

/** A model that knows nothing ranks a positive row above a negative one half of the time. */
const AUC_OF_CHANCE = 0.5;

/** One of two classes: the area under the curve, and the log loss. A score is the probability of class 1. */
export const BINARY: Measure = {
  metrics: ['auc', 'log_loss'],
  metricsOf: (scores, labels) => ({ auc: curveOf(scores, labels).auc, logLoss: mean(losses(scores, labels)) }),
  valueOf: ({ auc = 0, logLoss = 0 }, metric) => (metric === 'auc' ? auc : logLoss),
  gain(ours, theirs, labels, metric) {
    if (metric === 'auc') {
      const [our, their] = [curveOf(ours, labels), curveOf(theirs, labels)];
      return { value: our.auc - their.auc, error: standardErrorOfGain(our, their) };
    }
    return lossSaved(losses(ours, labels), losses(theirs, labels));
  },
  skill: { name: 'AUC', ofNothing: AUC_OF_CHANCE, least: 0 },
  skillOf(scores, labels) {
    const { auc, ofPositives, ofNegatives } = curveOf(scores, labels);
    return { value: auc, error: Math.sqrt(varianceOfMean(ofPositives) + varianceOfMean(ofNegatives)) };
  },
};

function curveOf(scores: Float64Array, labels: Labels): RocAuc {
  const curve = rocAuc(scores, Uint8Array.from(labels));
  if (!curve) throw new Error('The rows to judge by are of one class: nothing can be compared on them');
  return curve;
}

const losses = (scores: Float64Array, labels: Labels): Float64Array =>
  scores.map((score, row) => logLossOf(labels[row] === 1 ? score : 1 - score));
