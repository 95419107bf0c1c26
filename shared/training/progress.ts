import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { LabelCounts } from '../state/label-ledger.ts';
import type { ToldCheck } from './check.ts';

/**
 * Publishes how far the current epoch is on its way to a training, as one embedded-metric-format line: LabelsInEpoch,
 * its distinct newly labeled records, beside LabelsAwaited, the threshold.
 */
export function publishLabelProgress(featureGroup: string, counts: LabelCounts, labelsThreshold: number): void {
  const metrics = new Metrics();
  metrics.addDimension('feature_group', featureGroup);
  metrics.addMetric('LabelsInEpoch', MetricUnit.Count, counts.total);
  metrics.addMetric('LabelsAwaited', MetricUnit.Count, labelsThreshold);
  metrics.publishStoredMetrics();
}

/** Publishes how old the snapshot is that the views read: SnapshotAge in hours, one embedded-metric-format line. */
export function publishSnapshotAge(featureGroup: string, hours: number): void {
  const metrics = new Metrics();
  metrics.addDimension('feature_group', featureGroup);
  metrics.addMetric('SnapshotAge', MetricUnit.NoUnit, hours);
  metrics.publishStoredMetrics();
}

/**
 * Publishes how long ago the online store was checked, CheckAge in hours, and how many records differed then,
 * RecordsDrifted, once there was a check: one embedded-metric-format line.
 */
export function publishCheck(featureGroup: string, { hours, drifted }: ToldCheck): void {
  const metrics = new Metrics();
  metrics.addDimension('feature_group', featureGroup);
  metrics.addMetric('CheckAge', MetricUnit.NoUnit, hours);
  if (drifted !== undefined) metrics.addMetric('RecordsDrifted', MetricUnit.Count, drifted);
  metrics.publishStoredMetrics();
}

/** Publishes that an epoch was given up: TrainingsGivenUp, one embedded-metric-format line. */
export function publishGivenUp(featureGroup: string): void {
  const metrics = new Metrics();
  metrics.addDimension('feature_group', featureGroup);
  metrics.addMetric('TrainingsGivenUp', MetricUnit.Count, 1);
  metrics.publishStoredMetrics();
}
