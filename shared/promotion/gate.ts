import { mean, type RocAuc, rocAuc, standardErrorOfGain, varianceOfMean } from './roc-auc.ts';

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
  /** Least area under the curve of a first model, where nothing serves. */
  readonly floor: number;
}

/** Labels of rows that nothing chose by, and what the models gave them, in the same order. */
export interface JudgedScores {
  readonly labels: Uint8Array;
  readonly challenger: Float64Array;
  /** Undefined when no model of the same schema serves. */
  readonly champion?: Float64Array | undefined;
  /** Least score that the challenger labelled 1. */
  readonly threshold?: number | undefined;
}

/** What is known of the model that serves, beside its scores. */
export interface Incumbent {
  /** How far below the best model of its schema that has served: 0 or less, in the gate's metric. */
  readonly behindBest?: number | undefined;
  /** Area under its curve when it was judged, for a model of another schema, which cannot score these rows. */
  readonly auc?: number | undefined;
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
  /** How far the challenger is below the best model of its schema that has served, by the gains since; 0 for the best. */
  readonly behindBest: number;
  readonly threshold?: number | undefined;
}

export interface Verdict {
  readonly decision: 'promote' | 'refuse';
  readonly reason: string;
  readonly comparison: Comparison;
}

/**
 * Judges a challenger. Where a model of its schema serves, it is promoted when the whole interval of its gain lies above
 * the policy's minimum, and when small losses since the best model that has served do not add up to more than that:
 * each of many challengers may be a little worse than the one before. Where a model of another schema serves, it is
 * promoted unless it is certainly worse than that one was. Where nothing serves, it has to reach the floor. It always
 * has to rank better than chance.
 *
 * @throws Error when the rows are not of both classes, or a model has not scored every row.
 */
export function judge(scores: JudgedScores, policy: GatePolicy, incumbent: Incumbent = {}): Verdict {
  const { labels, challenger, champion, threshold } = scores;
  for (const it of [challenger, champion ?? challenger]) {
    if (it.length !== labels.length) throw new Error(`There are ${it.length} scores for ${labels.length} rows`);
  }
  const common: Comparison = {
    metric: policy.metric,
    rows: labels.length,
    positives: labels.reduce((sum, label) => sum + label, 0),
    challenger: metricsOf(challenger, labels),
    minimumGain: policy.minimumGain,
    behindBest: 0,
    threshold,
  };
  const verdict = champion
    ? judgeByChampion({ labels, challenger, champion }, policy, common, incumbent.behindBest ?? 0)
    : incumbent.auc === undefined
      ? judgeByFloor(common, policy)
      : judgeByRecord(curveOf(challenger, labels), policy, common, incumbent.auc);
  if (common.challenger.auc > AUC_OF_CHANCE) return verdict;
  const reason = `The challenger's AUC is ${decimals(common.challenger.auc)}, no better than chance.`;
  return { ...verdict, decision: 'refuse', reason };
}

function judgeByFloor(comparison: Comparison, { floor }: GatePolicy): Verdict {
  const { auc } = comparison.challenger;
  const enough = auc > floor;
  const reason = `No model serves to compare with; the challenger's AUC is ${decimals(auc)}, ${enough ? 'above' : 'not above'} the floor of ${floor}.`;
  return { decision: enough ? 'promote' : 'refuse', reason, comparison };
}

/** Against the record of a model of another schema: other rows, so that only what is certain counts. */
function judgeByRecord(curve: RocAuc, policy: GatePolicy, comparison: Comparison, record: number): Verdict {
  const variance = varianceOfMean(curve.ofPositives) + varianceOfMean(curve.ofNegatives);
  const high = curve.auc + finite(standardErrors(policy) * Math.sqrt(variance));
  // The minimum is in the gate's metric, which may not be the area under the curve.
  const margin = policy.metric === 'auc' ? Math.min(0, policy.minimumGain) : 0;
  const worse = high < record + margin;
  const reason = `The model that serves is of another schema, and its AUC was ${decimals(record)}; the challenger's is ${decimals(curve.auc)} (at most ${decimals(high)} at ${policy.confidence} %), ${worse ? 'certainly' : 'not certainly'} worse.`;
  return { decision: worse ? 'refuse' : 'promote', reason, comparison };
}

function judgeByChampion(
  scores: { labels: Uint8Array; challenger: Float64Array; champion: Float64Array },
  policy: GatePolicy,
  common: Comparison,
  championBehindBest: number,
): Verdict {
  const { labels, champion } = scores;
  const { minimumGain } = policy;
  const gain = gainOf(scores, policy);
  const behindBest = Math.min(0, championBehindBest + gain.value);
  const comparison = { ...common, champion: metricsOf(champion, labels), gain, behindBest };
  const [ours, theirs] = [comparison.challenger, comparison.champion].map((it) => decimals(metricValue(it, policy)));
  const found = `The challenger's ${policy.metric} is ${ours}, the champion's ${theirs} on the same ${labels.length} rows: a gain of ${decimals(gain.value)} (${gain.confidence} % interval ${decimals(gain.low)} to ${decimals(gain.high)})`;
  if (gain.low <= minimumGain) {
    return { decision: 'refuse', reason: `${found}, not all above the minimum of ${minimumGain}.`, comparison };
  }
  if (gain.value < 0 && behindBest <= minimumGain) {
    const reason = `${found}; with it the losses since the best model that has served add up to ${decimals(behindBest)}, not above the minimum of ${minimumGain}.`;
    return { decision: 'refuse', reason, comparison };
  }
  return { decision: 'promote', reason: `${found}, above the minimum of ${minimumGain}.`, comparison };
}

function gainOf(
  { labels, challenger, champion }: { labels: Uint8Array; challenger: Float64Array; champion: Float64Array },
  policy: GatePolicy,
) {
  const { metric, confidence } = policy;
  const [ours, theirs] = [curveOf(challenger, labels), curveOf(champion, labels)];
  const lossesOfOurs = losses(challenger, labels);
  const saved = losses(champion, labels).map((loss, row) => loss - (lossesOfOurs[row] ?? 0));
  const value = metric === 'auc' ? ours.auc - theirs.auc : mean(saved);
  const error = metric === 'auc' ? standardErrorOfGain(ours, theirs) : Math.sqrt(varianceOfMean(saved));
  const half = finite(standardErrors(policy) * error);
  return { value, low: value - half, high: value + half, confidence };
}

const standardErrors = ({ confidence }: GatePolicy): number =>
  STANDARD_ERRORS[confidence as keyof typeof STANDARD_ERRORS] ?? STANDARD_ERRORS[95];

/** Too few rows tell nothing: then an interval is as wide as an area can differ. A loss has no such bound. */
const finite = (half: number): number => (Number.isFinite(half) ? half : 1);

function curveOf(scores: Float64Array, labels: Uint8Array): RocAuc {
  const curve = rocAuc(scores, labels);
  if (!curve) throw new Error('The rows to judge by are of one class: nothing can be compared on them');
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
