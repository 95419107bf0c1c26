import { describe, expect, test } from 'vitest';
import { areConserved, countsOf, NOTHING, sum } from '../../../infra/commands/replay/counts.ts';

const metrics = (values: Record<string, number>, namespace = 'Tributary') =>
  JSON.stringify({
    _aws: { Timestamp: 1, CloudWatchMetrics: [{ Namespace: namespace, Dimensions: [['service']], Metrics: [] }] },
    service: 'tributary',
    ...values,
  });

const batch = { RecordsIn: 6, Delivered: 3, Superseded: 1, Deleted: 1, Quarantined: 1, Failed: 0, LabelEvents: 2 };

describe('counts of a batch', () => {
  test('are read from the line of metrics', () => {
    expect(countsOf(metrics(batch))).toEqual({
      ...{ records: 6, delivered: 3, superseded: 1, deleted: 1, quarantined: 1, failed: 0 },
    });
  });

  test.each(['START RequestId', '{"level":"INFO","message":"done"}', '{not JSON', metrics(batch, 'Other')])(
    'are not read from %s',
    (line) => {
      expect(countsOf(line)).toBeUndefined();
    },
  );

  test('add up', () => {
    const counts = countsOf(metrics(batch)) ?? NOTHING;
    expect(sum([])).toEqual(NOTHING);
    expect(sum([counts, counts])).toMatchObject({ records: 12, quarantined: 2 });
  });

  test('are conserved when every record has exactly one fate', () => {
    const counts = countsOf(metrics(batch)) ?? NOTHING;
    expect(areConserved(counts)).toBe(true);
    expect(areConserved({ ...counts, quarantined: 0 })).toBe(false);
    expect(areConserved({ ...counts, deleted: 2 })).toBe(false);
  });
});
