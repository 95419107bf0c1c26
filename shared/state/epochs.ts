import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandOutput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { errorCode } from '../calls/failure.ts';
import { EPOCH_KEY, evidenceKey, LABELS_BY_EPOCH_INDEX } from './keys.ts';
import { LABEL_SHARDS, shardKey } from './label-ledger.ts';
import { type Serving, writeServing } from './serving.ts';

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

/** Distinct records labelled in an epoch, in all and by label. */
export interface LabelCounts {
  readonly total: number;
  readonly 0: number;
  readonly 1: number;
}

type DynamoDb = Pick<DynamoDBClient, 'send'>;

/** Reads the epochs' state (consistent read). A table that has none yet is in epoch 1. */
export async function readEpochState(dynamodb: DynamoDb, stateTable: string): Promise<EpochState> {
  const { Item = {} } = await dynamodb.send(
    new GetItemCommand({ TableName: stateTable, Key: { pk: { S: EPOCH_KEY } }, ConsistentRead: true }),
  );
  return epochStateSchema.parse(unmarshall(Item));
}

/**
 * Claims an epoch for a training. The first attempt moves the current epoch on; a further one takes the failed
 * attempt's place and leaves the current epoch alone.
 *
 * @returns the training that is in flight for this epoch and attempt, whoever claimed it (its input may differ from
 *   the one given, and is the one to start); undefined when the epoch is not to be had.
 */
export async function claimEpoch(
  dynamodb: DynamoDb,
  stateTable: string,
  training: TrainingInFlight,
): Promise<TrainingInFlight | undefined> {
  const { epoch, attempt } = training;
  const first = attempt === 1;
  const isCurrent = epoch === 1 ? '(attribute_not_exists(#epoch) OR #epoch = :epoch)' : '#epoch = :epoch';
  const won = await moves(
    dynamodb,
    stateTable,
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
  const inFlight = (await readEpochState(dynamodb, stateTable)).training;
  return inFlight?.epoch === epoch && inFlight.attempt === attempt ? inFlight : undefined;
}

/**
 * Gives a failed attempt's epoch back: its next attempt is due after the policy's pause.
 *
 * @returns whether this call did it; false when the attempt is no longer in flight.
 */
export function reopenEpoch(
  dynamodb: DynamoDb,
  stateTable: string,
  failure: { epoch: number; attempt: number; error: string; cause: string },
  nowMs: number,
): Promise<boolean> {
  const { epoch, attempt, error } = failure;
  const cause = failure.cause.slice(0, CAUSE_CHARACTERS_MAX);
  return moves(dynamodb, stateTable, {
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
export async function closeEpoch(
  dynamodb: DynamoDb,
  stateTable: string,
  closed: ClosedTraining,
  nowMs: number,
): Promise<boolean> {
  const { epoch, attempt, serving } = closed;
  const evidence = { ...closed.evidence, ...serving, epoch, attempt, closedAt: new Date(nowMs).toISOString() };
  await unlessConditionFails(() =>
    dynamodb.send(
      new PutItemCommand({
        TableName: stateTable,
        Item: marshall({ pk: evidenceKey(epoch), ...evidence }, { removeUndefinedValues: true }),
        ConditionExpression: 'attribute_not_exists(pk) OR attempt < :attempt',
        ExpressionAttributeValues: marshall({ ':attempt': attempt }),
      }),
    ),
  );
  if (serving) await unlessConditionFails(() => writeServing(dynamodb, stateTable, serving));
  return moves(dynamodb, stateTable, {
    update: 'SET #lastTraining = :lastTraining REMOVE #training',
    condition: '#training.#epoch = :epoch AND #training.#attempt = :attempt',
    values: { ':epoch': epoch, ':attempt': attempt, ':lastTraining': { epoch, attempt, finishedAtMs: nowMs } },
  });
}

/**
 * Counts the label ledger's entries of an epoch: the sizes of sets, so nothing is counted twice. The index lags the
 * table by moments, which can delay a decision until the next label or the next scheduled run.
 */
export async function countLabels(dynamodb: DynamoDb, stateTable: string, epoch: number): Promise<LabelCounts> {
  const countLabel = async (label: '0' | '1') => {
    const shards = Array.from({ length: LABEL_SHARDS }, (_, shard) => shardKey(epoch, label, shard));
    const sizes = await Promise.all(shards.map((key) => countShard(dynamodb, stateTable, key)));
    return sizes.reduce((sum, size) => sum + size, 0);
  };
  const [zeros, ones] = await Promise.all([countLabel('0'), countLabel('1')]);
  return { total: zeros + ones, 0: zeros, 1: ones };
}

async function countShard(dynamodb: DynamoDb, stateTable: string, key: string): Promise<number> {
  let count = 0;
  let startKey: QueryCommandOutput['LastEvaluatedKey'];
  do {
    const page: QueryCommandOutput = await dynamodb.send(
      new QueryCommand({
        TableName: stateTable,
        IndexName: LABELS_BY_EPOCH_INDEX,
        KeyConditionExpression: 'epochLabelShard = :shard',
        ExpressionAttributeValues: { ':shard': { S: key } },
        Select: 'COUNT',
        ExclusiveStartKey: startKey,
      }),
    );
    count += page.Count ?? 0;
    startKey = page.LastEvaluatedKey;
  } while (startKey);
  return count;
}

/** Makes one conditional move of the epoch item. `#name` stands for the attribute `name` in both expressions. */
function moves(
  dynamodb: DynamoDb,
  stateTable: string,
  move: { update: string; condition: string; values: Record<string, unknown> },
): Promise<boolean> {
  const placeholders = `${move.update} ${move.condition}`.match(/#\w+/g) ?? [];
  return unlessConditionFails(() =>
    dynamodb.send(
      new UpdateItemCommand({
        TableName: stateTable,
        Key: { pk: { S: EPOCH_KEY } },
        UpdateExpression: move.update,
        ConditionExpression: move.condition,
        ExpressionAttributeNames: Object.fromEntries(placeholders.map((it) => [it, it.slice(1)])),
        ExpressionAttributeValues: marshall(move.values),
      }),
    ),
  );
}

async function unlessConditionFails(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (errorCode(error) === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}
