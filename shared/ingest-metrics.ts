import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Counts } from './deliver.ts';

/** Metric names in CloudWatch, by count. RecordsIn = Delivered + Superseded + Deleted + Quarantined + Failed. */
const METRIC_NAMES: Readonly<Record<keyof Counts, string>> = {
  recordsIn: 'RecordsIn',
  delivered: 'Delivered',
  superseded: 'Superseded',
  deleted: 'Deleted',
  quarantined: 'Quarantined',
  failed: 'Failed',
  labelEvents: 'LabelEvents',
};

/**
 * Publishes a batch's counts as one embedded-metric-format line, by feature group, and beside them what Firehose took:
 * ChangeLogBilledBytes over ChangeLogBytes says how well rows are packed. 1 is best; well above it, the batching window
 * is too short for the table's traffic, since Firehose bills each record in units of 5 KB.
 */
export function publishCounts(
  featureGroup: string,
  counts: Counts,
  changeLog: { readonly payload: number; readonly billed: number },
): void {
  const metrics = new Metrics();
  metrics.addDimension('feature_group', featureGroup);
  for (const [count, name] of Object.entries(METRIC_NAMES)) {
    metrics.addMetric(name, MetricUnit.Count, counts[count as keyof Counts]);
  }
  metrics.addMetric('ChangeLogBytes', MetricUnit.Bytes, changeLog.payload);
  metrics.addMetric('ChangeLogBilledBytes', MetricUnit.Bytes, changeLog.billed);
  metrics.publishStoredMetrics();
}
