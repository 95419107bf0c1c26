import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { BINARY_CLASSES } from '../definition/label.ts';
import { EPOCH_KEY, evidenceKey } from './keys.ts';
import { byClass, countLabels, countsOf, type LabelCounts } from './label-ledger.ts';
import { type Serving, writeServing } from './serving.ts';
import { readItem, type StateTable, unlessConditionFails } from './table.ts';

/**
 * Epochs, the spans between two trainings, and their life in one item of the state table, moved by conditional writes:
 *
 *     claim   epoch n is current -> n + 1 is, and a training of n is in flight
 *     reopen  that training failed -> n waits for its next attempt
 *     close   that training serves, was refused or given up -> evidence of n is written, and in the first case what
 *             is serving; nothing is in flight
 *
 * No label is lost by a failure. A ledger entry keeps the number of the epoch it was written in. The labels of n have
 * made a training of n due, and it stays due, attempt after attempt, until one closes it; they are not counted again.
 * Labels that arrive meanwhile are entries of n + 1, which count towards the decision after the close. Every training
 * reads all labeled rows there are, so an attempt that comes late trains on those of n + 1 as well.
 *
 * A label whose writer had read the epoch before the claim lands in n after it. The claim keeps how many labels it
 * rested on; the close counts n once more, when such writers have long ended, and carries the others over to the next
 * decision. So each label counts towards one threshold.
 *
 * Idempotent: each move is one conditional write, on the very epoch and attempt that it moves, so that of any number
 * of callers one moves it and the others change nothing.
 */

/** Characters of a failure's cause that are kept. Step Functions gives up to 32,768. */
const CAUSE_CHARACTERS_MAX = 1_000;

const NO_LABELS: LabelCounts = { total: 0, 0: 0, 1: 0 };

const countsSchema = z.object({ total: z.int() }).catchall(z.int());

const trainingSchema = z.object({
  epoch: z.int(),
  attempt: z.int(),
  executionName: z.string(),
  claimedAtMs: z.number(),
  /** Input of the execution, kept so that a second start is byte for byte the first. */
  input: z.string(),
  /** A challenger that waits for a person, and the answer. */
  approval: z
    .object({
      modelName: z.string(),
      reason: z.string(),
      expiresAtMs: z.number(),
      answer: z.object({ approved: z.boolean(), reason: z.string(), at: z.string() }).optional(),
    })
    .optional(),
});

const failureSchema = z.object({
  epoch: z.int(),
  attempt: z.int(),
  failedAtMs: z.number(),
  error: z.string(),
  cause: z.string(),
  /** Labels of the current epoch that make the next attempt due. Absent: time does. */
  labelsAwaited: z.int().optional(),
});

const epochStateSchema = z.object({
  /** The current epoch, which labels are counted into. */
  epoch: z.int().default(1),
  training: trainingSchema.optional(),
  /** Labels that the claim of the epoch before the current one rested on. */
  countsAtClaim: countsSchema.optional(),
  /** Labels that landed in that epoch after its claim: they count towards the current one. */
  carried: countsSchema.optional(),
  /** The last attempt, when it failed and its epoch waits for the next. */
  failed: failureSchema.optional(),
  /** The last failure of all, whatever has become of its epoch. */
  lastFailure: failureSchema.optional(),
  lastTraining: z
    .object({
      ...{ epoch: z.int(), attempt: z.int(), finishedAtMs: z.number(), schemaHash: z.string().optional() },
      /** Rows of its training set. */
      rows: z.int().optional(),
    })
    .optional(),
  /** Since when no training is claimed but by a person, and why. */
  paused: z.object({ atMs: z.number(), reason: z.string() }).optional(),
});

export type EpochState = Readonly<z.output<typeof epochStateSchema>>;
export type TrainingInFlight = Readonly<z.output<typeof trainingSchema>>;

/** A training that is over: its evidence, and what serves if that was changed. */
export interface ClosedTraining {
  readonly epoch: number;
  readonly attempt: number;
  readonly evidence: Readonly<Record<string, unknown>> & {
    readonly schemaHash: string;
    readonly counts?: Readonly<Record<string, number>>;
  };
  readonly serving?: Serving;
  /** What labels are counted under, as of {@link countLabels}. */
  readonly classes?: readonly string[];
}

/** Reads the epochs' state (consistent read). A table that has none yet is in epoch 1. */
export async function readEpochState(table: StateTable): Promise<EpochState> {
  return (await readItem(table, EPOCH_KEY, epochStateSchema)) ?? epochStateSchema.parse({});
}

/** Labels that count towards the current epoch: its own, and those that were carried over. @param classes as of {@link countLabels}. */
export async function countPending(
  table: StateTable,
  { epoch, carried }: EpochState,
  classes?: readonly string[],
): Promise<LabelCounts> {
  const counts = await countLabels(table, epoch, classes);
  return carried ? added(counts, carried) : counts;
}

