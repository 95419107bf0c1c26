import * as z from 'zod';
import type { Serving } from './serving.ts';
import { trainingPlanSchema } from './training-plan.ts';

/** What invokes retrain: labels arriving, the schedule, and the state machine when a training has ended. */

const closeSchema = z.object({
  action: z.literal('close'),
  epoch: z.int(),
  attempt: z.int(),
  plan: trainingPlanSchema,
  /** DescribeTrainingJob's answer. */
  training: z.object({
    TrainingJobName: z.string(),
    FinalMetricDataList: z.array(z.object({ MetricName: z.string(), Value: z.number() })).nullish(),
    ModelArtifacts: z.object({ S3ModelArtifacts: z.string() }).nullish(),
  }),
  /** Rows of the training set, by split and class. */
  counts: z.record(z.string(), z.number()),
});

const reopenSchema = z.object({
  action: z.literal('reopen'),
  epoch: z.int(),
  attempt: z.int(),
  error: z.string(),
  cause: z.string().default(''),
});

/** A snapshot is finished. It holds whatever becomes of the training. */
const snapshotSchema = z.object({ action: z.literal('snapshot'), snapshot: trainingPlanSchema.shape.snapshot });

const actionSchema = z.discriminatedUnion('action', [closeSchema, reopenSchema, snapshotSchema]);

export type CloseEvent = z.output<typeof closeSchema>;
export type RetrainEvent =
  | CloseEvent
  | z.output<typeof reopenSchema>
  | z.output<typeof snapshotSchema>
  | { readonly action: 'consider' };

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
export function servingOf({ epoch, attempt, plan }: CloseEvent): Serving {
  const { endpointConfigName, modelName, schemaHash } = plan;
  return { epoch, attempt, endpointConfigName, modelName, schemaHash };
}

/** What is kept of a closed epoch: what was trained, on how many rows, with which result. */
export function evidenceOf({ plan, training, counts }: CloseEvent): Record<string, unknown> {
  return {
    trainingJobName: training.TrainingJobName,
    trainingImage: plan.trainingImage,
    hyperParameters: plan.hyperParameters,
    snapshot: plan.snapshot,
    trainUri: plan.trainUri,
    validationUri: plan.validationUri,
    modelArtifacts: training.ModelArtifacts?.S3ModelArtifacts,
    counts,
    metrics: Object.fromEntries((training.FinalMetricDataList ?? []).map((it) => [it.MetricName, it.Value])),
  };
}
