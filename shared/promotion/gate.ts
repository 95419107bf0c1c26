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
  /** Where nothing serves, the interval of the area under a first model's curve must begin there or above. */
  readonly floor: number;
}

/** Labels of rows that nothing chose by, and what the models gave them, in the same order. */
export interface JudgedScores {
  readonly labels: Uint8Array;
  readonly challenger: Float64Array;
  /** Undefined when no model of the same schema serves. */
  readonly champion?: Float64Array | undefined;
  /** Of the best model of that schema to have served, where it is not the champion. */
  readonly leader?: Float64Array | undefined;
  /** Least score that the challenger labelled 1. */
  readonly threshold?: number | undefined;
  /** Where the champion is of another schema: 1 for each row that it can read. Its scores of other rows say nothing. */
  readonly readable?: Uint8Array | undefined;
}

/** What is known of a model of another schema that serves, beside its scores. */
export interface Incumbent {
  /** Area under its curve when it was judged. */
  readonly auc?: number | undefined;
  /** Why it cannot score these rows, as a sentence. */
  readonly unreadable?: string | undefined;
}

interface Metrics {
  readonly auc: number;
  readonly logLoss: number;
}

/** A difference of two models on the same rows, positive if the first is better, with its interval. */
interface Gain {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
}

/** The area under a challenger's curve with its interval, one end of which has to reach `least`. */
interface Area extends Gain {
  readonly least: number;
  /** `low` where nothing serves, and `least` is the floor; `high` where it is the record of a model of another schema. */
  readonly end: 'low' | 'high';
}

/** What the verdict rests on, kept with the epoch. Gains are positive when the challenger is better. */
export interface Comparison {
  readonly metric: GatePolicy['metric'];
  readonly rows: number;
  readonly positives: number;
  readonly challenger: Metrics;
  readonly champion?: Metrics;
  readonly leader?: Metrics;
  /** Over the champion. */
  readonly gain?: Gain;
  readonly gainOverLeader?: Gain;
  /** Where no other model was judged on these rows. */
  readonly area?: Area;
  readonly minimumGain: number;
  /** Which is the best on these rows. The next challengers are compared with it too, if this one is promoted. */
  readonly best: 'challenger' | 'champion' | 'leader';
  readonly threshold?: number | undefined;
}

export interface Verdict {
  readonly decision: 'promote' | 'refuse';
  readonly reason: string;
  readonly comparison: Comparison;
}

/**
 * Judges a challenger. Where a model serves, it is promoted when the whole interval of its gain lies above the policy's
 * minimum, and that of its gain over the best model of its schema that has served, too: each of many challengers may be a
 * little worse than the one before. Where the model that serves cannot read these rows, it is promoted unless it is
 * certainly worse than that one was. Where nothing serves, its interval has to reach the floor. It always has to rank
 * better than chance.
 *
 * @throws Error when the rows are not of both classes, or a model has not scored every row.
 */
export function judge(scores: JudgedScores, policy: GatePolicy, incumbent: Incumbent = {}): Verdict {
  const { labels, challenger, champion, leader, threshold } = scores;
  for (const it of [challenger, champion ?? challenger, leader ?? challenger]) {
    if (it.length !== labels.length) throw new Error(`There are ${it.length} scores for ${labels.length} rows`);
  }
  const common: Comparison = {
    metric: policy.metric,
    rows: labels.length,
    positives: labels.reduce((sum, label) => sum + label, 0),
    challenger: metricsOf(challenger, labels),
    minimumGain: policy.minimumGain,
    best: 'challenger',
    threshold,
  };
  const verdict = champion
    ? judgeByChampion({ labels, challenger, champion, leader }, policy, common)
    : incumbent.auc === undefined
      ? judgeByFloor(curveOf(challenger, labels), policy, common)
      : judgeByRecord(curveOf(challenger, labels), policy, common, incumbent.auc, incumbent.unreadable);
  if (common.challenger.auc > AUC_OF_CHANCE) return verdict;
  const reason = `The challenger's AUC is ${decimals(common.challenger.auc)}, no better than chance.`;
  return { ...verdict, decision: 'refuse', reason };
}

function judgeByFloor(curve: RocAuc, policy: GatePolicy, comparison: Comparison): Verdict {
  const { floor, confidence } = policy;
  const area = areaOf(curve, policy, floor, 'low');
  const { low } = area;
  const enough = low >= floor;
  const reason = `No model serves to compare with; the challenger's AUC is ${decimals(curve.auc)} (at least ${decimals(low)} at ${confidence} %), ${enough ? 'not below' : 'not certainly above'} the floor of ${floor}.`;
  return { decision: enough ? 'promote' : 'refuse', reason, comparison: { ...comparison, area } };
}

