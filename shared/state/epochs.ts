import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { EPOCH_KEY, evidenceKey } from './keys.ts';
import { type Serving, writeServing } from './serving.ts';
import { readItem, type StateTable, unlessConditionFails } from './table.ts';

/**
 * Epochs, the spans between two trainings, and their life in one item of the state table, moved by conditional writes:
 *
 *     claim   epoch n is current -> n + 1 is, and a training of n is in flight
 *     reopen  that training failed -> n waits for its next attempt
 *     close   that training serves, or its model was refused -> evidence of n is written, and in the first case what
 *             is serving; nothing is in flight
 *
 * No label is lost by a failure. A ledger entry keeps the number of the epoch it was written in. The labels of n have
 * made a training of n due, and it stays due, attempt after attempt, until one closes it; they are not counted again.
 * Labels that arrive meanwhile are entries of n + 1, which count towards the decision after the close. Every training
 * reads all labelled rows there are, so an attempt that comes late trains on those of n + 1 as well.
 *
 * Idempotent: each move is one conditional write, on the very epoch and attempt that it moves, so that of any number
 * of callers one moves it and the others change nothing.
 */

/** Characters of a failure's cause that are kept. Step Functions gives up to 32,768. */
const CAUSE_CHARACTERS_MAX = 1_000;

const trainingSchema = z.object({
  epoch: z.int(),
  attempt: z.int(),
  executionName: z.string(),
  claimedAtMs: z.number(),
  /** Input of the execution, kept so that a second start is byte for byte the first. */
  input: z.string(),
});

const failureSchema = z.object({
  epoch: z.int(),
  attempt: z.int(),
  failedAtMs: z.number(),
  error: z.string(),
  cause: z.string(),
});

const epochStateSchema = z.object({
  /** The current epoch, which labels are counted into. */
  epoch: z.int().default(1),
  training: trainingSchema.optional(),
  /** The last attempt, when it failed and its epoch waits for the next. */
  failed: failureSchema.optional(),
  /** The last failure of all, whatever has become of its epoch. */
  lastFailure: failureSchema.optional(),
  lastTraining: z.object({ epoch: z.int(), attempt: z.int(), finishedAtMs: z.number() }).optional(),
});

export type EpochState = Readonly<z.output<typeof epochStateSchema>>;
export type TrainingInFlight = Readonly<z.output<typeof trainingSchema>>;

/** A training that is over: its evidence, and what the endpoint serves if that was changed. */
export interface ClosedTraining {
  readonly epoch: number;
  readonly attempt: number;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly serving?: Serving;
}

/** Reads the epochs' state (consistent read). A table that has none yet is in epoch 1. */
export async function readEpochState(table: StateTable): Promise<EpochState> {
  return (await readItem(table, EPOCH_KEY, epochStateSchema)) ?? epochStateSchema.parse({});
}

/**
 * Claims an epoch for a training. The first attempt moves the current epoch on; a further one takes the failed
 * attempt's place and leaves the current epoch alone.
 *
 * @returns the training that is in flight for this epoch and attempt, whoever claimed it (its input may differ from
 *   the one given, and is the one to start); undefined when the epoch is not to be had.
 */
export async function claimEpoch(table: StateTable, training: TrainingInFlight): Promise<TrainingInFlight | undefined> {
  const { epoch, attempt } = training;
  const first = attempt === 1;
  const isCurrent = epoch === 1 ? '(attribute_not_exists(#epoch) OR #epoch = :epoch)' : '#epoch = :epoch';
  const won = await moves(
    table,
    first
      ? {
          update: 'SET #epoch = :next, #training = :training',
          condition: `${isCurrent} AND attribute_not_exists(#training) AND attribute_not_exists(#failed)`,
          values: { ':epoch': epoch, ':next': epoch + 1, ':training': training },
        }
      : {
          update: 'SET #training = :training REMOVE #failed',
          condition: 'attribute_not_exists(#training) AND #failed.#epoch = :epoch AND #failed.#attempt = :before',
          values: { ':epoch': epoch, ':before': attempt - 1, ':training': training },
        },
  );
  if (won) return training;
  const inFlight = (await readEpochState(table)).training;
  return inFlight?.epoch === epoch && inFlight.attempt === attempt ? inFlight : undefined;
}

/**
 * Gives a failed attempt's epoch back: its next attempt is due after the policy's pause.
 *
 * @returns whether this call did it; false when the attempt is no longer in flight.
 */
export function reopenEpoch(
  table: StateTable,
  failure: { epoch: number; attempt: number; error: string; cause: string },
  nowMs: number,
): Promise<boolean> {
  const { epoch, attempt, error } = failure;
  const cause = failure.cause.slice(0, CAUSE_CHARACTERS_MAX);
  return moves(table, {
    update: 'SET #failed = :failed, #lastFailure = :failed REMOVE #training',
    condition: '#training.#epoch = :epoch AND #training.#attempt = :attempt',
    values: { ':epoch': epoch, ':attempt': attempt, ':failed': { epoch, attempt, failedAtMs: nowMs, error, cause } },
  });
}

/**
 * Closes an epoch: evidence first, then what is serving, and only then the training in flight is over, so that a close which stops halfway is done again whole. The evidence is the first one written per attempt.
 *
 * @returns whether this call ended the training; false when it was not in flight (any more).
 */
export async function closeEpoch(table: StateTable, closed: ClosedTraining, nowMs: number): Promise<boolean> {
  const { epoch, attempt, serving } = closed;
  const evidence = { ...closed.evidence, ...serving, epoch, attempt, closedAt: new Date(nowMs).toISOString() };
  await unlessConditionFails(() =>
    table.dynamodb.send(
      new PutItemCommand({
        TableName: table.name,
        Item: marshall({ pk: evidenceKey(epoch), ...evidence }, { removeUndefinedValues: true }),
        ConditionExpression: 'attribute_not_exists(pk) OR attempt < :attempt',
        ExpressionAttributeValues: marshall({ ':attempt': attempt }),
      }),
    ),
  );
  if (serving) await unlessConditionFails(() => writeServing(table, serving));
  return moves(table, {
    update: 'SET #lastTraining = :lastTraining REMOVE #training',
    condition: '#training.#epoch = :epoch AND #training.#attempt = :attempt',
    values: { ':epoch': epoch, ':attempt': attempt, ':lastTraining': { epoch, attempt, finishedAtMs: nowMs } },
  });
}

/** Makes one conditional move of the epoch item. `#name` stands for the attribute `name` in both expressions. */
function moves(
  table: StateTable,
  move: { update: string; condition: string; values: Record<string, unknown> },
): Promise<boolean> {
  const placeholders = `${move.update} ${move.condition}`.match(/#\w+/g) ?? [];
  return unlessConditionFails(() =>
    table.dynamodb.send(
      new UpdateItemCommand({
        TableName: table.name,
        Key: { pk: { S: EPOCH_KEY } },
        UpdateExpression: move.update,
        ConditionExpression: move.condition,
        ExpressionAttributeNames: Object.fromEntries(placeholders.map((it) => [it, it.slice(1)])),
        ExpressionAttributeValues: marshall(move.values),
      }),
    ),
  );
}
