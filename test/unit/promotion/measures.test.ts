import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../infra/demo/customers/random.ts';
import { comparableScores } from '../../../shared/promotion/challenger.ts';
import { floorText, type GatePolicy, type JudgedScores, judge, metricFor } from '../../../shared/promotion/gate.ts';
import type { Labels, Measure } from '../../../shared/promotion/measures/measure.ts';
import { MULTI_CLASS } from '../../../shared/promotion/measures/multi-class.ts';
import { REGRESSION } from '../../../shared/promotion/measures/regression.ts';

/** How labels of several classes, and such that are numbers, are measured and judged. */

const policy: GatePolicy = { metric: 'auc', minimumGain: -0.02, confidence: 95, floor: 0.5 };
const ROWS = 400;

/** Numbers, and predictions that are off by noise of this size. */
function numbers(noise: number, seed: number): { labels: Float64Array; scores: Float64Array } {
  const labels = seededRandom(1);
  const random = seededRandom(seed);
  const of = Float64Array.from({ length: ROWS }, () => 10 * labels.uniform());
  return { labels: of, scores: of.map((it) => it + noise * (2 * random.uniform() - 1)) };
}

/** Three classes, and probabilities that favor the right one by so much. */
function classes(favor: number, seed: number): { labels: Uint8Array; scores: Float64Array } {
  const drawn = seededRandom(1);
  const random = seededRandom(seed);
  const labels = Uint8Array.from({ length: ROWS }, () => Math.floor(3 * drawn.uniform()));
  const scores = Float64Array.from({ length: 3 * ROWS });
  for (const [row, label] of labels.entries()) {
    const sums = [0, 1, 2].map((it) => Math.exp(2 * random.uniform() + (it === label ? favor : 0)));
    const whole = sums.reduce((sum, it) => sum + it, 0);
    for (const [it, sum] of sums.entries()) scores[3 * row + it] = sum / whole;
  }
  return { labels, scores };
}

/** The standard error of a gain by leaving out one row after the other (jackknife). */
function jackknife(measure: Measure, metric: string, ours: Float64Array, theirs: Float64Array, labels: Labels): number {
  const width = ours.length / labels.length;
  const without = (values: Float64Array, row: number, each: number) =>
    values.filter((_, index) => Math.floor(index / each) !== row);
  const gains = Array.from(labels, (_, row) => {
    const kept = without(Float64Array.from(labels), row, 1);
    return measure.gain(without(ours, row, width), without(theirs, row, width), kept, metric).value;
  });
  const middle = gains.reduce((sum, it) => sum + it, 0) / gains.length;
  const squares = gains.reduce((sum, it) => sum + (it - middle) ** 2, 0);
  return Math.sqrt(((gains.length - 1) / gains.length) * squares);
}

describe('measures of numbers', () => {
  const labels = Float64Array.of(1, 2, 3, 4);

  test('are the root of the mean squared error, the mean absolute one, and the share of the variance', () => {
    const { rmse, mae, skill } = REGRESSION.metricsOf(Float64Array.of(1, 2, 3, 6), labels);
    expect([rmse, mae]).toEqual([1, 0.5]);
    expect(skill).toBeCloseTo(1 - 1 / 1.25, 12);
  });

  test.each(['rmse', 'mae'])('have a gain in %s that is a share of the other error, with its error', (metric) => {
    const [better, worse] = [numbers(2, 5), numbers(3, 6)];
    const { value, error } = REGRESSION.gain(better.scores, worse.scores, better.labels, metric);
    const [ours, theirs] = [better, worse].map((it) =>
      REGRESSION.valueOf(REGRESSION.metricsOf(it.scores, it.labels), metric),
    );
    expect(value).toBeCloseTo(1 - (ours ?? 0) / (theirs ?? 0), 12);
    const expected = jackknife(REGRESSION, metric, better.scores, worse.scores, better.labels);
    expect(error / expected).toBeCloseTo(1, 1);
  });

  test('have no gain of a model over itself, and a loss against one without error', () => {
    const { scores, labels: of } = numbers(2, 5);
    expect(REGRESSION.gain(scores, scores, of, 'rmse')).toEqual({ value: 0, error: 0 });
    expect(REGRESSION.gain(of, of, of, 'rmse')).toEqual({ value: 0, error: 0 });
    expect(REGRESSION.gain(scores, of, of, 'rmse').value).toBeLessThan(0);
  });

  test('say nothing where all labels are one', () => {
    expect(() => REGRESSION.metricsOf(labels, Float64Array.of(7, 7, 7, 7))).toThrow('have one label');
  });
});

describe('measures of several classes', () => {
  const labels = Uint8Array.of(0, 1, 2, 2);
  const scores = Float64Array.of(0.5, 0.25, 0.25, 0.1, 0.8, 0.1, 0.2, 0.2, 0.6, 0.7, 0.2, 0.1);

  test('are the log loss of the right class, and the mean of the F1 of each', () => {
    const { logLoss, macroF1, skill } = MULTI_CLASS.metricsOf(scores, labels);
    const loss = -(Math.log(0.5) + Math.log(0.8) + Math.log(0.6) + Math.log(0.1)) / 4;
    expect(logLoss).toBeCloseTo(loss, 12);
    // Of class 0 one is right and one is taken for it; of class 2 one of two is found.
    expect(macroF1).toBeCloseTo((2 / 3 + 1 + 2 / 3) / 3, 12);
    expect(skill).toBeCloseTo(1 - loss / (1.5 * Math.log(2)), 12);
  });

  test.each(['log_loss', 'macro_f1'])('have a gain in %s with its error', (metric) => {
    const [better, worse] = [classes(1.2, 5), classes(0.8, 6)];
    const { value, error } = MULTI_CLASS.gain(better.scores, worse.scores, better.labels, metric);
    expect(value).toBeGreaterThan(0);
    expect(error / jackknife(MULTI_CLASS, metric, better.scores, worse.scores, better.labels)).toBeCloseTo(1, 1);
    expect(MULTI_CLASS.gain(worse.scores, worse.scores, worse.labels, metric)).toEqual({ value: 0, error: 0 });
  });

  test('say nothing where all rows are of one class', () => {
    expect(() => MULTI_CLASS.metricsOf(scores, Uint8Array.of(2, 2, 2, 2))).toThrow('of one class');
  });
});

