import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { type AlarmParameters, evaluateAlarm } from '../../../infra/local/cloudwatch/alarm-state.ts';
import { recordEmbedded } from '../../../infra/local/cloudwatch/embedded-metrics.ts';
import { evaluateMath } from '../../../infra/local/cloudwatch/metric-math.ts';
import { type Datum, MetricStore, MINUTE_MS } from '../../../infra/local/cloudwatch/metric-store.ts';
import { statisticOf } from '../../../infra/local/cloudwatch/statistics.ts';

const PERIODS = [0, 1, 2];
const series = new Map([
  [
    'a',
    new Map([
      [0, 1],
      [1, 2],
    ]),
  ],
  [
    'b',
    new Map([
      [1, 10],
      [2, 20],
    ]),
  ],
]);
const evaluated = (expression: string) => Object.fromEntries(evaluateMath(expression, series, PERIODS));

describe('metric math', () => {
  test.each<[string, Record<number, number>]>([
    ['a', { 0: 1, 1: 2 }],
    ['a + b', { 1: 12 }],
    ['FILL(a, 0) + FILL(b, 0)', { 0: 1, 1: 12, 2: 20 }],
    ['ABS(a - b * 2)', { 1: 18 }],
    ['-a', { 0: -1, 1: -2 }],
    ['(a + 1) * 2', { 0: 4, 1: 6 }],
    ['10 / 4 - 1', { 0: 1.5, 1: 1.5, 2: 1.5 }],
    ['IF(a > 1, 100, 0)', { 0: 0, 1: 100 }],
    ['SUM([a, b])', { 0: 1, 1: 12, 2: 20 }],
    ['MAX(METRICS())', { 0: 1, 1: 10, 2: 20 }],
    ['FLOOR(a / 2)', { 0: 0, 1: 1 }],
  ])('%s', (expression, expected) => expect(evaluated(expression)).toEqual(expected));

  test.each([
    'SEARCH(\'{AWS/Lambda}\', "Sum")',
    'RATE(a)',
    'c',
    'a +',
    '(a',
    '[a, b]',
    'a b',
    'constructor(a)',
    'FILL(a)',
  ])('%s is refused', (expression) => expect(() => evaluated(expression)).toThrow(/cannot be evaluated/));
});

test('a percentile is the least value that so many of a hundred do not exceed', () => {
  const values = Array.from({ length: 100 }, (_, index) => ({ value: index + 1, count: 1 }));
  expect(statisticOf('p95')({ startMs: 0, values })).toBe(95);
  expect(statisticOf('p100')({ startMs: 0, values })).toBe(100);
  expect(
    statisticOf('p50')({
      startMs: 0,
      values: [
        { value: 1, count: 9 },
        { value: 7, count: 1 },
      ],
    }),
  ).toBe(1);
  expect(() => statisticOf('tm99')).toThrow(/not tm99/);
});

