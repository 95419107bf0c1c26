import { expect, test } from 'vitest';
import { agree, correlationRow, correlationsOf, pearson } from '../../../infra/demo/findings/correlation.ts';
import { percentile } from '../../../infra/demo/findings/percentile.ts';

test('correlation is 1 on a rising line, -1 on a falling one, null when one side never changes', () => {
  expect(pearson([1, 2, 3], [10, 20, 30])).toBeCloseTo(1, 12);
  expect(pearson([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 12);
  expect(pearson([1, 2, 3], [5, 5, 5])).toBeNull();
});

test('correlation of a known sample is its published value', () => {
  // Anscombe's quartet, first set.
  const x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
  const y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
  expect(pearson(x, y)).toBeCloseTo(0.81642, 5);
});

test('items without a label do not count', () => {
  const item = (age: string, y?: string) => ({
    ...{ age: { N: age }, duration: { N: age }, campaign: { N: age }, contact: { S: 'telephone' } },
    ...(y !== undefined && { y: { N: y } }),
  });
  const rows = [item('1', '0'), item('2', '1'), item('900')].map(correlationRow).filter((row) => row !== undefined);
  const correlations = correlationsOf(rows);
  expect(correlations.correlation_age_and_target).toBeCloseTo(1, 12);
  expect(correlations.correlation_contact_and_target).toBeNull();
});

test('correlations agree to six decimals', () => {
  const at = (value: number | null) => ({
    correlation_age_and_target: value,
    correlation_duration_and_target: 0.25,
    correlation_campaign_and_target: 0,
    correlation_contact_and_target: null,
  });
  expect(agree(at(0.1234561), at(0.1234562))).toBe(true);
  expect(agree(at(0.123456), at(0.123457))).toBe(false);
  expect(agree(at(null), at(0))).toBe(false);
});

test('a percentile is one of the values, by nearest rank', () => {
  const values = [40, 10, 30, 20];
  expect([0, 0.5, 0.51, 0.99, 1].map((share) => percentile(values, share))).toEqual([10, 20, 30, 40, 40]);
  expect(percentile([], 0.5)).toBeUndefined();
});
