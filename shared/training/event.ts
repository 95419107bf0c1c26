import * as z from 'zod';
import type { Serving } from '../state/serving.ts';
import { trainingPlanSchema } from './plan.ts';

/** What invokes retrain: labels arriving, the schedule, and the state machine on its way through a training. */

const attempt = { epoch: z.int(), attempt: z.int() };

const verdictSchema = z.object({
  decision: z.enum(['promote', 'refuse']),
  reason: z.string(),
  comparison: z.record(z.string(), z.unknown()),
});

const trained = {
  ...attempt,
  plan: trainingPlanSchema,
  /** DescribeTrainingJob's answer. */
  training: z.object({
    TrainingJobName: z.string(),
    FinalMetricDataList: z.array(z.object({ MetricName: z.string(), Value: z.number() })).nullish(),
    ModelArtifacts: z.object({ S3ModelArtifacts: z.string() }).nullish(),
  }),
  /** Rows of the training set, by split and class. */
  counts: z.record(z.string(), z.number()),
  verdict: verdictSchema,
};

const closeSchema = z.object({ action: z.literal('close'), ...trained });
const refuseSchema = z.object({ action: z.literal('refuse'), ...trained });

const reopenSchema = z.object({
  action: z.literal('reopen'),
  ...attempt,
  error: z.string(),
  cause: z.string().default(''),
});

/** Which model the challenger is to be compared with. */
const championSchema = z.object({ action: z.literal('champion'), ...attempt, plan: trainingPlanSchema });

/** Both models have scored the validation rows. */
const judgeSchema = z.object({
  action: z.literal('judge'),
  ...attempt,
  plan: trainingPlanSchema,
  champion: z.object({ found: z.boolean() }),
});

/** A snapshot is finished. It holds whatever becomes of the training. */
const snapshotSchema = z.object({ action: z.literal('snapshot'), snapshot: trainingPlanSchema.shape.snapshot });

/** The epoch is closed. The alarms are those that may be the endpoint's. */
const cleanUpSchema = z.object({ action: z.literal('clean-up'), ...attempt, alarmNames: z.array(z.string()) });

const actionSchema = z.discriminatedUnion('action', [
  closeSchema,
  refuseSchema,
  reopenSchema,
  championSchema,
  judgeSchema,
  cleanUpSchema,
  snapshotSchema,
]);

type TrainedEvent = z.output<typeof closeSchema> | z.output<typeof refuseSchema>;
export type RetrainEvent = z.output<typeof actionSchema> | { readonly action: 'consider' };

/**
 * Reads an event. Whatever has no `action` (a stream's batch, the schedule) is an occasion to look at the labels: what
 * counts is in the table, not in the event.
 *
 * @throws Error when there is an action, but not one that the state machine sends.
 */
export function parseRetrainEvent(event: unknown): RetrainEvent {
  if (typeof event !== 'object' || event === null || !('action' in event)) return { action: 'consider' };
  const parsed = actionSchema.safeParse(event);
  if (parsed.success) return parsed.data;
  throw new Error(`Not an event of the retraining state machine:\n${z.prettifyError(parsed.error)}`);
}

/** What the endpoint serves once this epoch is closed. */
export function servingOf({ epoch, attempt, plan }: TrainedEvent): Serving {
  const { endpointConfigName, modelName, schemaHash } = plan;
  return { epoch, attempt, endpointConfigName, modelName, schemaHash };
}

/** What is kept of a closed epoch: what was trained, on how many rows, with which result, and what was decided why. */
export function evidenceOf({ plan, training, counts, verdict }: TrainedEvent): Record<string, unknown> {
  return {
    trainingJobName: training.TrainingJobName,
    trainingImage: plan.trainingImage,
    hyperParameters: plan.hyperParameters,
    modelName: plan.modelName,
    schemaHash: plan.schemaHash,
    snapshot: plan.snapshot,
    trainUri: plan.trainUri,
    validationUri: plan.validationUri,
    modelArtifacts: training.ModelArtifacts?.S3ModelArtifacts,
    counts,
    metrics: Object.fromEntries((training.FinalMetricDataList ?? []).map((it) => [it.MetricName, it.Value])),
    ...verdict,
  };
}
