import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import { pageOf } from '../protocol/page.ts';
import type { Operation } from '../protocol/service.ts';
import { type DimensionInput, dimensionsOf, type MetricDataQuery, periodMsOf, queryMetrics } from './metric-query.ts';
import type { MetricStore } from './metric-store.ts';
import { statisticOf } from './statistics.ts';

/** Source: PutMetricData: metrics a call, values a metric, dimensions, and how old or early a value may be. */
const METRICS_MAX = 1_000;
const VALUES_MAX = 150;
const DIMENSIONS_MAX = 30;
const AGE_MS_MAX = 14 * 24 * 3_600_000;
const FUTURE_MS_MAX = 2 * 3_600_000;

/** Source: ListMetrics: metrics a page, and what RecentlyActive means. */
const LIST_PAGE = 500;
const RECENT_MS = 3 * 3_600_000;

/** Source: GetMetricStatistics and GetMetricData: data points and queries a call. */
const DATAPOINTS_MAX = 1_440;
const QUERIES_MAX = 500;

interface MetricDatum {
  readonly MetricName: string;
  readonly Dimensions?: readonly DimensionInput[];
  readonly Timestamp?: number | string;
  readonly Value?: number;
  readonly Values?: readonly number[];
  readonly Counts?: readonly number[];
  readonly StatisticValues?: {
    readonly SampleCount: number;
    readonly Sum: number;
    readonly Minimum: number;
    readonly Maximum: number;
  };
}

interface StatisticsInput {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly DimensionInput[];
  readonly StartTime: number | string;
  readonly EndTime: number | string;
  readonly Period: number;
  readonly Statistics?: readonly string[];
  readonly ExtendedStatistics?: readonly string[];
}

/** What is put among the metrics, listed and asked of them. */
export function metricOperations(store: MetricStore): Record<string, Operation> {
  return {
    PutMetricData: putMetricData(store),
    ListMetrics: listMetrics(store),
    GetMetricStatistics: getMetricStatistics(store),
    GetMetricData: getMetricData(store),
  };
}

const putMetricData =
  (store: MetricStore): Operation =>
  ({ Namespace, MetricData = [], ...rest }: { Namespace: string; MetricData?: readonly MetricDatum[] }) => {
    refuseUnknown('CloudWatch', 'PutMetricData', rest, []);
    if (!Namespace || Namespace.startsWith('AWS/'))
      throw invalid('Namespace is required, and must not start with AWS/');
    if (MetricData.length < 1 || MetricData.length > METRICS_MAX)
      throw invalid(`MetricData must have 1 to ${METRICS_MAX} members`);
    // All are checked before any is kept.
    const data = MetricData.map((datum) => ({ datum, timeMs: checkedTime(datum), values: valuesOf(datum) }));
    for (const { datum, timeMs, values } of data) {
      const metric = { namespace: Namespace, name: datum.MetricName, dimensions: dimensionsOf(datum.Dimensions) };
      for (const { value, count } of values) store.record({ ...metric, value, count, timeMs });
    }
    return {};
  };

const listMetrics =
  (store: MetricStore): Operation =>
  (input: {
    Namespace?: string;
    MetricName?: string;
    Dimensions?: readonly DimensionInput[];
    RecentlyActive?: string;
    NextToken?: string;
  }) => {
    refuseUnknown('CloudWatch', 'ListMetrics', input, [
      'Namespace',
      'MetricName',
      'Dimensions',
      'RecentlyActive',
      'NextToken',
    ]);
    const { Namespace, MetricName, Dimensions = [], RecentlyActive, NextToken } = input;
    if (RecentlyActive !== undefined && RecentlyActive !== 'PT3H') throw invalid('RecentlyActive must be PT3H');
    const found = store
      .list(RecentlyActive && Date.now() - RECENT_MS)
      .filter((it) => (Namespace ?? it.namespace) === it.namespace && (MetricName ?? it.name) === it.name)
      .filter(({ dimensions }) =>
        Dimensions.every(({ Name, Value }) => Name in dimensions && (Value ?? dimensions[Name]) === dimensions[Name]),
      );
    const { items, next } = pageOf(found, LIST_PAGE, NextToken);
    return {
      Metrics: items.map(({ namespace, name, dimensions }) => ({
        ...{ Namespace: namespace, MetricName: name },
        Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      })),
      ...(next !== undefined && { NextToken: next }),
    };
  };

