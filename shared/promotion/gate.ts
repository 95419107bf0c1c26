import type { LabelKind } from '../definition/label.ts';
import { BINARY } from './measures/binary.ts';
import { type Estimate, type Labels, type Measure, type Metrics, widthOf } from './measures/measure.ts';
import { MULTI_CLASS } from './measures/multi-class.ts';
import { REGRESSION } from './measures/regression.ts';

/** Whether a challenger takes the champion's place: pure functions from both models' scores to a verdict. */

const MEASURES: Readonly<Record<LabelKind, Measure>> = {
  binary: BINARY,
  'multi-class': MULTI_CLASS,
  regression: REGRESSION,
};

export const GATE_METRICS = ['auc', 'log_loss', 'macro_f1', 'rmse', 'mae'] as const;

/**
 * The metric that challengers of a kind of label are compared by: the one that is asked for, or, where that one is of
 * another kind, the first of its own.
 */
export function metricFor(kind: LabelKind, asked: GatePolicy['metric']): GatePolicy['metric'] {
  const { metrics } = MEASURES[kind];
  return GATE_METRICS.find((it) => it === (metrics.includes(asked) ? asked : metrics[0])) ?? asked;
}

/** Half width of a two-sided interval of the normal distribution in standard errors, by confidence in per cent. */
const STANDARD_ERRORS = { 80: 1.281552, 90: 1.644854, 95: 1.959964, 99: 2.575829 } as const;

export const GATE_CONFIDENCES = Object.keys(STANDARD_ERRORS).map(Number);

export interface GatePolicy {
  readonly metric: (typeof GATE_METRICS)[number];
  /**
   * Least gain over the champion that the interval must lie above. Positive: the challenger has to be better by so
   * much. Negative: a margin of non-inferiority, within which newer data is worth more than the difference.
   */
  readonly minimumGain: number;
  /** Of the interval, in per cent: one of {@link GATE_CONFIDENCES}. */
  readonly confidence: number;
  /**
   * Where nothing serves, the interval of the area under a first model's curve must begin there or above. Of the other
   * kinds of labels, whose skill is 0 where nothing is known and not 0.5, the floor is twice that, less 1.
   */
  readonly floor: number;
}

/** Labels of rows that nothing chose by, and what the models gave them, in the same order. */
export interface JudgedScores {
  /** Kind of the label. Default: one of two classes. */
  readonly kind?: LabelKind | undefined;
  readonly labels: Labels;
  /** Probability of class 1; of several classes, those of each, side by side; or the number. */
  readonly challenger: Float64Array;
  /** Undefined when no model of the same schema serves. */
  readonly champion?: Float64Array | undefined;
  /** Of the best model of that schema to have served, where it is not the champion. */
  readonly leader?: Float64Array | undefined;
  /** Least score that the challenger labeled 1. */
  readonly threshold?: number | undefined;
  /** Where the champion is of another schema: 1 for each row that it can read. Its scores of other rows say nothing. */
  readonly readable?: Uint8Array | undefined;
}

/** What is known of a model of another schema that serves, beside its scores. */
export interface Incumbent {
  /** Area under its curve when it was judged. */
  readonly auc?: number | undefined;
  /** Its skill when it was judged, of the other kinds of labels. */
  readonly skill?: number | undefined;
  /** Why it cannot score these rows, as a sentence. */
  readonly unreadable?: string | undefined;
}

/** A difference of two models on the same rows, positive if the first is better, with its interval. */
interface Gain {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
}

/** The area under a challenger's curve, or its skill, with its interval, one end of which has to reach `least`. */
interface Area extends Gain {
  /** Of a skill, what it is called. */
  readonly name?: string;
  readonly least: number;
  /** `low` where nothing serves, and `least` is the floor; `high` where it is the record of a model of another schema. */
  readonly end: 'low' | 'high';
}

