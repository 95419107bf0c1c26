import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { weightsOf } from '../../../shared/training/attempt/weights.ts';

/** Numbers that look drawn, the same each time. */
const spread = (seed: number) => {
  const x = Math.sin(seed * 12.9898) * 43_758.5453;
  return x - Math.floor(x);
};

const probability = (odds: number) => 1 / (1 + Math.exp(-odds));
const scored = (rows: readonly number[][], bias: number, weights: readonly number[]) =>
  rows.map((row) => probability(row.reduce((sum, value, at) => sum + value * (weights[at] ?? 0), bias)));

describe('the weights of a linear model', () => {
  test('are found again from its scores, on whatever scales its columns are', () => {
    const weight = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(weight, { minLength: 1, maxLength: 8 }), weight, (perDeviation, bias) => {
        const scales = perDeviation.map((_, at) => 10 ** ((at % 5) - 2));
        const rows = Array.from({ length: 60 }, (_, row) =>
          scales.map((scale, at) => scale * (spread(row * 31 + at * 7 + 1) - 0.5)),
        );
        const weights = perDeviation.map((it, at) => it / (scales[at] ?? 1));
        const found = weightsOf(rows, scored(rows, bias, weights));
        expect(found).toMatchObject({ isLinear: true, rows: 60 });
        if (!found.isLinear) return;
        expect(found.bias).toBeCloseTo(bias, 5);
        for (const [at, column] of found.columns.entries()) {
          expect((column.weight ?? Number.NaN) * (scales[at] ?? 1)).toBeCloseTo(perDeviation[at] ?? 0, 5);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('are found from scores of a float32, without those that are as good as certain', () => {
    const rows = Array.from({ length: 400 }, (_, row) => [20 * (spread(row + 1) - 0.5), spread(row + 900)]);
    const scores = scored(rows, 0.5, [2, -3]).map(Math.fround);
    const found = weightsOf(rows, scores);
    expect(found.rows).toBeLessThan(400);
    expect(found).toMatchObject({ isLinear: true });
    if (found.isLinear) expect(found.columns.map(({ weight }) => weight?.toFixed(2))).toEqual(['2.00', '-3.00']);
  });

  test('of columns that add up to one are the smallest with the same sums, and of one that never changes unknown', () => {
    const rows = Array.from({ length: 90 }, (_, row) => [
      Number(row % 3 === 0),
      Number(row % 3 === 1),
      Number(row % 3 === 2),
      7,
    ]);
    const found = weightsOf(rows, scored(rows, 0, [1, 2, 3, 0]));
    expect(found).toMatchObject({ isLinear: true });
    if (!found.isLinear) return;
    const [a, b, c, constant] = found.columns.map(({ weight }) => weight ?? Number.NaN) as [
      number,
      number,
      number,
      number,
    ];
    expect(constant).toBeNaN();
    expect([b - a, c - b].map((it) => it.toFixed(4))).toEqual(['1.0000', '1.0000']);
    expect([a, b, c].map((it) => Math.abs(it) < 1.01)).toEqual([true, true, true]);
    expect((found.bias + a).toFixed(4)).toBe('1.0000');
  });

  test('are not there for a model that is not linear, too few rows, or too many columns', () => {
    const rows = Array.from({ length: 200 }, (_, row) => [spread(row + 1) - 0.5, spread(row + 500) - 0.5]);
    const tree = rows.map(([a = 0, b = 0]) => (a * b > 0 ? 0.8 : 0.2));
    expect(weightsOf(rows, tree)).toEqual({
      ...{ isLinear: false, rows: 200, reason: 'Its log odds are no weighted sum of the columns.' },
    });
    expect(weightsOf(rows.slice(0, 5), scored(rows.slice(0, 5), 0, [1, 1]))).toEqual({
      ...{ isLinear: false, rows: 5, reason: 'Its weights take 6 judged rows, of which there are 5.' },
    });
    expect(weightsOf([], [])).toMatchObject({ isLinear: false, rows: 0 });
    const wide = [Array.from({ length: 501 }, () => 0)];
    expect(weightsOf(wide, [0.5])).toMatchObject({ reason: 'It has 501 columns, of at most 500.' });
  });
});
