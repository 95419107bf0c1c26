import { mean, rocAuc, standardErrorOfGain, varianceOfMean } from './roc-auc.ts';

/** Whether a challenger takes the champion's place: pure functions from both models' scores to a verdict. */

export const GATE_METRICS = ['auc', 'log_loss'] as const;

/** Half width of a two-sided interval of the normal distribution in standard errors, by confidence in per cent. */
const STANDARD_ERRORS = { 80: 1.281552, 90: 1.644854, 95: 1.959964, 99: 2.575829 } as const;

export const GATE_CONFIDENCES = Object.keys(STANDARD_ERRORS).map(Number);

/** A model that knows nothing ranks a positive row above a negative one half of the time. */
const AUC_OF_CHANCE = 0.5;

/** Scores are kept this far from 0 and 1, where the logarithm of one wrong row would outweigh all others. */
const SCORE_MARGIN = 1e-15;

export interface GatePolicy {
  readonly metric: (typeof GATE_METRICS)[number];
  /**
   * Least gain over the champion that the interval must lie above. Positive: the challenger has to be better by so
   * much. Negative: a margin of non-inferiority, within which newer data is worth more than the difference.
   */
  readonly minimumGain: number;
  /** Of the interval, in per cent: one of {@link GATE_CONFIDENCES}. */
  readonly confidence: number;
}

/** The validation rows' labels, and what the models gave them, in the same order. */
export interface ValidationScores {
  readonly labels: Uint8Array;
  readonly challenger: Float64Array;
  /** Undefined when there is nothing to compare with. */
  readonly champion?: Float64Array | undefined;
}

/** What the verdict rests on, kept with the epoch. Gains are positive when the challenger is better. */
export interface Comparison {
  readonly metric: GatePolicy['metric'];
  readonly rows: number;
  readonly positives: number;
  readonly challenger: { readonly auc: number; readonly logLoss: number };
  readonly champion?: { readonly auc: number; readonly logLoss: number };
  readonly gain?: { readonly value: number; readonly low: number; readonly high: number; readonly confidence: number };
  readonly minimumGain: number;
}

export interface Verdict {
  readonly decision: 'promote' | 'refuse';
  readonly reason: string;
  readonly comparison: Comparison;
}

/**
 * Judges a challenger. It is promoted when it ranks better than chance and, if there is a champion, when the whole
 * interval of its gain lies above the policy's minimum.
 *
 * @throws Error when the rows are not of both classes, or a model has not scored every row.
 */
export function judge({ labels, challenger, champion }: ValidationScores, policy: GatePolicy): Verdict {
  for (const scores of [challenger, champion ?? challenger]) {
    if (scores.length !== labels.length) throw new Error(`There are ${scores.length} scores for ${labels.length} rows`);
  }
  const curve = curveOf(challenger, labels);
  const common = {
    metric: policy.metric,
    rows: labels.length,
    positives: labels.reduce((sum, label) => sum + label, 0),
    challenger: metricsOf(challenger, labels),
    minimumGain: policy.minimumGain,
  };
  const better = curve.auc > AUC_OF_CHANCE;
  if (!champion) {
    return {
      decision: better ? 'promote' : 'refuse',
      reason: `No champion to compare with; the challenger's AUC is ${decimals(curve.auc)}, ${better ? 'better' : 'no better'} than chance.`,
      comparison: common,
    };
  }
  const gain = gainOf({ labels, challenger, champion }, policy);
  const comparison = { ...common, champion: metricsOf(champion, labels), gain };
  const enough = gain.low > policy.minimumGain;
  const found = `The challenger's ${policy.metric} is ${decimals(metricValue(comparison.challenger, policy))}, the champion's ${decimals(metricValue(comparison.champion, policy))} on the same ${labels.length} rows: a gain of ${decimals(gain.value)} (${gain.confidence} % interval ${decimals(gain.low)} to ${decimals(gain.high)})`;
  if (!better)
    return { decision: 'refuse', reason: `${found}, and the challenger is no better than chance.`, comparison };
  return {
    decision: enough ? 'promote' : 'refuse',
    reason: `${found}, ${enough ? 'above' : 'not all above'} the minimum of ${policy.minimumGain}.`,
    comparison,
  };
}

function gainOf(
  { labels, challenger, champion }: Required<ValidationScores> & { champion: Float64Array },
  { metric, confidence }: GatePolicy,
) {
  const [ours, theirs] = [curveOf(challenger, labels), curveOf(champion, labels)];
  const lossesOfOurs = losses(challenger, labels);
  const saved = losses(champion, labels).map((loss, row) => loss - (lossesOfOurs[row] ?? 0));
  const value = metric === 'auc' ? ours.auc - theirs.auc : mean(saved);
  const error = metric === 'auc' ? standardErrorOfGain(ours, theirs) : Math.sqrt(varianceOfMean(saved));
  const half = (STANDARD_ERRORS[confidence as keyof typeof STANDARD_ERRORS] ?? STANDARD_ERRORS[95]) * error;
  // Too few rows tell nothing: then the interval is as wide as an area can differ. A loss has no such bound.
  const width = Number.isFinite(half) ? half : 1;
  return { value, low: value - width, high: value + width, confidence };
}

function curveOf(scores: Float64Array, labels: Uint8Array) {
  const curve = rocAuc(scores, labels);
  if (!curve) throw new Error('The validation rows are of one class: nothing can be compared on them');
  return curve;
}

function metricsOf(scores: Float64Array, labels: Uint8Array) {
  return { auc: curveOf(scores, labels).auc, logLoss: mean(losses(scores, labels)) };
}

function losses(scores: Float64Array, labels: Uint8Array): Float64Array {
  return scores.map((score, row) => {
    const right = labels[row] === 1 ? score : 1 - score;
    return -Math.log(Math.min(Math.max(right, SCORE_MARGIN), 1 - SCORE_MARGIN));
  });
}

function metricValue(metrics: { auc: number; logLoss: number }, { metric }: GatePolicy): number {
  return metric === 'auc' ? metrics.auc : metrics.logLoss;
}

function decimals(value: number): string {
  return value.toFixed(4);
}