/** What the verdict rests on, kept with the epoch. Gains are positive when the challenger is better. */
export interface Comparison {
  readonly metric: GatePolicy['metric'];
  readonly rows: number;
  /** Rows of class 1, of two classes. */
  readonly positives?: number;
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
 * @throws Error when the rows are of one class or have one label, or a model has not scored every row.
 */
export function judge(scores: JudgedScores, asked: GatePolicy, incumbent: Incumbent = {}): Verdict {
  const { kind = 'binary', labels, challenger, champion, leader, threshold } = scores;
  for (const it of [challenger, champion ?? challenger, leader ?? challenger]) {
    const found = it.length / (kind === 'multi-class' ? widthOf(challenger, labels) : 1);
    if (found !== labels.length) throw new Error(`There are ${found} scores for ${labels.length} rows`);
  }
  const policy = { ...asked, metric: metricFor(kind, asked.metric) };
  const measure = MEASURES[kind];
  const common: Comparison = {
    metric: policy.metric,
    rows: labels.length,
    ...(kind === 'binary' && { positives: rowsOfClass(labels, 1) }),
    challenger: measure.metricsOf(challenger, labels),
    minimumGain: policy.minimumGain,
    best: 'challenger',
    threshold,
  };
  const skill = measure.skillOf(challenger, labels);
  const record = incumbent.auc ?? incumbent.skill;
  const { name, ofNothing } = measure.skill;
  const verdict = champion
    ? judgeByChampion({ ...scores, champion }, policy, common)
    : record === undefined
      ? judgeByFloor(skill, measure, policy, common)
      : judgeByRecord(skill, measure, policy, common, record, incumbent.unreadable);
  if (skill.value > ofNothing) return verdict;
  const reason = `The challenger's ${name} is ${decimals(skill.value)}, no better than chance.`;
  return { ...verdict, decision: 'refuse', reason };
}

/** Rows of a class. */
export const rowsOfClass = (labels: Labels, label: number): number =>
  Uint8Array.from(labels, (it) => (it === label ? 1 : 0)).reduce((sum, it) => sum + it, 0);

const measureOf = ({ kind = 'binary' }: JudgedScores): Measure => MEASURES[kind];

const floorOf = ({ skill }: Measure, floor: number): number => (skill.ofNothing === 0 ? 2 * floor - 1 : floor);

/** What the gate asks of a first model, in words. */
export function floorText(kind: LabelKind, floor: number): string {
  const measure = MEASURES[kind];
  const { name } = measure.skill;
  return `${kind === 'multi-class' ? 'a' : 'an'} ${name} that is certainly at least ${floorOf(measure, floor)}`;
}

function judgeByFloor(skill: Estimate, measure: Measure, policy: GatePolicy, comparison: Comparison): Verdict {
  const floor = floorOf(measure, policy.floor);
  const area = areaOf(skill, measure, policy, floor, 'low');
  const { low, confidence } = area;
  const enough = low >= floor;
  const reason = `No model serves to compare with; the challenger's ${measure.skill.name} is ${decimals(skill.value)} (at least ${decimals(low)} at ${confidence} %), ${enough ? 'not below' : 'not certainly above'} the floor of ${floor}.`;
  return { decision: enough ? 'promote' : 'refuse', reason, comparison: { ...comparison, area } };
}

/** Against the record of a model that cannot read these rows: it was of others, so that only what is certain counts. */
function judgeByRecord(
  skill: Estimate,
  measure: Measure,
  policy: GatePolicy,
  comparison: Comparison,
  record: number,
  unreadable = '',
): Verdict {
  // The minimum is in the gate's metric, which may not be the area under the curve.
  const margin = policy.metric === 'auc' ? Math.min(0, policy.minimumGain) : 0;
  const area = areaOf(skill, measure, policy, record + margin, 'high');
  const worse = area.high < area.least;
  const reason =
    `The model that serves is of another schema, and its ${measure.skill.name} was ${decimals(record)}; the challenger's is ${decimals(skill.value)} (at most ${decimals(area.high)} at ${policy.confidence} %), ${worse ? 'certainly' : 'not certainly'} worse. ${unreadable}`.trimEnd();
  return { decision: worse ? 'refuse' : 'promote', reason, comparison: { ...comparison, area } };
}

function judgeByChampion(
  scores: JudgedScores & { readonly champion: Float64Array },
  policy: GatePolicy,
  common: Comparison,
): Verdict {
  const { labels, challenger, champion, leader } = scores;
  const { minimumGain } = policy;
  const measure = measureOf(scores);
  const gain = gainOf(scores, challenger, champion, policy);
  const gainOverLeader = leader && gainOf(scores, challenger, leader, policy);
  const comparison: Comparison = {
    ...common,
    ...{ champion: measure.metricsOf(champion, labels), gain, best: bestOf(gain.value, gainOverLeader?.value) },
    ...(leader && gainOverLeader && { leader: measure.metricsOf(leader, labels), gainOverLeader }),
  };
  const [ours, theirs, best] = [comparison.challenger, comparison.champion, comparison.leader].map(
    (it) => it && decimals(measure.valueOf(it, policy.metric)),
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

function gainOf(scores: JudgedScores, challenger: Float64Array, other: Float64Array, policy: GatePolicy): Gain {
  const { value, error } = measureOf(scores).gain(challenger, other, scores.labels, policy.metric);
  const half = finite(standardErrors(policy) * error);
  return { value, low: value - half, high: value + half, confidence: policy.confidence };
}

/** A skill with its interval, which ends where skills do. */
function areaOf(skill: Estimate, measure: Measure, policy: GatePolicy, least: number, end: Area['end']): Area {
  const { name, least: lowest } = measure.skill;
  const half = finite(standardErrors(policy) * skill.error);
  const [low, high] = [Math.max(lowest, skill.value - half), Math.min(1, skill.value + half)];
  const interval = { value: skill.value, low, high, confidence: policy.confidence, least, end };
  return measure === BINARY ? interval : { ...interval, name };
}

const standardErrors = ({ confidence }: GatePolicy): number =>
  STANDARD_ERRORS[confidence as keyof typeof STANDARD_ERRORS] ?? STANDARD_ERRORS[95];

/** Too few rows tell nothing: then an interval is as wide as an area can differ. A loss has no such bound. */
const finite = (half: number): number => (Number.isFinite(half) ? half : 1);

function decimals(value: number): string {
  return value.toFixed(4);
}
