import * as z from 'zod';
import type { Serving } from '../state/serving.ts';
import { trainingPlanSchema } from './plan.ts';

/** What invokes retrain: labels arriving, the schedule, a person, and the state machine on its way through a training. */

const attempt = { epoch: z.int(), attempt: z.int() };
const planned = { ...attempt, plan: trainingPlanSchema };

/** Rows of the training set, by part and class. */
const countsSchema = z.record(z.string(), z.number());

const countedSchema = z.object({ counts: countsSchema, rowsHash: z.string() });

/** DescribeTrainingJob's answer. */
const trainingJobSchema = z.object({
  TrainingJobName: z.string(),
  FinalMetricDataList: z.array(z.object({ MetricName: z.string(), Value: z.number() })).nullish(),
  ModelArtifacts: z.object({ S3ModelArtifacts: z.string() }).nullish(),
});

const verdictSchema = z.object({
  decision: z.enum(['promote', 'refuse']),
  reason: z.string(),
  comparison: z.looseObject({ threshold: z.number().optional() }),
});

const championSchema = z.object({
  found: z.boolean(),
  incumbent: z.object({ behindBest: z.number().optional(), auc: z.number().optional() }),
});

const trained = { ...planned, training: trainingJobSchema, counted: countedSchema, verdict: verdictSchema };

const actionSchema = z.discriminatedUnion('action', [
  /** A person asks for a training now, or what one would be (`dryRun`). */
  z.object({
    action: z.literal('train'),
    reason: z.string().default('no reason given'),
    dryRun: z.boolean().default(false),
  }),
  /** A snapshot is finished. It holds whatever becomes of the training. */
  z.object({ action: z.literal('snapshot'), snapshot: trainingPlanSchema.shape.snapshot }),
  /** The rows of the training set are counted: is it worth training on? */
  z.object({ action: z.literal('examine'), ...planned, counted: countedSchema }),
  /** Which model the challenger is to be compared with. */
  z.object({ action: z.literal('champion'), ...planned }),
  /** Both models have scored the rows to judge by. */
  z.object({ action: z.literal('judge'), ...planned, champion: championSchema }),
  /** The gate promotes; may it be? */
  z.object({ action: z.literal('approval'), ...planned, verdict: verdictSchema }),
  /** How is the model to be deployed? */
  z.object({ action: z.literal('rollout'), ...planned }),
  /** A new endpoint is in service. */
  z.object({ action: z.literal('probe'), ...planned }),
  z.object({ action: z.literal('close'), ...trained }),
  z.object({ action: z.literal('refuse'), ...trained }),
  /** Something failed. `run` is all that the execution knows by then. */
  z.object({
    action: z.literal('fail'),
    run: z.object({
      ...trainingPlanSchema.shape,
      failure: z.object({ Error: z.string(), Cause: z.string().default('') }),
      training: trainingJobSchema.optional(),
      counted: countedSchema.optional(),
      verdict: verdictSchema.optional(),
    }),
  }),
  /** The attempt is over. The alarms are those that may be the endpoint's. */
  z.object({ action: z.literal('clean-up'), ...attempt, alarms: z.array(z.object({ AlarmName: z.string() })) }),
]);

export type RetrainEvent = z.output<typeof actionSchema> | { readonly action: 'consider' };

/** The request of one action. */
export type RequestOf<A extends RetrainEvent['action']> = Extract<RetrainEvent, { readonly action: A }>;

/**
 * Reads an event. Whatever has no `action` (a stream's batch, the schedule) is an occasion to look at the labels: what
 * counts is in the table, not in the event.
 *
 * @throws Error when there is an action, but none that a person or the state machine sends.
 */
export function parseRetrainEvent(event: unknown): RetrainEvent {
  if (typeof event !== 'object' || event === null || !('action' in event)) return { action: 'consider' };
  const parsed = actionSchema.safeParse(event);
  if (parsed.success) return parsed.data;
  throw new Error(`Not an event of the retraining state machine:\n${z.prettifyError(parsed.error)}`);
}

/** What serves once this epoch is closed. */
export function servingOf({ epoch, attempt, plan, verdict }: RequestOf<'close'>): Serving {
  const { endpointConfigName, endpointName, modelName, schemaHash } = plan;
  const { threshold } = verdict.comparison;
  return { epoch, attempt, endpointConfigName, endpointName, modelName, schemaHash, threshold };
}
