import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Customer } from '../../infra/demo/customers/customers.ts';
import { rocAuc } from '../../infra/local/sagemaker/learner/classification-metrics.ts';
import { type LinearModel, logOdds } from '../../infra/local/sagemaker/learner/linear-model.ts';
import type { TrainingOutcome } from '../../infra/local/sagemaker/learner/predictors.ts';
import type { TrainingMessage, TrainingTask } from '../../infra/local/sagemaker/learner/training-worker.ts';
import { changeLogRow } from '../../shared/change-log/row.ts';
import { retrainConfig } from '../../shared/config/retrain.ts';
import { columnsOf, type Feature, type FeatureGroup } from '../../shared/definition/feature-group.ts';
import { encode } from '../../shared/model/encode.ts';
import { trainingPlan } from '../../shared/training/plan.ts';
import { BUCKET, localAthena } from './local/local-athena.ts';
import { retrainEnvironment } from './retrain-environment.ts';

/** When everything was written, and the training claimed. */
const NOW_MS = Date.UTC(2026, 5, 1);

/** The definition of a model that does not learn from one of the features. */
export const withoutFeature = (group: FeatureGroup, name: string): FeatureGroup => ({
  ...group,
  features: group.features.map((it) => (it.name === name ? ({ ...it, training: false } as Feature) : it)),
});

/**
 * AUC of models that have learned from some customers, over the others, one for each of several splits: one alone says
 * little, as it depends on who happens to validate. The way is the deployed one: rows of the change log, the training
 * set's SQL, the local training, the encoder of predictions. A split is made by other identifiers, whose hash decides.
 *
 * @throws Error when predictions rank the customers otherwise than the training has measured.
 */
export async function aucsOf(group: FeatureGroup, customers: readonly Customer[], splits: number): Promise<number[]> {
  const athena = await localAthena();
  try {
    const config = retrainConfig({ ...retrainEnvironment, GLUE_DATABASE: 'quality' });
    athena.createTables(group, config.glueDatabase);
    const files = async (uri: string) =>
      (await athena.objects.list(BUCKET, uri.replace(`s3://${BUCKET}/`, ''))).map(({ key }) => ({
        ...{ uri: `s3://${BUCKET}/${key}`, path: athena.objects.path(BUCKET, key) },
      }));
    const aucs: number[] = [];
    for (let split = 1; split <= splits; split += 1) {
      const named = customers.map((it) => ({ ...it, id: `split-${split}-${it.id}` }));
      await athena.objects.put(BUCKET, 'change-log/dt=2026-06-01/rows', changeLogOf(group, named));
      const plan = trainingPlan(group, config, { epoch: split, attempt: 1 }, NOW_MS);
      for (const query of [plan.snapshotQuery, plan.trainingSetQuery]) await athena.run(query);
      const { model, metrics } = await train({
        ...{ train: await files(plan.trainUri), validation: await files(plan.validationUri) },
        hyperParameters: plan.hyperParameters,
      });
      const auc = aucOfPredictions(group, model as LinearModel, named.filter(validates));
      const measured = metrics.find(({ name }) => name === 'validation:roc_auc_score')?.value;
      if (auc === undefined || auc !== measured) throw new Error(`AUC of predictions ${auc}, of training ${measured}`);
      aucs.push(auc);
    }
    return aucs;
  } finally {
    await athena.close();
  }
}

/** Rows of the change log, one insert each: how they came to their labels makes no difference here. */
function changeLogOf(group: FeatureGroup, named: readonly Customer[]): string {
  return named
    .map(({ id, features, label }, index) =>
      changeLogRow(group, {
        ...{ eventName: 'INSERT', ttlExpired: false, newLabel: label },
        ...{ sequenceNumber: String(10n ** 21n + BigInt(index)), recordIdentifier: id },
        ...{ second: NOW_MS / 1_000, eventTimeMs: NOW_MS },
        values: columnsOf(group).map(({ name, feature }) => (feature === 'label' ? label : features[name])),
      }),
    )
    .join('');
}

async function train(task: TrainingTask): Promise<TrainingOutcome> {
  const worker = new Worker(new URL('../../infra/local/sagemaker/learner/training-worker.ts', import.meta.url), {
    workerData: task,
  });
  const [message] = (await once(worker, 'message')) as [TrainingMessage];
  if (message.kind === 'failed') throw new Error(message.reason);
  return message;
}

/** Area under the ROC curve of what `predict` would send to the endpoint for the customers who validate. */
function aucOfPredictions(group: FeatureGroup, model: LinearModel, validating: readonly Customer[]) {
  const rows = validating.map(({ features }) => encode(group, features).map(Number));
  const odds = logOdds(model, Float64Array.from(rows.flat()), model.weights.length);
  return rocAuc(
    odds,
    Uint8Array.from(validating, ({ label }) => Number(label)),
  );
}

/** The part that the training set's SQL makes: buckets 10 to 19 of 100. */
function validates({ id }: Customer): boolean {
  const bucket = Number.parseInt(createHash('md5').update(id).digest('hex').slice(0, 4), 16) % 100;
  return bucket >= 10 && bucket < 20;
}
