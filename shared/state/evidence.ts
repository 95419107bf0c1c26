import { BatchGetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { evidenceKey } from './keys.ts';
import type { Serving } from './serving.ts';
import type { StateTable } from './table.ts';

/** What is kept of closed epochs: what was trained and decided, on which evidence, and what became of it. */

/** Closed epochs that are looked back upon, at most. Source: BatchGetItem, 100 items. */
const LOOK_BACK_MAX = 100;

/** Rounds of asking for what BatchGetItem left unprocessed. */
const ROUNDS_MAX = 5;

/** Of the kind of the label: `auc` of two classes, `macroF1` of several, `rmse` and `mae` of numbers. */
const metricsSchema = z.object({
  ...{ auc: z.number().optional(), logLoss: z.number().optional(), macroF1: z.number().optional() },
  ...{ rmse: z.number().optional(), mae: z.number().optional(), skill: z.number().optional() },
});

const comparisonSchema = z.looseObject({
  metric: z.string(),
  rows: z.number(),
  challenger: metricsSchema,
  champion: metricsSchema.optional(),
  gain: z.object({ value: z.number(), low: z.number(), high: z.number(), confidence: z.number() }).optional(),
  /** The best of the models on these rows. Absent where it was not looked for: then it is this one. */
  bestModelName: z.string().optional(),
});

const evidenceSchema = z.looseObject({
  epoch: z.int(),
  attempt: z.int(),
  closedAt: z.string(),
  /** `failed`: it was given up after its last attempt. */
  decision: z.enum(['promote', 'refuse', 'failed']),
  reason: z.string(),
  /** Absent where no model was trained. */
  modelName: z.string().optional(),
  schemaHash: z.string(),
  /** Absent for a challenger that was refused. */
  endpointConfigName: z.string().optional(),
  /** Absent likewise, and in version 0.1.0: then it is the stack's own endpoint. */
  endpointName: z.string().optional(),
  threshold: z.number().optional(),
  trainingImage: z.string().optional(),
  /** Hash of what was trained on and how: what was trained once is not trained again. */
  fingerprint: z.string().optional(),
  /** Rows by part and class; `inexactRows` of all parts have features that may be of after the label. */
  counts: z.record(z.string(), z.number()).default({}),
  comparison: comparisonSchema.optional(),
  /** Bytes that Athena has read for the snapshot, for the counts and for the rows. */
  bytesRead: z.object({ snapshot: z.number(), counts: z.number(), rows: z.number() }).optional(),
  /** When a person took the model back, and why. */
  rolledBackAt: z.string().optional(),
  rollbackReason: z.string().optional(),
});

export type Evidence = Readonly<z.output<typeof evidenceSchema>>;

/**
 * Evidence of the last closed epochs, newest first.
 *
 * @param newest epoch to begin with.
 * @throws Error when DynamoDB leaves part of it unprocessed, however often it is asked.
 */
export async function readEvidence(table: StateTable, newest: number, limit = LOOK_BACK_MAX): Promise<Evidence[]> {
  const count = Math.min(limit, LOOK_BACK_MAX, newest);
  let Keys = Array.from({ length: count }, (_, index) => ({ pk: { S: evidenceKey(newest - index) } }));
  const found: Evidence[] = [];
  for (let round = 0; Keys.length > 0 && round < ROUNDS_MAX; round += 1) {
    const { Responses, UnprocessedKeys } = await table.dynamodb.send(
      new BatchGetItemCommand({ RequestItems: { [table.name]: { Keys, ConsistentRead: true } } }),
    );
    found.push(...(Responses?.[table.name] ?? []).map((item) => evidenceSchema.parse(unmarshall(item))));
    Keys = (UnprocessedKeys?.[table.name]?.Keys ?? []) as typeof Keys;
  }
  // A rollback that does not see the newest would go back too far.
  if (Keys.length > 0) throw new Error(`The evidence of ${Keys.length} epochs could not be read now: try again.`);
  return found.sort((a, b) => b.epoch - a.epoch);
}

/** The model to go back to: the newest that has served before this one, and was not itself taken back. */
export function servedBefore(serving: Pick<Serving, 'epoch'>, evidence: readonly Evidence[]): Serving | undefined {
  return evidence.flatMap((it) => (it.epoch < serving.epoch && !it.rolledBackAt ? (servableOf(it) ?? []) : []))[0];
}

/** What serves with this epoch's model; undefined for one that was refused. */
export function servableOf(evidence: Evidence): Serving | undefined {
  const { decision, epoch, attempt, modelName, schemaHash, endpointConfigName, endpointName, threshold } = evidence;
  if (decision !== 'promote' || modelName === undefined || endpointConfigName === undefined) return undefined;
  return { epoch, attempt, modelName, schemaHash, endpointConfigName, endpointName, threshold };
}

/** Notes that an epoch's model was taken back, or serves again (`reason` undefined). Idempotent: it sets what is. */
export async function markRolledBack(
  table: StateTable,
  epoch: number,
  rollback: { at: string; reason: string } | undefined,
): Promise<void> {
  await table.dynamodb.send(
    new UpdateItemCommand({
      TableName: table.name,
      Key: { pk: { S: evidenceKey(epoch) } },
      ConditionExpression: 'attribute_exists(pk)',
      ...(rollback
        ? {
            UpdateExpression: 'SET rolledBackAt = :at, rollbackReason = :reason',
            ExpressionAttributeValues: marshall({ ':at': rollback.at, ':reason': rollback.reason }),
          }
        : { UpdateExpression: 'REMOVE rolledBackAt, rollbackReason' }),
    }),
  );
}