describe('an alarm', () => {
  const NOW = Date.UTC(2026, 0, 1, 12, 0, 30);
  const metric = { namespace: 'N', name: 'm', dimensions: { d: '1' } };
  const alarm = (more: Partial<AlarmParameters> = {}): AlarmParameters => ({
    ...{ Namespace: 'N', MetricName: 'm', Dimensions: [{ Name: 'd', Value: '1' }], Statistic: 'Sum', Period: 60 },
    ...{ EvaluationPeriods: 3, Threshold: 5, ComparisonOperator: 'GreaterThanThreshold', ...more },
  });
  const stateAfter = (minutesAgo: Readonly<Record<number, number>>, more?: Partial<AlarmParameters>) => {
    const store = new MetricStore(new DatabaseSync(':memory:'));
    for (const [minutes, value] of Object.entries(minutesAgo))
      store.record({ ...metric, value, timeMs: NOW - Number(minutes) * MINUTE_MS });
    return evaluateAlarm(alarm(more), store, 'OK', NOW).state;
  };

  test.each<[string, Record<number, number>, Partial<AlarmParameters>, string]>([
    ['every period breaches', { 0: 6, 1: 6, 2: 6 }, {}, 'ALARM'],
    ['one period does not breach', { 0: 6, 1: 5, 2: 6 }, {}, 'OK'],
    ['enough of the periods breach', { 0: 6, 1: 5, 2: 6 }, { DatapointsToAlarm: 2 }, 'ALARM'],
    ['what breached is too long ago', { 3: 6, 4: 6, 5: 6 }, { TreatMissingData: 'notBreaching' }, 'OK'],
    ['there is no data', {}, {}, 'INSUFFICIENT_DATA'],
    ['there is no data, which does not breach', {}, { TreatMissingData: 'notBreaching' }, 'OK'],
    ['there is no data, which breaches', {}, { TreatMissingData: 'breaching' }, 'ALARM'],
    ['there is no data, which is ignored', {}, { TreatMissingData: 'ignore' }, 'OK'],
    ['a missing period does not breach', { 0: 6, 2: 6 }, { TreatMissingData: 'notBreaching' }, 'OK'],
    ['a value is too low', { 0: 1 }, { ComparisonOperator: 'LessThanThreshold', EvaluationPeriods: 1 }, 'ALARM'],
  ])('when %s', (_, values, more, expected) => expect(stateAfter(values, more)).toBe(expected));

  test('of an expression is judged by its result', () => {
    const stat = (Id: string, MetricName: string) => ({
      Id,
      ReturnData: false,
      MetricStat: { Metric: { Namespace: 'N', MetricName, Dimensions: [] }, Period: 300, Stat: 'Sum' },
    });
    const store = new MetricStore(new DatabaseSync(':memory:'));
    const unbalanced = alarm({
      ...{
        Metrics: [{ Id: 'result', Expression: 'ABS(in - out)' }, stat('in', 'In'), stat('out', 'Out')],
        Threshold: 0,
        EvaluationPeriods: 1,
      },
      TreatMissingData: 'notBreaching',
    });
    const put = (name: string, value: number) =>
      store.record({ namespace: 'N', name, dimensions: {}, value, timeMs: NOW });
    expect(evaluateAlarm(unbalanced, store, 'OK', NOW).state).toBe('OK');
    put('In', 7);
    put('Out', 7);
    expect(evaluateAlarm(unbalanced, store, 'OK', NOW).state).toBe('OK');
    put('In', 1);
    expect(evaluateAlarm(unbalanced, store, 'OK', NOW)).toMatchObject({
      state: 'ALARM',
      reason: expect.stringMatching(/greater than the threshold \(0\.0\)/),
    });
  });
});

describe('a line in the embedded metric format', () => {
  const recorded = (line: string) => {
    const found: Datum[] = [];
    recordEmbedded(line, (datum) => found.push(datum));
    return found;
  };

  test('gives every metric of every set of dimensions, at the time it says', () => {
    const directive = {
      Namespace: 'T',
      Dimensions: [['service'], ['service', 'group']],
      Metrics: [{ Name: 'In' }, { Name: 'Lag' }],
    };
    const line = {
      _aws: { Timestamp: 5, CloudWatchMetrics: [directive] },
      service: 's',
      group: 'g',
      In: [1, 2],
      Lag: 3,
    };
    expect(recorded(JSON.stringify(line))).toEqual([
      { namespace: 'T', name: 'In', dimensions: { service: 's' }, value: 1, timeMs: 5 },
      { namespace: 'T', name: 'In', dimensions: { service: 's' }, value: 2, timeMs: 5 },
      { namespace: 'T', name: 'In', dimensions: { service: 's', group: 'g' }, value: 1, timeMs: 5 },
      { namespace: 'T', name: 'In', dimensions: { service: 's', group: 'g' }, value: 2, timeMs: 5 },
      { namespace: 'T', name: 'Lag', dimensions: { service: 's' }, value: 3, timeMs: 5 },
      { namespace: 'T', name: 'Lag', dimensions: { service: 's', group: 'g' }, value: 3, timeMs: 5 },
    ]);
  });

  test.each([
    'plain',
    '{"level":"INFO"}',
    '{"_aws":',
    '{"_aws":null}',
    '{"_aws":{"CloudWatchMetrics":[{"Namespace":1}]}}',
  ])('that is none, %s, gives nothing', (line) => expect(recorded(line)).toEqual([]));
});
