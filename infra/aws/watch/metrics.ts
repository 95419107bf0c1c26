import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { type Intrinsic, ref, type Text } from '../cloudformation/intrinsics.ts';
import { ingestMapping } from '../cloudformation/logical-ids.ts';
import type { Names } from '../cloudformation/names.ts';
import type { SourceTable } from '../data/source-table.ts';

/** One metric in CloudWatch: where it is found, and how its data points of a period become one. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, Text>>;
  readonly statistic: 'Sum' | 'Maximum' | 'p95';
}

type FunctionName = 'ingest' | 'retrain' | 'predict' | 'redrive' | 'compare' | 'history';

/**
 * The metrics that alarms watch and the dashboard shows. Each is emitted by AWS, or by one of shared/*-metrics.ts.
 *
 * @param predictionLog whether there is one.
 */
export function metricsOf(names: Names, group: FeatureGroup, source: SourceTable, predictionLog: boolean) {
  const lambda = (fn: FunctionName, name: string, statistic: Metric['statistic'] = 'Sum'): Metric => ({
    namespace: 'AWS/Lambda',
    name,
    dimensions: { FunctionName: `${names.stack}-${fn}` },
    statistic,
  });
  const mapping = (name: string): Metric => ({
    namespace: 'AWS/Lambda',
    name,
    dimensions: { EventSourceMappingUUID: ref(ingestMapping(source)) },
    statistic: 'Sum',
  });
  const records = (name: string, statistic: Metric['statistic'] = 'Sum'): Metric => ({
    namespace: 'Tributary',
    name,
    // `service` is what Powertools makes of POWERTOOLS_SERVICE_NAME.
    dimensions: { service: names.stack, feature_group: group.name },
    statistic,
  });
  const executions = (name: string, machine = 'RetrainingStateMachine'): Metric => ({
    namespace: 'AWS/States',
    name,
    dimensions: { StateMachineArn: ref(machine) },
    statistic: 'Sum',
  });
  return {
    /** Metrics of what becomes of records, by their ids in an expression. */
    fates: {
      delivered: records('Delivered'),
      superseded: records('Superseded'),
      deleted: records('Deleted'),
      quarantined: records('Quarantined'),
      failed: records('Failed'),
      // Published only where it can be more than 0: an expression with a metric that is not there has no value.
      ...(group.items && { skipped: records('Skipped') }),
    },
    lambda,
    mapping,
    records,
    executions,
    changeLogAge: deliveryAge('ChangeLogStream'),
    predictionLog: predictionLog
      ? { age: deliveryAge('PredictionLogStream'), missed: records('PredictionsNotLogged') }
      : undefined,
    stateTableThrottles: {
      namespace: 'AWS/DynamoDB',
      name: 'WriteThrottleEvents',
      dimensions: { TableName: ref('StateTable') },
      statistic: 'Sum',
    } satisfies Metric,
  };
}

/** How old the oldest row is that a delivery stream has not written to S3, in seconds. */
const deliveryAge = (logicalId: string): Metric => ({
  namespace: 'AWS/Firehose',
  name: 'DeliveryToS3.DataFreshness',
  dimensions: { DeliveryStreamName: ref(logicalId) },
  statistic: 'Maximum',
});

export type Metrics = ReturnType<typeof metricsOf>;

/** Dimensions as an alarm takes them. */
export function alarmDimensions(metric: Metric): { Name: string; Value: Text | Intrinsic }[] {
  return Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value }));
}