describe('the gate', () => {
  const ofNumbers = (challenger: Float64Array, champion?: Float64Array): JudgedScores => ({
    ...{ kind: 'regression', labels: numbers(0, 1).labels, challenger, champion },
  });
  const ofClasses = (challenger: Float64Array, champion?: Float64Array): JudgedScores => ({
    ...{ kind: 'multi-class', labels: classes(0, 1).labels, challenger, champion },
  });

  test('compares by the metric that is asked for, or by the first of the kind', () => {
    expect([metricFor('binary', 'log_loss'), metricFor('binary', 'rmse')]).toEqual(['log_loss', 'auc']);
    expect([metricFor('multi-class', 'macro_f1'), metricFor('multi-class', 'auc')]).toEqual(['macro_f1', 'log_loss']);
    expect([metricFor('regression', 'mae'), metricFor('regression', 'auc')]).toEqual(['mae', 'rmse']);
  });

  test('promotes what is as good, refuses what is worse, and says by how much', () => {
    const [good, poor] = [numbers(2, 5).scores, numbers(4, 6).scores];
    expect(judge(ofNumbers(good, poor), policy)).toMatchObject({ decision: 'promote', comparison: { metric: 'rmse' } });
    const refused = judge(ofNumbers(poor, good), { ...policy, metric: 'mae' });
    expect(refused).toMatchObject({ decision: 'refuse', comparison: { metric: 'mae', best: 'champion' } });
    expect(refused.reason).toMatch(
      /^The challenger's mae is \d\.\d{4}, the champion's \d\.\d{4} on the same 400 rows: a gain/,
    );
    const [sure, unsure] = [classes(2, 5).scores, classes(0.5, 6).scores];
    expect(judge(ofClasses(sure, unsure), policy).decision).toBe('promote');
    expect(judge(ofClasses(unsure, sure), policy)).toMatchObject({
      decision: 'refuse',
      comparison: { metric: 'log_loss' },
    });
  });

  test('asks a first model for a skill of twice the floor less 1, and for more than chance', () => {
    expect(floorText('binary', 0.5)).toBe('an AUC that is certainly at least 0.5');
    expect(floorText('regression', 0.5)).toBe('an R² that is certainly at least 0');
    const good = judge(ofNumbers(numbers(2, 5).scores), policy);
    expect(good.reason).toMatch(
      /^No model serves to compare with; the challenger's R² is 0\.\d{4} .* the floor of 0\.$/,
    );
    expect(good.decision).toBe('promote');
    expect(judge(ofNumbers(numbers(4, 5).scores), { ...policy, floor: 0.95 }).decision).toBe('refuse');
    const mean = numbers(0, 1).labels.map(() => 5);
    expect(judge(ofNumbers(mean), { ...policy, floor: 0 }).reason).toMatch(/R² is -0\.0\d+, no better than chance\.$/);
    const even = new Float64Array(3 * ROWS).fill(1 / 3);
    expect(judge(ofClasses(even), { ...policy, floor: 0 }).reason).toContain('no better than chance');
  });

  test('compares with the record of a model that cannot read the rows', () => {
    const { scores } = numbers(2, 5);
    expect(judge(ofNumbers(scores), policy, { skill: 0.5 }).decision).toBe('promote');
    const worse = judge(ofNumbers(scores), policy, { skill: 0.99 });
    expect(worse.decision).toBe('refuse');
    expect(worse.reason).toContain('of another schema, and its R² was 0.9900');
  });

  test('leaves out rows that the champion cannot read, with all their scores', () => {
    const { labels, scores } = classes(1, 5);
    const readable = Uint8Array.from(labels, (_, row) => row % 2);
    const { scores: kept } = comparableScores({ ...ofClasses(scores, scores), readable }, 5);
    expect([kept.labels.length, kept.challenger.length, kept.champion?.length]).toEqual([200, 600, 600]);
    expect(kept.challenger.slice(0, 3)).toEqual(scores.slice(3, 6));
    expect(Array.from(kept.labels)).toEqual(Array.from(labels).filter((_, row) => row % 2 === 1));
    const few = comparableScores({ ...ofNumbers(numbers(1, 2).scores, numbers(1, 3).scores), readable }, 201);
    expect(few.unreadable).toBe('The model that serves can read 200 of the 400 rows.');
  });

  test('refuses scores that are not of every row and class', () => {
    const { labels, scores } = classes(1, 5);
    const champion = scores.slice(3);
    expect(() => judge({ kind: 'multi-class', labels, challenger: scores, champion }, policy)).toThrow(
      'There are 399 scores for 400 rows',
    );
  });
});