const getMetricStatistics =
  (store: MetricStore): Operation =>
  (input: StatisticsInput) => {
    const {
      Namespace: namespace,
      MetricName: name,
      Dimensions,
      StartTime,
      EndTime,
      Period,
      Statistics = [],
      ExtendedStatistics = [],
      ...rest
    } = input;
    refuseUnknown('CloudWatch', 'GetMetricStatistics', rest, ['Unit']);
    if (Statistics.length + ExtendedStatistics.length === 0)
      throw invalid('Statistics or ExtendedStatistics is required');
    const periodMs = periodMsOf([{ Id: 'm', Period: Number(Period) }]);
    const range = rangeOf(StartTime, EndTime, periodMs);
    if ((range.toMs - range.fromMs) / periodMs > DATAPOINTS_MAX) {
      throw new AwsError(
        'InvalidParameterCombination',
        `You have requested more than ${DATAPOINTS_MAX} data points: ask for a longer Period or a shorter time.`,
      );
    }
    const samples = store.read({ namespace, name, dimensions: dimensionsOf(Dimensions) }, { ...range, periodMs });
    const Datapoints = samples.map((sample) => ({
      Timestamp: sample.startMs / 1_000,
      ...Object.fromEntries(Statistics.map((it) => [it, statisticOf(it)(sample)])),
      ...(ExtendedStatistics.length > 0 && {
        ExtendedStatistics: Object.fromEntries(ExtendedStatistics.map((it) => [it, statisticOf(it)(sample)])),
      }),
      Unit: 'None',
    }));
    return { Label: name, Datapoints };
  };

const getMetricData =
  (store: MetricStore): Operation =>
  (input: {
    MetricDataQueries: readonly MetricDataQuery[];
    StartTime: number | string;
    EndTime: number | string;
    ScanBy?: string;
  }) => {
    const honoured = ['MetricDataQueries', 'StartTime', 'EndTime', 'ScanBy', 'MaxDatapoints', 'LabelOptions'];
    refuseUnknown('CloudWatch', 'GetMetricData', input, honoured);
    const { MetricDataQueries: queries = [], StartTime, EndTime, ScanBy = 'TimestampDescending' } = input;
    if (queries.length < 1 || queries.length > QUERIES_MAX)
      throw invalid(`MetricDataQueries must have 1 to ${QUERIES_MAX} members`);
    const found = queryMetrics(store, queries, rangeOf(StartTime, EndTime, periodMsOf(queries)));
    const shown = queries.filter((it) => String(it.ReturnData) !== 'false');
    return {
      MetricDataResults: shown.map(({ Id, Label, MetricStat }) => {
        const points = [...(found.get(Id) ?? [])].sort(([a], [b]) => a - b);
        if (ScanBy === 'TimestampDescending') points.reverse();
        return {
          ...{ Id, Label: Label ?? MetricStat?.Metric.MetricName ?? Id, StatusCode: 'Complete' },
          ...{ Timestamps: points.map(([timeMs]) => timeMs / 1_000), Values: points.map(([, value]) => value) },
        };
      }),
      Messages: [],
    };
  };

/** Times come as epoch seconds; older clients write ISO 8601. */
function timeMsOf(time: number | string): number {
  const timeMs = typeof time === 'number' ? time * 1_000 : Date.parse(time);
  if (Number.isFinite(timeMs)) return timeMs;
  throw invalid(`${JSON.stringify(time)} is no time`);
}

/** Begins where a period does, as CloudWatch rounds it. */
function rangeOf(start: number | string, end: number | string, periodMs: number) {
  const fromMs = Math.floor(timeMsOf(start) / periodMs) * periodMs;
  const toMs = timeMsOf(end);
  if (fromMs < toMs) return { fromMs, toMs };
  throw invalid('StartTime must be less than EndTime');
}

function checkedTime({ MetricName, Dimensions = [], Timestamp }: MetricDatum): number {
  if (!MetricName || MetricName.length > 255) throw invalid('MetricName must have 1 to 255 characters');
  if (Dimensions.length > DIMENSIONS_MAX)
    throw invalid(`Dimensions of ${MetricName} must have at most ${DIMENSIONS_MAX} members`);
  const now = Date.now();
  const timeMs = Timestamp === undefined ? now : timeMsOf(Timestamp);
  if (timeMs >= now - AGE_MS_MAX && timeMs <= now + FUTURE_MS_MAX) return timeMs;
  throw invalid(`Timestamp of ${MetricName} must lie between two weeks ago and two hours from now`);
}

/**
 * The values of a datum. Of a statistic set the least and the greatest are known, and the mean of the others, so that
 * all statistics but percentiles come out right.
 */
function valuesOf({
  MetricName,
  Value,
  Values,
  Counts,
  StatisticValues,
}: MetricDatum): { value: number; count: number }[] {
  if (StatisticValues) {
    const { SampleCount, Sum, Minimum, Maximum } = StatisticValues;
    if (SampleCount <= 2) return [{ value: Sum / SampleCount, count: SampleCount }].filter((it) => it.count > 0);
    const others = { value: (Sum - Minimum - Maximum) / (SampleCount - 2), count: SampleCount - 2 };
    return [{ value: Minimum, count: 1 }, others, { value: Maximum, count: 1 }];
  }
  const values = (Values ?? (Value === undefined ? [] : [Value])).map(Number);
  if (values.length < 1 || values.length > VALUES_MAX || !values.every(Number.isFinite)) {
    throw invalid(`${MetricName} must have a Value, or 1 to ${VALUES_MAX} Values, that are numbers`);
  }
  if (Counts !== undefined && Counts.length !== values.length)
    throw invalid(`Counts of ${MetricName} must be as many as its Values`);
  return values.map((value, index) => ({ value, count: Counts?.[index] ?? 1 }));
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValue', message);
}