/**
 * Claims an epoch for a training. The first attempt moves the current epoch on; a further one takes the failed
 * attempt's place and leaves the current epoch alone.
 *
 * @param counts labels of the epoch that the decision rests on, without those carried over. Of a first attempt.
 * @returns the training that is in flight for this epoch and attempt, whoever claimed it (its input may differ from
 *   the one given, and is the one to start); undefined when the epoch is not to be had.
 */
export async function claimEpoch(
  table: StateTable,
  training: TrainingInFlight,
  counts: LabelCounts = NO_LABELS,
): Promise<TrainingInFlight | undefined> {
  const { epoch, attempt } = training;
  const first = attempt === 1;
  const isCurrent = epoch === 1 ? '(attribute_not_exists(#epoch) OR #epoch = :epoch)' : '#epoch = :epoch';
  const won = await moves(
    table,
    first
      ? {
          update: 'SET #epoch = :next, #training = :training, #countsAtClaim = :counts REMOVE #carried',
          condition: `${isCurrent} AND attribute_not_exists(#training) AND attribute_not_exists(#failed)`,
          values: { ':epoch': epoch, ':next': epoch + 1, ':training': training, ':counts': counts },
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

/** What is known of a failed attempt. */
export interface Failure {
  readonly epoch: number;
  readonly attempt: number;
  readonly error: string;
  readonly cause: string;
  /** Labels of the current epoch that make the next attempt due. Absent: the policy's pause does. */
  readonly labelsAwaited?: number | undefined;
}

/**
 * Gives a failed attempt's epoch back for the next attempt.
 *
 * @returns whether this call did it; false when the attempt is no longer in flight.
 */
export function reopenEpoch(table: StateTable, failure: Failure, nowMs: number): Promise<boolean> {
  const failed = failureOf(failure, nowMs);
  return moves(table, {
    update: 'SET #failed = :failed, #lastFailure = :failed REMOVE #training',
    condition: '#training.#epoch = :epoch AND #training.#attempt = :attempt',
    values: { ':epoch': failure.epoch, ':attempt': failure.attempt, ':failed': failed },
  });
}

/**
 * Closes an epoch: evidence first, then what is serving, and only then the training in flight is over, so that a close
 * which stops halfway is done again whole. The evidence is the first one written per attempt.
 *
 * @param failure why the training is over, if it failed for good.
 * @returns whether this call ended the training; false when it was not in flight (any more).
 */
export async function closeEpoch(
  table: StateTable,
  closed: ClosedTraining,
  nowMs: number,
  failure?: Failure,
): Promise<boolean> {
  const { epoch, attempt, serving, classes = BINARY_CLASSES } = closed;
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
  if (serving) await writeServing(table, serving, nowMs);
  const { countsAtClaim } = await readEpochState(table);
  const carried = countsAtClaim
    ? beyond(await countLabels(table, epoch, classes), countsAtClaim)
    : countsOf(classes.map((it) => [it, 0]));
  const { schemaHash, counts } = closed.evidence;
  const lastTraining = { epoch, attempt, finishedAtMs: nowMs, schemaHash, rows: rowsOf(counts) };
  return moves(table, {
    update: `SET #lastTraining = :lastTraining, #carried = :carried${failure ? ', #lastFailure = :failure' : ''} REMOVE #training`,
    condition: '#training.#epoch = :epoch AND #training.#attempt = :attempt',
    values: {
      ...{ ':epoch': epoch, ':attempt': attempt, ':lastTraining': lastTraining, ':carried': carried },
      ...(failure && { ':failure': failureOf(failure, nowMs) }),
    },
  });
}

/** Rows of a training set; undefined where it was never counted. */
const rowsOf = (counts: Readonly<Record<string, number>> | undefined): number | undefined =>
  counts && ['trainRows', 'validationRows', 'judgeRows'].reduce((sum, part) => sum + (counts[part] ?? 0), 0);

function failureOf({ epoch, attempt, error, cause, labelsAwaited }: Failure, nowMs: number) {
  return { epoch, attempt, failedAtMs: nowMs, error, cause: cause.slice(0, CAUSE_CHARACTERS_MAX), labelsAwaited };
}

function added(a: LabelCounts, b: LabelCounts): LabelCounts {
  const labels = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...labels].map((it) => [it, (a[it] ?? 0) + (b[it] ?? 0)])) as { total: number };
}

/** An entry leaves an epoch's set when its record is labeled again, and counts where it has gone: never below zero. */
function beyond(now: LabelCounts, before: LabelCounts): LabelCounts {
  const classes = byClass(now);
  if (classes.length === 0) return { total: Math.max(0, now.total - before.total) };
  return countsOf(classes.map(([label, count]) => [label, Math.max(0, count - (before[label] ?? 0))]));
}

/** Makes one conditional move of the epoch item. `#name` stands for the attribute `name` in both expressions. */
export function moves(
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
        ExpressionAttributeValues: marshall(move.values, { removeUndefinedValues: true }),
      }),
    ),
  );
}
