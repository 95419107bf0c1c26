import { AwsError } from '../protocol/aws-error.ts';
import { evaluateMath, type Series } from './metric-math.ts';
import { type Dimensions, type MetricStore, MINUTE_MS } from './metric-store.ts';
import { statisticOf } from './statistics.ts';

export interface DimensionInput {
  readonly Name: string;
  readonly Value?: string;
}

/** A metric, or an expression over others, as alarms and GetMetricData take it. */
export interface MetricDataQuery {
  readonly Id: string;
  readonly Label?: string;
  readonly ReturnData?: boolean;
  readonly Expression?: string;
  readonly Period?: number;
  readonly MetricStat?: {
    readonly Metric: {
      readonly Namespace: string;
      readonly MetricName: string;
      readonly Dimensions?: readonly DimensionInput[];
    };
    readonly Period: number;
    readonly Stat: string;
    readonly Unit?: string;
  };
}

export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

export function dimensionsOf(dimensions: readonly DimensionInput[] = []): Dimensions {
  return Object.fromEntries(dimensions.map(({ Name, Value = '' }) => [Name, Value]));
}

/** Length of a query's periods in milliseconds: an expression has those of the metrics it is over. */
export function periodMsOf(queries: readonly MetricDataQuery[]): number {
  const seconds = queries.map((it) => Number(it.MetricStat?.Period ?? it.Period ?? 0));
  const longest = Math.max(...seconds, MINUTE_MS / 1_000);
  if (longest % 60 === 0) return longest * 1_000;
  throw new AwsError('InvalidParameterValue', `Period is ${longest}, and must be a multiple of 60 here.`);
}

/**
 * The values of every query, expressions after the metrics that they name.
 *
 * @throws AwsError for a statistic or an expression that is not evaluated here.
 */
export function queryMetrics(
  store: MetricStore,
  queries: readonly MetricDataQuery[],
  range: Range,
): Map<string, Series> {
  const periodMs = periodMsOf(queries);
  const periods: number[] = [];
  for (let period = range.fromMs; period < range.toMs; period += periodMs) periods.push(period);
  const found = new Map<string, Series>();
  for (const { Id, MetricStat } of queries) {
    if (!MetricStat) continue;
    const { Namespace: namespace, MetricName: name, Dimensions } = MetricStat.Metric;
    const statistic = statisticOf(MetricStat.Stat);
    const samples = store.read({ namespace, name, dimensions: dimensionsOf(Dimensions) }, { ...range, periodMs });
    found.set(Id, new Map(samples.map((sample) => [sample.startMs, statistic(sample)])));
  }
  for (const { Id, Expression } of queries) {
    if (Expression !== undefined) found.set(Id, evaluateMath(Expression, found, periods));
  }
  return found;
}
