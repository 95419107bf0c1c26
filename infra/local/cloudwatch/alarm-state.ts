import { AwsError } from '../protocol/aws-error.ts';
import { type DimensionInput, type MetricDataQuery, periodMsOf, queryMetrics } from './metric-query.ts';
import { type MetricStore, MINUTE_MS } from './metric-store.ts';

export const STATES = ['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const;
export type AlarmState = (typeof STATES)[number];

/** An alarm's own parameters, as PutMetricAlarm and CloudFormation name them. */
export interface AlarmParameters {
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly DimensionInput[];
  readonly Statistic?: string;
  readonly ExtendedStatistic?: string;
  readonly Period?: number;
  readonly Metrics?: readonly MetricDataQuery[];
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData?: string;
}

const COMPARISONS: Readonly<Record<string, { says: string; holds: (value: number, threshold: number) => boolean }>> = {
  GreaterThanThreshold: { says: 'greater than', holds: (value, threshold) => value > threshold },
  GreaterThanOrEqualToThreshold: { says: 'greater than or equal to', holds: (value, threshold) => value >= threshold },
  LessThanThreshold: { says: 'less than', holds: (value, threshold) => value < threshold },
  LessThanOrEqualToThreshold: { says: 'less than or equal to', holds: (value, threshold) => value <= threshold },
};

const MISSING = ['missing', 'notBreaching', 'breaching', 'ignore'];

/** What an alarm watches, as queries of which the last one decides. @throws AwsError for what is not evaluated here. */
function queriesOf(alarm: AlarmParameters): { queries: readonly MetricDataQuery[]; watched: string } {
  const { Namespace = '', MetricName, Dimensions = [], Statistic, ExtendedStatistic, Period = 60, Metrics } = alarm;
  if (Metrics) {
    const watched = Metrics.filter((it) => String(it.ReturnData) !== 'false');
    const [only] = watched;
    if (watched.length === 1 && only) return { queries: Metrics, watched: only.Id };
    throw new AwsError('ValidationError', 'Exactly one of an alarm’s Metrics must have ReturnData');
  }
  const Stat = ExtendedStatistic ?? Statistic;
  if (MetricName === undefined || Stat === undefined) {
    throw new AwsError('ValidationError', 'An alarm needs Metrics, or a MetricName and its Statistic');
  }
  const MetricStat = { Metric: { Namespace, MetricName, Dimensions }, Period: Number(Period), Stat };
  return { queries: [{ Id: 'm', MetricStat }], watched: 'm' };
}

/** @throws AwsError ValidationError for an alarm that could not be evaluated. */
export function checkAlarm(alarm: AlarmParameters, store: MetricStore): void {
  if (!Object.hasOwn(COMPARISONS, alarm.ComparisonOperator)) {
    throw new AwsError(
      'ValidationError',
      `ComparisonOperator must be one of ${Object.keys(COMPARISONS).join(', ')} here, without a band of anomalies`,
    );
  }
  if (!MISSING.includes(alarm.TreatMissingData ?? 'missing')) {
    throw new AwsError('ValidationError', `TreatMissingData must be one of ${MISSING.join(', ')}`);
  }
  evaluateAlarm(alarm, store, 'INSUFFICIENT_DATA', Date.now());
}

/**
 * An alarm's state from the last periods, the newest of which ends with this minute. It is in ALARM when enough of
 * them breach; data that is missing counts as the alarm says.
 */
export function evaluateAlarm(
  alarm: AlarmParameters,
  store: MetricStore,
  before: AlarmState,
  nowMs: number,
): { state: AlarmState; reason: string } {
  const { queries, watched } = queriesOf(alarm);
  const periodMs = periodMsOf(queries);
  const toMs = Math.ceil((nowMs + 1) / MINUTE_MS) * MINUTE_MS;
  const count = Number(alarm.EvaluationPeriods);
  const fromMs = toMs - count * periodMs;
  const values = queryMetrics(store, queries, { fromMs, toMs }).get(watched) ?? new Map<number, number>();
  const threshold = Number(alarm.Threshold);
  const comparison = COMPARISONS[alarm.ComparisonOperator];
  const breaching = [...values].filter(([, value]) => comparison?.holds(value, threshold));
  const missing = count - values.size;
  const { TreatMissingData: treat = 'missing', DatapointsToAlarm = count } = alarm;
  const breaches = breaching.length + (treat === 'breaching' ? missing : 0);
  if (breaches >= Number(DatapointsToAlarm)) {
    return {
      state: 'ALARM',
      reason: `Threshold Crossed: ${shown(breaching, missing, count)} ${comparison?.says} the threshold (${threshold.toFixed(1)}).`,
    };
  }
  if (values.size > 0 || treat === 'notBreaching' || treat === 'breaching') {
    return {
      state: 'OK',
      reason: `Threshold Crossed: ${shown([...values], missing, count)} not ${comparison?.says} the threshold (${threshold.toFixed(1)}).`,
    };
  }
  if (treat === 'ignore') return { state: before, reason: `No data for ${count} periods, which are ignored.` };
  return { state: 'INSUFFICIENT_DATA', reason: `Insufficient Data: ${count} datapoints were unknown.` };
}

function shown(points: readonly (readonly [number, number])[], missing: number, count: number): string {
  const list = points.map(([timeMs, value]) => `${value} (${new Date(timeMs).toISOString().slice(0, 16)})`).join(', ');
  const known = points.length === 0 ? 'no datapoint' : `${points.length} of ${count} datapoints [${list}]`;
  return `${known}${missing > 0 ? ` and ${missing} missing` : ''} ${points.length === 1 ? 'was' : 'were'}`;
}
