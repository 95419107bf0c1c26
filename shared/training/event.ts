import * as z from 'zod';
import type { Serving } from '../state/serving.ts';
import { snapshotSchema } from '../state/snapshots.ts';
import { trainingPlanSchema } from './plan.ts';

/** What invokes retrain: labels arriving, the schedule, a person, and the state machine on its way through a training. */

const attempt = { epoch: z.int(), attempt: z.int() };
const planned = { ...attempt, plan: trainingPlanSchema };

/** What the rows of one class of several are called in the counts, behind their part: `trainClass2`. */
export const classCount = (number: string): string => `Class${number}`;

/**
 * Rows of the training set, by part and class. Of a label that has not two classes, a part's positives are a list of the
 * counts by class, and its negatives an empty one.
 */
const countsSchema = z
  .record(z.string(), z.union([z.number(), z.array(z.number())]))
  .transform((counts) =>
    Object.fromEntries(
      Object.entries(counts).flatMap(([name, count]) =>
        typeof count === 'number'
          ? [[name, count] as const]
          : count.map(
              (rows, number) => [name.replace(/(Positives|Negatives)$/, classCount(String(number))), rows] as const,
            ),
      ),
    ),
  );

const countedSchema = z.object({ counts: countsSchema, rowsHash: z.string() });

/** DescribeTrainingJob's answer. */
const trainingJobSchema = z.object({
  TrainingJobName: z.string(),
  FinalMetricDataList: z.array(z.object({ MetricName: z.string(), Value: z.number() })).nullish(),
  ModelArtifacts: z.object({ S3ModelArtifacts: z.string() }).nullish(),
});

/** What Athena tells of the queries of a training. @see GetQueryExecution, Statistics */
const statisticsSchema = z.object({ DataScannedInBytes: z.number().default(0) });
const queriesSchema = z.object({ snapshot: statisticsSchema, counts: statisticsSchema, rows: statisticsSchema });

const verdictSchema = z.object({
  decision: z.enum(['promote', 'refuse']),
  reason: z.string(),
  comparison: z.looseObject({ threshold: z.number().optional() }),
});

const scorer = { found: z.boolean(), modelName: z.string().nullable() };

const championSchema = z.object({
  ...scorer,
  incumbent: z.object({ auc: z.number().optional(), skill: z.number().optional(), unreadable: z.string().optional() }),
  leader: z.object(scorer),
  /** Absent in executions that began under an older version: those of the training set. */
  rows: z
    .object({
      ...{ challengerUri: z.string(), championUri: z.string(), isShared: z.boolean() },
      ...{ challengerFields: z.string(), championFields: z.string() },
    })
    .optional(),
});

const trained = {
  ...planned,
  training: trainingJobSchema,
  counted: countedSchema,
  verdict: verdictSchema,
  /** Absent in executions that began under an older version. */
  queries: queriesSchema.optional(),
};

const actionSchema = z.discriminatedUnion('action', [
  /** A person asks for a training now, or what one would be (`dryRun`). */
  z.object({
    action: z.literal('train'),
    reason: z.string().default('no reason given'),
    dryRun: z.boolean().default(false),
  }),
  /** A snapshot is finished. It holds whatever becomes of the training. */
  z.object({
    action: z.literal('snapshot'),
    snapshot: trainingPlanSchema.shape.snapshot,
    /** Whether whoever asks shows it next; if not, it is shown by an execution of its own. */
    isShownNext: z.boolean().default(false),
  }),
  /** What are the views to read? */
  z.object({ action: z.literal('show-snapshot') }),
  /** The views read a snapshot. */
  z.object({ action: z.literal('snapshot-shown'), snapshot: snapshotSchema }),
  /** The rows of the training set are counted: is it worth training on? */
  z.object({ action: z.literal('examine'), ...planned, counted: countedSchema }),
  /** Which models the challenger is to be compared with. `canShare`: rows can be written for two schemas. */
  z.object({ action: z.literal('champion'), ...planned, canShare: z.boolean().default(false) }),
  /** The models have scored the rows to judge by. */
  z.object({ action: z.literal('judge'), ...planned, champion: championSchema }),
  /** The gate promotes; may it be? */
  z.object({ action: z.literal('approval'), ...planned, verdict: verdictSchema }),
  /** How is the model to be deployed? */
  z.object({ action: z.literal('rollout'), ...planned }),
  /** A new endpoint is in service. */
  z.object({ action: z.literal('probe'), ...planned, champion: championSchema.optional() }),
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

export type RetrainEvent =
  | z.output<typeof actionSchema>
  /** `isScheduled`: by the schedule, which also sees to what time alone makes due. */
  | { readonly action: 'consider'; readonly isScheduled?: boolean };

/** The request of one action. */
export type RequestOf<A extends RetrainEvent['action']> = Extract<RetrainEvent, { readonly action: A }>;

/**
 * Reads an event. Whatever has no `action` (a stream's batch, the schedule) is an occasion to look at the labels: what
 * counts is in the table, not in the event.
 *
 * @throws Error when there is an action, but none that a person or the state machine sends.
 */
export function parseRetrainEvent(event: unknown): RetrainEvent {
  if (typeof event !== 'object' || event === null || !('action' in event)) {
    const isScheduled =
      typeof event === 'object' && event !== null && 'source' in event && event.source === 'aws.events';
    return { action: 'consider', isScheduled };
  }
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
