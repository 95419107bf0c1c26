import { createHash } from 'node:crypto';
import type { RequestOf } from '../event.ts';
import type { TrainingPlan } from '../plan.ts';

/** What is kept of a closed epoch. */

type Counted = RequestOf<'examine'>['counted'];

/** What was trained, on how many rows, with which result, and what was decided why. */
export function evidenceOf({ plan, training, counted, verdict, queries }: RequestOf<'close'> | RequestOf<'refuse'>) {
  return {
    ...setEvidence(plan, counted),
    ...(queries && { bytesRead: bytesRead(queries) }),
    trainingJobName: training.TrainingJobName,
    modelName: plan.modelName,
    modelArtifacts: training.ModelArtifacts?.S3ModelArtifacts,
    metrics: Object.fromEntries((training.FinalMetricDataList ?? []).map((it) => [it.MetricName, it.Value])),
    ...verdict,
  };
}

/** Bytes that Athena has read to prepare a training, by its own count, which is what it bills. */
function bytesRead({ snapshot, counts, rows }: NonNullable<RequestOf<'close'>['queries']>) {
  return {
    snapshot: snapshot.DataScannedInBytes,
    counts: counts.DataScannedInBytes,
    rows: rows.DataScannedInBytes,
  };
}

/** What the training was to be made of. */
export function setEvidence(plan: TrainingPlan, counted: Counted | undefined) {
  const { trainingImage, hyperParameters, schemaHash, snapshot, selection, trainUri, validationUri, judgeUri } = plan;
  return {
    ...{ trainingImage, hyperParameters, schemaHash, snapshot, selection, trainUri, validationUri, judgeUri },
    ...(counted && { counts: counted.counts, fingerprint: fingerprintOf(plan, counted) }),
  };
}

/** Two trainings of one fingerprint learn the same rows in the same way: the second one tells nothing. */
export function fingerprintOf(
  { trainingImage, hyperParameters, schemaHash }: TrainingPlan,
  { rowsHash }: Counted,
): string {
  const parameters = Object.entries(hyperParameters).sort(([a], [b]) => (a < b ? -1 : 1));
  const what = JSON.stringify([rowsHash, schemaHash, trainingImage, parameters]);
  return createHash('sha256').update(what).digest('hex');
}
