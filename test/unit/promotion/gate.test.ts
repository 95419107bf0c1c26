import { describe, expect, test } from 'vitest';
import { type GatePolicy, judge } from '../../../shared/promotion/gate.ts';
import { mean, rocAuc, standardErrorOfGain, varianceOfMean } from '../../../shared/promotion/roc-auc.ts';
import { scoresOf } from '../../../shared/promotion/scores.ts';

/** Mulberry32: numbers from 0 to 1, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Rows of which `quality` (0 to 1) of a score is the label, and the rest chance; scores have ties. */
function scored(rows: number, quality: number, seed: number, labels = labeled(rows, seed)) {
  const next = random(seed + 1);
  const scores = Float64Array.from(
    labels,
    (label) => Math.round((quality * label + (1 - quality) * next()) * 200) / 200,
  );
  return { labels, scores };
}

function labeled(rows: number, seed: number): Uint8Array {
  const next = random(seed);
  return Uint8Array.from({ length: rows }, () => (next() < 0.3 ? 1 : 0));
}

const policy: GatePolicy = { metric: 'auc', minimumGain: -0.02, confidence: 95, floor: 0.5 };

describe('the area under the curve', () => {
  test.each([1, 2, 3])('is the share of pairs ranked rightly, ties counting half (seed %s)', (seed) => {
    const { labels, scores } = scored(120, 0.3, seed);
    let right = 0;
    let pairs = 0;
    labels.forEach((a, i) => {
      labels.forEach((b, j) => {
        if (a !== 1 || b !== 0) return;
        pairs += 1;
        const [positive = 0, negative = 0] = [scores[i], scores[j]];
        right += positive > negative ? 1 : positive === negative ? 0.5 : 0;
      });
    });
    expect(rocAuc(scores, labels)?.auc).toBeCloseTo(right / pairs, 12);
  });

  test('is not there for rows of one class', () => {
    expect(rocAuc(Float64Array.of(0.1, 0.2), Uint8Array.of(1, 1))).toBeUndefined();
    expect(rocAuc(Float64Array.of(0.1, 0.2), Uint8Array.of(0, 0))).toBeUndefined();
  });

  test('has a standard error of gain that agrees with the bootstrap', () => {
    const { labels, scores: a } = scored(400, 0.35, 5);
    const { scores: b } = scored(400, 0.25, 6, labels);
    const [first, second] = [rocAuc(a, labels), rocAuc(b, labels)];
    if (!first || !second) throw new Error('both classes are there');
    const next = random(7);
    const gains = Float64Array.from({ length: 300 }, () => {
      const rows = Uint32Array.from(labels, () => Math.floor(next() * labels.length));
      const pick = (scores: Float64Array) => Float64Array.from(rows, (row) => scores[row] ?? 0);
      const picked = Uint8Array.from(rows, (row) => labels[row] ?? 0);
      return (rocAuc(pick(a), picked)?.auc ?? 0) - (rocAuc(pick(b), picked)?.auc ?? 0);
    });
    const middle = mean(gains);
    const deviation = Math.sqrt(mean(gains.map((gain) => (gain - middle) ** 2)));
    expect(standardErrorOfGain(first, second) / deviation).toBeGreaterThan(0.85);
    expect(standardErrorOfGain(first, second) / deviation).toBeLessThan(1.15);
  });
});

describe('the variance of a mean', () => {
  test('is that of the sample, with one row less, by the rows', () => {
    expect(varianceOfMean(Float64Array.of(1, 2, 3, 6))).toBeCloseTo(14 / 3 / 4, 12);
    expect(varianceOfMean(Float64Array.of(1, 3))).toBeCloseTo(1, 12);
  });

  test('of fewer than two rows is infinite', () => {
    expect([varianceOfMean(Float64Array.of(1)), varianceOfMean(Float64Array.of())]).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });
});

