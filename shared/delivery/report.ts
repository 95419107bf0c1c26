import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { FeatureGroup } from '../definition/feature-group.ts';
import type { Counts, Outcome } from './deliver.ts';

/** How a batch's outcome is made known: to people by the log, to alarms by metrics. */

const logger = new Logger();

/** Examples in one log line: enough to look further, and bounded however bad the batch. */
const EXAMPLES_MAX = 5;

/** Logs what a batch's outcome asks somebody to look at. Never a value or an identifier: they may be personal data. */
export function logOutcome(outcome: Outcome): void {
  const { rejections, failures, checkpoint } = outcome;
  if (rejections.length > 0) {
    logger.warn('Records were put into quarantine', {
      records: rejections.length,
      examples: rejections
        .slice(0, EXAMPLES_MAX)
        .map(({ sequenceNumber, reason, path, message }) => ({ sequenceNumber, reason, path, message })),
    });
  }
  if (failures.length > 0) {
    logger.error('Part of the batch is to be delivered again', {
      from: checkpoint,
      failures: failures.length,
      examples: failures.slice(0, EXAMPLES_MAX),
    });
  }
}

/** Metric names in CloudWatch, by count. RecordsIn = Delivered + Superseded + Deleted + Quarantined + Skipped + Failed. */
const METRIC_NAMES: Readonly<Record<keyof Counts, string>> = {
  recordsIn: 'RecordsIn',
  delivered: 'Delivered',
  superseded: 'Superseded',
  deleted: 'Deleted',
  quarantined: 'Quarantined',
  skipped: 'Skipped',
  failed: 'Failed',
  labelEvents: 'LabelEvents',
};

/**
 * Publishes a batch's outcome as one embedded-metric-format line, by feature group:
 *
 * - its counts, that of skipped records only where the definition skips some;
 * - WatermarkLag, how far behind now the shard is complete: the greatest of all shards says it of the whole table;
 * - what Firehose took: ChangeLogBilledBytes over ChangeLogBytes says how well rows are packed. 1 is best; well above it,
 *   the batching window is too short for the table's traffic, since Firehose bills each record in units of 5 KB.
 *
 * @param nowMs epoch milliseconds
 */
export function publishOutcome(
  { name: featureGroup, items }: Pick<FeatureGroup, 'name' | 'items'>,
  { counts, completeThrough }: Outcome,
  changeLog: { readonly payload: number; readonly billed: number },
  nowMs: number,
): void {
  const metrics = new Metrics();
  metrics.addDimension('feature_group', featureGroup);
  for (const [count, name] of Object.entries(METRIC_NAMES)) {
    if (count === 'skipped' && items === undefined) continue;
    metrics.addMetric(name, MetricUnit.Count, counts[count as keyof Counts]);
  }
  if (completeThrough !== undefined) {
    metrics.addMetric('WatermarkLag', MetricUnit.Seconds, Math.floor(nowMs / 1_000) - completeThrough);
  }
  metrics.addMetric('ChangeLogBytes', MetricUnit.Bytes, changeLog.payload);
  metrics.addMetric('ChangeLogBilledBytes', MetricUnit.Bytes, changeLog.billed);
  metrics.publishStoredMetrics();
}