/** Against the record of a model that cannot read these rows: it was of others, so that only what is certain counts. */
function judgeByRecord(
  curve: RocAuc,
  policy: GatePolicy,
  comparison: Comparison,
  record: number,
  unreadable = '',
): Verdict {
  // The minimum is in the gate's metric, which may not be the area under the curve.
  const margin = policy.metric === 'auc' ? Math.min(0, policy.minimumGain) : 0;
  const area = areaOf(curve, policy, record + margin, 'high');
  const worse = area.high < area.least;
  const reason =
    `The model that serves is of another schema, and its AUC was ${decimals(record)}; the challenger's is ${decimals(curve.auc)} (at most ${decimals(area.high)} at ${policy.confidence} %), ${worse ? 'certainly' : 'not certainly'} worse. ${unreadable}`.trimEnd();
  return { decision: worse ? 'refuse' : 'promote', reason, comparison: { ...comparison, area } };
}

function judgeByChampion(
  { labels, challenger, champion, leader }: JudgedScores & { readonly champion: Float64Array },
  policy: GatePolicy,
  common: Comparison,
): Verdict {
  const { minimumGain } = policy;
  const gain = gainOf(labels, challenger, champion, policy);
  const gainOverLeader = leader && gainOf(labels, challenger, leader, policy);
  const comparison: Comparison = {
    ...{ ...common, champion: metricsOf(champion, labels), gain, best: bestOf(gain.value, gainOverLeader?.value) },
    ...(leader && gainOverLeader && { leader: metricsOf(leader, labels), gainOverLeader }),
  };
  const [ours, theirs, best] = [challenger, champion, leader].map(
    (it) => it && decimals(metricValue(metricsOf(it, labels), policy)),
  );
  const overChampion = `The challenger's ${policy.metric} is ${ours}, the champion's ${theirs} on the same ${labels.length} rows: ${told(gain)}`;
  if (gain.low <= minimumGain) {
    return { decision: 'refuse', reason: `${overChampion}, not all above the minimum of ${minimumGain}.`, comparison };
  }
  if (gainOverLeader && gainOverLeader.low <= minimumGain) {
    const reason = `${overChampion}. The best model that has served has ${best}: ${told(gainOverLeader)}, not all above the minimum of ${minimumGain}.`;
    return { decision: 'refuse', reason, comparison };
  }
  return { decision: 'promote', reason: `${overChampion}, above the minimum of ${minimumGain}.`, comparison };
}

/** @param overLeader the challenger's gain over the leader, if that is not the champion. */
function bestOf(overChampion: number, overLeader = overChampion): Comparison['best'] {
  if (Math.min(overChampion, overLeader) >= 0) return 'challenger';
  return overChampion <= overLeader ? 'champion' : 'leader';
}

const told = ({ value, low, high, confidence }: Gain): string =>
  `a gain of ${decimals(value)} (${confidence} % interval ${decimals(low)} to ${decimals(high)})`;

function gainOf(labels: Uint8Array, challenger: Float64Array, other: Float64Array, policy: GatePolicy): Gain {
  const { metric, confidence } = policy;
  const [ours, theirs] = [curveOf(challenger, labels), curveOf(other, labels)];
  const lossesOfOurs = losses(challenger, labels);
  const saved = losses(other, labels).map((loss, row) => loss - (lossesOfOurs[row] ?? 0));
  const value = metric === 'auc' ? ours.auc - theirs.auc : mean(saved);
  const error = metric === 'auc' ? standardErrorOfGain(ours, theirs) : Math.sqrt(varianceOfMean(saved));
  const half = finite(standardErrors(policy) * error);
  return { value, low: value - half, high: value + half, confidence };
}

/** An area with its interval, which ends where areas do. */
function areaOf(curve: RocAuc, policy: GatePolicy, least: number, end: Area['end']): Area {
  const half = halfOf(curve, policy);
  const [low, high] = [Math.max(0, curve.auc - half), Math.min(1, curve.auc + half)];
  return { value: curve.auc, low, high, confidence: policy.confidence, least, end };
}

/** Half of the interval of an area. */
function halfOf({ ofPositives, ofNegatives }: RocAuc, policy: GatePolicy): number {
  return finite(standardErrors(policy) * Math.sqrt(varianceOfMean(ofPositives) + varianceOfMean(ofNegatives)));
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

function metricsOf(scores: Float64Array, labels: Uint8Array): Metrics {
  return { auc: curveOf(scores, labels).auc, logLoss: mean(losses(scores, labels)) };
}

function losses(scores: Float64Array, labels: Uint8Array): Float64Array {
  return scores.map((score, row) => {
    const right = labels[row] === 1 ? score : 1 - score;
    return -Math.log(Math.min(Math.max(right, SCORE_MARGIN), 1 - SCORE_MARGIN));
  });
}

function metricValue(metrics: Metrics, { metric }: GatePolicy): number {
  return metric === 'auc' ? metrics.auc : metrics.logLoss;
}

function decimals(value: number): string {
  return value.toFixed(4);
}