describe('the gate', () => {
  const labels = labeled(1_000, 1);
  const good = scored(1_000, 0.4, 2, labels).scores;
  const poor = scored(1_000, 0.2, 3, labels).scores;

  test('promotes a first model that ranks better than chance, and refuses one that does not', () => {
    expect(judge({ labels, challenger: good }, policy)).toMatchObject({ decision: 'promote' });
    const upsideDown = good.map((score) => 1 - score);
    expect(judge({ labels, challenger: upsideDown }, policy)).toMatchObject({ decision: 'refuse' });
  });

  test.each(['auc', 'log_loss'] as const)('promotes the better of two and refuses the worse by %s', (metric) => {
    const by = { ...policy, metric };
    const better = judge({ labels, challenger: good, champion: poor }, by);
    expect(better.decision).toBe('promote');
    expect(better.comparison.gain?.low).toBeGreaterThan(0);
    const worse = judge({ labels, challenger: poor, champion: good }, by);
    expect(worse.decision).toBe('refuse');
    expect(worse.comparison.gain?.value).toBeCloseTo(-(better.comparison.gain?.value ?? 0), 12);
    expect(worse.reason).toMatch(/not all above the minimum of -0.02/);
  });

  test('promotes the same model again within the margin, and not when a gain is asked for', () => {
    const same = { labels, challenger: good, champion: good };
    expect(judge(same, policy)).toMatchObject({ decision: 'promote', comparison: { gain: { low: 0, high: 0 } } });
    expect(judge(same, { ...policy, minimumGain: 0.01 })).toMatchObject({ decision: 'refuse' });
  });

  test('wants more rows the narrower its margin: what the interval reaches below is refused', () => {
    const few = labels.slice(0, 40);
    const verdict = judge({ labels: few, challenger: good.slice(0, 40), champion: poor.slice(0, 40) }, policy);
    expect(verdict.comparison.gain?.low).toBeLessThan(verdict.comparison.gain?.value ?? 0);
    const tiny = { labels: Uint8Array.of(0, 1), challenger: Float64Array.of(0, 1), champion: Float64Array.of(0, 1) };
    expect(judge(tiny, policy)).toMatchObject({ decision: 'refuse', comparison: { gain: { low: -1, high: 1 } } });
  });

  test('has a wider interval for more confidence', () => {
    const low = (confidence: number) =>
      judge({ labels, challenger: good, champion: poor }, { ...policy, confidence }).comparison.gain?.low ?? 0;
    const [at80 = 0, at90 = 0, at95 = 0, at99 = 0] = [80, 90, 95, 99].map(low);
    expect([at80 > at90, at90 > at95, at95 > at99]).toEqual([true, true, true]);
  });

  test('gives a gain in log loss with the interval of its mean, by the figures', () => {
    const rows = {
      labels: Uint8Array.of(1, 0, 1, 0),
      challenger: Float64Array.of(0.9, 0.2, 0.8, 0.1),
      champion: Float64Array.of(0.6, 0.5, 0.7, 0.3),
    };
    const ours = [0.9, 0.8, 0.8, 0.9].map((right) => -Math.log(right));
    const theirs = [0.6, 0.5, 0.7, 0.7].map((right) => -Math.log(right));
    const saved = theirs.map((loss, row) => loss - (ours[row] ?? 0));
    const middle = saved.reduce((sum, it) => sum + it, 0) / 4;
    const error = Math.sqrt(saved.reduce((sum, it) => sum + (it - middle) ** 2, 0) / 3 / 4);
    const { comparison } = judge(rows, { ...policy, metric: 'log_loss' });
    expect(comparison.gain?.value).toBeCloseTo(middle, 12);
    expect(((comparison.gain?.high ?? 0) - middle) / error).toBeCloseTo(1.96, 2);
    expect((middle - (comparison.gain?.low ?? 0)) / error).toBeCloseTo(1.96, 2);
    expect(comparison.challenger.logLoss).toBeCloseTo(ours.reduce((sum, it) => sum + it, 0) / 4, 12);
  });

  test('gives a gain in the area under the curve as the difference of the two', () => {
    const { comparison } = judge({ labels, challenger: good, champion: poor }, policy);
    const wanted = (rocAuc(good, labels)?.auc ?? 0) - (rocAuc(poor, labels)?.auc ?? 0);
    expect(comparison.gain?.value).toBeCloseTo(wanted, 12);
    expect(
      judge({ labels, challenger: good, champion: poor }, { ...policy, metric: 'log_loss' }).comparison.gain?.value,
    ).not.toBeCloseTo(wanted, 3);
  });

  test('refuses a challenger that ranks worse than chance, even where the champion is worse still', () => {
    const [worse, worst] = [good.map((score) => 1 - 0.9 * score), good.map((score) => 1 - score)];
    expect(judge({ labels, challenger: worse, champion: worst }, policy)).toMatchObject({
      decision: 'refuse',
      reason: expect.stringContaining('no better than chance'),
    });
  });

  test('where nothing serves asks for the floor', () => {
    expect(judge({ labels, challenger: poor }, { ...policy, floor: 0.9 })).toMatchObject({
      decision: 'refuse',
      reason: expect.stringContaining('not certainly above the floor of 0.9'),
    });
    expect(judge({ labels, challenger: good }, policy)).toMatchObject({
      decision: 'promote',
      reason: expect.stringContaining('not below the floor of 0.5'),
    });
  });

  test('where nothing serves is not satisfied by an area above the floor that may be chance', () => {
    const few = { labels: Uint8Array.of(1, 0, 1, 0, 0), challenger: Float64Array.of(0.9, 0.1, 0.2, 0.15, 0.3) };
    const verdict = judge(few, policy);
    expect(verdict.comparison.challenger.auc).toBeGreaterThan(0.8);
    expect(verdict.decision).toBe('refuse');
    expect(judge(few, { ...policy, floor: 0 }).decision).toBe('promote');
    const one = { labels: Uint8Array.of(1, 0, 0), challenger: Float64Array.of(0.9, 0.1, 0.2) };
    expect(judge(one, policy).reason).toContain('(at least 0.0000 at 95 %)');
  });

  test('where a model of another schema serves refuses only what is certainly worse than that was', () => {
    const auc = rocAuc(poor, labels)?.auc ?? 0;
    const decision = (record: number) =>
      judge({ labels, challenger: poor }, { ...policy, floor: 0.99 }, { auc: record }).decision;
    expect(decision(auc)).toBe('promote');
    expect(decision(auc + 0.03)).toBe('promote');
    expect(decision(auc + 0.15)).toBe('refuse');
  });

  test('where no model is beside it keeps the interval of its area, and the end that had to reach the least', () => {
    const { area, ...first } = judge({ labels, challenger: good }, policy).comparison;
    expect(first.gain).toBeUndefined();
    expect(area).toMatchObject({ value: first.challenger.auc, least: 0.5, end: 'low', confidence: 95 });
    expect([0.5, area?.low, area?.value, area?.high, 1]).toEqual(
      [0.5, area?.low, area?.value, area?.high, 1].toSorted((one = 0, other = 0) => one - other),
    );
    const ofRecord = judge({ labels, challenger: poor }, policy, { auc: 0.9 }).comparison.area;
    expect(ofRecord).toMatchObject({ least: 0.88, end: 'high' });
    expect(judge({ labels, challenger: good, champion: poor }, policy).comparison.area).toBeUndefined();
  });

  /** Judges one challenger after another, each beside what serves by then and the best that has served. */
  function chain(rows: Uint8Array, first: Float64Array, challengers: readonly Float64Array[]) {
    let [champion, leader] = [first, first];
    const promoted: number[] = [];
    challengers.forEach((challenger, index) => {
      const beside = leader === champion ? undefined : leader;
      const { decision, comparison } = judge({ labels: rows, challenger, champion, leader: beside }, policy);
      if (decision === 'refuse') return;
      promoted.push(index + 1);
      leader = { challenger, champion, leader }[comparison.best];
      champion = challenger;
    });
    return { champion, promoted };
  }

  test('lets no model get worse for ever: each is compared with the best that has served', () => {
    const many = labeled(4_000, 11);
    const noise = scored(4_000, 0, 12, many).scores;
    const best = scored(4_000, 0.45, 13, many).scores;
    const worseBy = (step: number) => best.map((score, row) => score + step * 0.01 * (noise[row] ?? 0));
    const aucOf = (scores: Float64Array) => rocAuc(scores, many)?.auc ?? 0;
    const steps = Array.from({ length: 30 }, (_, step) => worseBy((step + 1) * 8));
    const { champion, promoted } = chain(many, best, steps);
    expect(promoted.length).toBeGreaterThan(1);
    expect(aucOf(best) - aucOf(champion)).toBeLessThan(0.02);
    expect(aucOf(best) - aucOf(worseBy(240))).toBeGreaterThan(0.05);
  });

  test('stops a chain of 19 challengers, each of which is within the margin of the one before', () => {
    const [rows, next] = [12_000, random(5)];
    const gauss = () => Math.sqrt(-2 * Math.log(next() + 1e-12)) * Math.cos(2 * Math.PI * next());
    const many = Uint8Array.from({ length: rows }, () => (next() < 0.12 ? 1 : 0));
    const common = Array.from({ length: rows }, gauss);
    // Models of the same features share most of their noise.
    const scoresBy = (signal: number) =>
      Float64Array.from(many, (label, row) => signal * label + (common[row] ?? 0) + gauss() * 0.15).map(
        (it) => 1 / (1 + Math.exp(2 - it)),
      );
    const aucOf = (scores: Float64Array) => rocAuc(scores, many)?.auc ?? 0;
    const best = scoresBy(1.6);
    const challengers = Array.from({ length: 19 }, (_, epoch) => scoresBy(1.6 - 0.055 * (epoch + 1)));
    let [alone, promotedWithoutMemory] = [best, 0];
    for (const challenger of challengers) {
      if (judge({ labels: many, challenger, champion: alone }, policy).decision === 'refuse') continue;
      [alone, promotedWithoutMemory] = [challenger, promotedWithoutMemory + 1];
    }
    const { champion, promoted } = chain(many, best, challengers);
    expect(promotedWithoutMemory).toBe(19);
    expect(promoted.length).toBeLessThan(3);
    expect(aucOf(best) - aucOf(champion)).toBeLessThan(0.02);
    expect(aucOf(best) - aucOf(alone)).toBeGreaterThan(0.1);
  });

  test('refuses what is not certainly as good as the best that has served, with its figures', () => {
    const { decision, reason, comparison } = judge({ labels, challenger: poor, champion: poor, leader: good }, policy);
    expect(decision).toBe('refuse');
    expect(reason).toContain(`The best model that has served has ${comparison.leader?.auc?.toFixed(4)}: a gain of -`);
    expect(comparison.gainOverLeader?.high).toBeLessThan(-0.02);
  });

  test('names the best of the three on these rows', () => {
    const best = (challenger: Float64Array, champion: Float64Array, leader?: Float64Array) =>
      judge({ labels, challenger, champion, leader }, policy).comparison.best;
    expect(best(good, poor)).toBe('challenger');
    expect(best(poor, good)).toBe('champion');
    expect(best(good, poor, poor)).toBe('challenger');
    expect(best(poor, good, poor)).toBe('champion');
    expect(best(poor, poor, good)).toBe('leader');
    // Equal: the newer one.
    expect(best(good, good, good)).toBe('challenger');
  });

  test('judges nothing when a model has not scored every row', () => {
    expect(() => judge({ labels, challenger: good.slice(1) }, policy)).toThrow('999 scores for 1000 rows');
  });
});

describe('a line of scores', () => {
  test('is read as linear-learner writes it, and as XGBoost does', () => {
    expect(scoresOf('{"score":0.25,"predicted_label":0.0}')).toEqual([[0.25]]);
    expect(scoresOf('{"score":[0.25,0.5,0.25],"predicted_label":1.0}')).toEqual([[0.25, 0.5, 0.25]]);
    expect(scoresOf('{"predictions":[{"score":0.5},{"score":1}]}')).toEqual([[0.5], [1]]);
    expect(scoresOf('[0.25, 0.5, 0.25]')).toEqual([[0.25, 0.5, 0.25]]);
    expect(scoresOf('0.125')).toEqual([[0.125]]);
    expect(scoresOf('0.125,0.5')).toEqual([[0.125], [0.5]]);
    expect(() => scoresOf('none')).toThrow('Not the scores of a model: none');
  });
});
