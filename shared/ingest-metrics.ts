import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Counts, Outcome } from './deliver.ts';

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
 * Publishes a batch's counts as one embedded-metric-format line, by feature group, and how far behind now the shard is
 * complete. The greatest WatermarkLag of all shards says up to when the whole table is.
 *
 * @param nowMs epoch milliseconds
 */
export function publishOutcome(featureGroup: string, { counts, completeThrough }: Outcome, nowMs: number): void {
  const metrics = new Metrics();
  metrics.addDimension('feature_group', featureGroup);
  for (const [count, name] of Object.entries(METRIC_NAMES)) {
    metrics.addMetric(name, MetricUnit.Count, counts[count as keyof Counts]);
  }
  if (completeThrough !== undefined) {
    metrics.addMetric('WatermarkLag', MetricUnit.Seconds, Math.floor(nowMs / 1_000) - completeThrough);
  }
  metrics.publishStoredMetrics();
}
