import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { Resource, Resources } from '../cloudformation/intrinsics.ts';
import { alarmLogicalId } from '../cloudformation/logical-ids.ts';
import type { Names } from '../cloudformation/names.ts';
import { alarmDimensions, type Metric, type Metrics } from './metrics.ts';

/** Seconds of one data point of an alarm. */
const PERIOD_SECONDS = 300;

/** How old the oldest unread change may be: a quarter of an hour of its day in the stream, in milliseconds. */
const ITERATOR_AGE_MAX_MS = 15 * 60 * 1000;

/** How far behind now the table may be known to be complete downstream, in seconds. */
const WATERMARK_LAG_MAX_SECONDS = 15 * 60;

/** How old a row may be when Firehose has not delivered it, beyond its buffering interval, in seconds. */
const LOG_AGE_SECONDS = 15 * 60;

/** How long the endpoint may take for 95 % of the calls, in milliseconds. */
const ENDPOINT_LATENCY_MAX_MS = 1_000;

/** How old the snapshot may be that the views read, in hours: a day, and two attempts at the next. */
const SNAPSHOT_AGE_MAX_HOURS = 36;

/** How long ago the online store may have been checked, in hours: a day, and half of one to try again. */
const CHECK_AGE_MAX_HOURS = 36;

/** One alarm: rings when the value of its metrics has been above `above` for `periods` periods in a row. */
interface Alarm {
  readonly name: string;
  /** What a person reads in the message. */
  readonly says: string;
  readonly metrics: Readonly<Record<string, Metric>>;
  /** Over the ids of the metrics. */
  readonly expression: string;
  readonly above: number;
  readonly periods: number;
}

/** An alarm on one metric. */
const one = (name: string, says: string, metric: Metric, above = 0, periods = 1): Alarm => ({
  name,
  says,
  metrics: { m: metric },
  expression: 'm',
  above,
  periods,
});

/**
 * Every alarm of the stack; docs/operating/alerts.md has a section for each. Beside them each endpoint configuration has
 * its own, made with it, which send its deployment back.
 */
function alarmsOf({ label }: FeatureGroup, metrics: Metrics, changeLogBufferSeconds: number): Alarm[] {
  const { lambda, mapping, records, fates } = metrics;
  return [
    one(
      'ingest-behind',
      'Changes wait in the stream for longer than 15 minutes. After a day they are lost.',
      lambda('ingest', 'IteratorAge', 'Maximum'),
      ITERATOR_AGE_MAX_MS,
      2,
    ),
    one(
      'watermark-behind',
      'The stores have the changes of some shard only up to a time more than 15 minutes ago.',
      records('WatermarkLag', 'Maximum'),
      WATERMARK_LAG_MAX_SECONDS,
      2,
    ),
    one(
      'ingest-errors',
      'Ingest ends in errors, so Lambda retries its batches whole.',
      lambda('ingest', 'Errors'),
      0,
      3,
    ),
    one('ingest-throttled', 'Lambda throttles ingest.', lambda('ingest', 'Throttles'), 0, 2),
    one('delivery-failing', 'Records cannot be delivered and are retried.', records('Failed'), 0, 3),
    {
      name: 'records-unbalanced',
      says: 'The fates of records do not add up to the records that came in: some are lost or counted twice.',
      metrics: {
        in: records('RecordsIn'),
        ...fates,
      },
      expression: `ABS(${['in', ...Object.keys(fates)].join(' - ')})`,
      above: 0,
      periods: 1,
    },
    one('records-quarantined', 'Records came in that can never be delivered as they are.', records('Quarantined')),
    one(
      'batches-given-up',
      'Lambda gave batches up and put them into the quarantine bucket.',
      mapping('OnFailureDestinationDeliveredEventCount'),
    ),
    one(
      'records-dropped',
      'Lambda dropped records that it could not even put into the quarantine bucket.',
      mapping('DroppedEventCount'),
    ),
    one(
      'change-log-late',
      'Rows of the change log wait in Firehose far longer than its buffering interval.',
      metrics.changeLogAge,
      changeLogBufferSeconds + LOG_AGE_SECONDS,
      2,
    ),
    one('state-table-throttled', 'DynamoDB throttles writes to the state table.', metrics.stateTableThrottles, 0, 2),
    one(
      'drift-found',
      'Records of the online store were not what their items are.',
      records('RecordsDrifted', 'Maximum'),
    ),
    one(
      'reconcile-stale',
      'The online store was last compared with the table more than 36 hours ago.',
      records('CheckAge', 'Maximum'),
      CHECK_AGE_MAX_HOURS,
    ),
    ...backfillAlarms(metrics),
    ...snapshotAlarms(metrics),
    ...(label ? [...trainingAlarms(metrics), ...servingAlarms(metrics)] : []),
    ...predictionLogAlarms(metrics, changeLogBufferSeconds),
  ];
}

/** An alarm on executions of a state machine that ended otherwise than well. */
function notSucceeded(name: string, says: string, executions: (outcome: string) => Metric): Alarm {
  const [failed, timedOut, aborted] = ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'].map(executions);
  const metrics = { failed, timedOut, aborted } as Readonly<Record<string, Metric>>;
  return {
    name,
    says,
    metrics,
    expression: 'FILL(failed, 0) + FILL(timedOut, 0) + FILL(aborted, 0)',
    above: 0,
    periods: 1,
  };
}

/** Alarms of the backfill by the state machine. */
function backfillAlarms({ executions }: Metrics): Alarm[] {
  return [
    notSucceeded(
      'backfill-failed',
      'A backfill by the state machine did not end. Until it is taken up or ended, no training starts.',
      (outcome) => executions(outcome, 'BackfillStateMachine'),
    ),
  ];
}

/** Alarms of the snapshots, and of the function that makes them. */
function snapshotAlarms({ executions, lambda, records }: Metrics): Alarm[] {
  return [
    notSucceeded(
      'snapshot-failed',
      'A snapshot was not made or not shown. The views read the one before, which is right and costs more.',
      (outcome) => executions(outcome, 'SnapshotStateMachine'),
    ),
    one(
      'snapshot-late',
      'The views read a snapshot of more than 36 hours ago: queries and trainings read more and more.',
      records('SnapshotAge', 'Maximum'),
      SNAPSHOT_AGE_MAX_HOURS,
    ),
    one('retrain-errors', 'The decision to retrain cannot be taken.', lambda('retrain', 'Errors'), 0, 3),
  ];
}

/** Alarms of the loop that trains. */
function trainingAlarms({ executions, records }: Metrics): Alarm[] {
  return [
    notSucceeded(
      'training-failed',
      'A retraining did not end in a serving model. The previous model goes on serving.',
      (outcome) => executions(outcome),
    ),
    one(
      'training-given-up',
      'An epoch was given up after its last attempt; nothing is trained until new labels, or a person, ask for it.',
      records('TrainingsGivenUp'),
    ),
  ];
}

/**
 * Alarms of what answers predictions. They watch what predict counts itself: which endpoint it asks changes with the
 * schema, and the template knows none.
 */
function servingAlarms({ records, lambda }: Metrics): Alarm[] {
  return [
    one('endpoint-errors', 'The endpoint answers with errors, or not in time.', records('EndpointErrors'), 0, 2),
    one(
      'endpoint-slow',
      'The endpoint takes more than a second for one call in twenty.',
      records('EndpointLatency', 'p95'),
      ENDPOINT_LATENCY_MAX_MS,
      2,
    ),
    one(
      'predictions-conflicting',
      'Records do not fit what the model was trained with, so predictions are refused.',
      records('PredictionConflicts'),
      0,
      2,
    ),
    one('predict-errors', 'Predictions end in errors.', lambda('predict', 'Url5xxCount'), 0, 2),
    one('predict-throttled', 'Lambda throttles predict.', lambda('predict', 'Throttles'), 0, 2),
  ];
}

/** Alarms of the prediction log, where there is one. */
function predictionLogAlarms({ predictionLog }: Metrics, bufferSeconds: number): Alarm[] {
  if (!predictionLog) return [];
  return [
    one('predictions-not-logged', 'Predictions were answered that the log did not take.', predictionLog.missed),
    one(
      'prediction-log-late',
      'Rows of the prediction log wait in Firehose far longer than its buffering interval.',
      predictionLog.age,
      bufferSeconds + LOG_AGE_SECONDS,
      2,
    ),
  ];
}

/**
 * The alarms, and whom they tell.
 *
 * @param topicArn SNS topic that is told; `''` for none, so that alarms only show.
 */
export function alarms(
  group: FeatureGroup,
  names: Names,
  metrics: Metrics,
  options: { readonly changeLogBufferSeconds: number; readonly alarmTopicArn: string },
): Resources {
  return Object.fromEntries(
    alarmsOf(group, metrics, options.changeLogBufferSeconds).map((alarm) => [
      alarmLogicalId(alarm.name),
      alarmResource(alarm, names, options.alarmTopicArn),
    ]),
  );
}

function alarmResource(alarm: Alarm, names: Names, topicArn: string): Resource {
  const result = { Id: 'result', Label: alarm.name, Expression: alarm.expression, ReturnData: true };
  const data = Object.entries(alarm.metrics).map(([Id, metric]) => ({
    Id,
    ReturnData: false,
    MetricStat: {
      Metric: { Namespace: metric.namespace, MetricName: metric.name, Dimensions: alarmDimensions(metric) },
      Period: PERIOD_SECONDS,
      Stat: metric.statistic,
    },
  }));
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: `${names.stack}-${alarm.name}`,
      AlarmDescription: `${alarm.says} See docs/operating/alerts.md#${alarm.name}.`,
      Metrics: [result, ...data],
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: alarm.above,
      EvaluationPeriods: alarm.periods,
      // Nothing happens in an idle table, and that is no alarm.
      TreatMissingData: 'notBreaching',
      ...(topicArn !== '' && { AlarmActions: [topicArn], OKActions: [topicArn] }),
    },
  };
}
