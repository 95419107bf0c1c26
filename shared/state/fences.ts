import {
  type AttributeValue,
  BatchGetItemCommand,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { describeError, errorCode, isThrottling } from '../calls/failure.ts';
import { type Pace, retryUntilDeadline, withAdaptiveConcurrency } from '../calls/pace.ts';
import { type Change, compareSequenceNumbers, paddedSequenceNumber, type TimedChange } from '../changes/change.ts';
import { eventTimeAfter } from '../changes/event-time.ts';
import { fenceKey } from './keys.ts';

/**
 * Fences carry a record's clock from one batch to the next. Within a batch the ordinals of a record's changes in one
 * second are known; across two batches they are not. So the last change of each record in the last seconds of a batch
 * leaves a fence, and a record in the first seconds of a batch looks for one.
 *
 * Fences are written after every sink has taken the changes they speak of, and only ever forward. Each keeps the one it
 * replaced, so that a batch delivered again from its beginning finds what it found the first time, and gives the same
 * event times.
 */
export interface Fence {
  readonly sequenceNumber: string;
  readonly eventTimeMs: number;
  /** The record's fence as the batch that wrote this one found it. */
  readonly before?: { readonly sequenceNumber: string; readonly eventTimeMs: number } | undefined;
}

/** Most keys of one call. Source: BatchGetItem. */
const KEYS_PER_CALL_MAX = 100;
/** State table calls in flight at once. */
const CONCURRENCY_MAX = 32;
/** A fence is needed as long as a batch may be delivered again: the stream's 24 hours, and one to spare. */
const FENCE_LIFETIME_SECONDS = 25 * 3_600;

/** The fence that orders `change`: the record's last change known to come before it, or the change itself. */
export function predecessor(
  fence: Fence | undefined,
  change: Pick<Change, 'sequenceNumber' | 'second'>,
): { sequenceNumber: string; eventTimeMs: number } | undefined {
  if (!fence) return undefined;
  const isAfter = ({ sequenceNumber, eventTimeMs }: { sequenceNumber: string; eventTimeMs: number }) =>
    compareSequenceNumbers(change.sequenceNumber, sequenceNumber) >= 0 ||
    // No AWS page promises that sequence numbers of different shards compare; a later second settles it.
    change.second * 1_000 > eventTimeMs;
  if (isAfter(fence)) return fence;
  return fence.before && isAfter(fence.before) ? fence.before : undefined;
}

/**
 * Gives each change its event time, in stream order: one millisecond after the record's previous change, or its own
 * second if that is later. A change that a fence already knows gets the event time it had.
 */
export function assignEventTimes(changes: readonly Change[], fences: ReadonlyMap<string, Fence>): TimedChange[] {
  const previous = new Map<string, { sequenceNumber: string; eventTimeMs: number }>();
  return changes.map((change) => {
    const { recordIdentifier, sequenceNumber } = change;
    const fenced = predecessor(fences.get(recordIdentifier), change);
    const inBatch = previous.get(recordIdentifier);
    const last = fenced && (!inBatch || fenced.eventTimeMs > inBatch.eventTimeMs) ? fenced : inBatch;
    const eventTimeMs =
      last?.sequenceNumber === sequenceNumber ? last.eventTimeMs : eventTimeAfter(change.second, last?.eventTimeMs);
    const timed = timedChange(change, eventTimeMs);
    previous.set(recordIdentifier, timed);
    return timed;
  });
}

/** Written out: an object copied and then given one member more takes the engine several times as long. */
function timedChange(change: Change, eventTimeMs: number): TimedChange {
  const { eventName, sequenceNumber, recordIdentifier, second, ttlExpired, values, newLabel } = change;
  return { eventName, sequenceNumber, recordIdentifier, second, ttlExpired, values, newLabel, eventTimeMs };
}

/** Fences in the state table. */
export function fenceStore(stateTable: string, dynamodb: Pick<DynamoDBClient, 'send'>, keepForever: boolean) {
  return {
    /**
     * The fences of records, by record identifier (consistent reads).
     *
     * @throws Error when some could not be read in time: without them no event time can be given.
     */
    async read(recordIdentifiers: Iterable<string>, pace: Pace): Promise<Map<string, Fence>> {
      const keys = [...new Set(recordIdentifiers)].map((it) => ({ pk: { S: fenceKey(it) } }));
      const fences = new Map<string, Fence>();
      let lastError = 'no time left';
      const left = await retryUntilDeadline(keys, pace, async (pending) => {
        const again: Record<string, AttributeValue>[] = [];
        await withAdaptiveConcurrency(chunk(pending, KEYS_PER_CALL_MAX), CONCURRENCY_MAX, async (call) => {
          try {
            const answer = await dynamodb.send(
              new BatchGetItemCommand({ RequestItems: { [stateTable]: { Keys: call, ConsistentRead: true } } }),
            );
            for (const item of answer.Responses?.[stateTable] ?? []) {
              if (item.record?.S !== undefined) fences.set(item.record.S, fenceOf(item));
            }
            const unprocessed = answer.UnprocessedKeys?.[stateTable]?.Keys ?? [];
            again.push(...unprocessed);
            return unprocessed.length > 0 ? 'throttled' : 'ok';
          } catch (error) {
            lastError = describeError(error);
            again.push(...call);
            return isThrottling(errorCode(error)) ? 'throttled' : 'ok';
          }
        });
        return again as typeof keys;
      });
      if (left.length > 0) throw new Error(`${left.length} of ${keys.length} fences could not be read: ${lastError}`);
      return fences;
    },

    /**
     * Leaves the fences of changes, one per record.
     *
     * Idempotent: a fence is only ever moved to a newer change, so a second or a late writer changes nothing.
     *
     * @returns the changes whose fence could not be written in time, with the last error.
     */
    async write(
      changes: readonly TimedChange[],
      found: ReadonlyMap<string, Fence>,
      pace: Pace,
    ): Promise<{ sequenceNumber: string; message: string }[]> {
      const errors = new Map<string, string>();
      const left = await retryUntilDeadline(changes, pace, async (pending) => {
        const again: TimedChange[] = [];
        await withAdaptiveConcurrency(pending, CONCURRENCY_MAX, async (change) => {
          try {
            await dynamodb.send(putFence(change, found.get(change.recordIdentifier), pace));
          } catch (error) {
            if (errorCode(error) === 'ConditionalCheckFailedException') return 'ok';
            errors.set(change.sequenceNumber, describeError(error));
            again.push(change);
            return isThrottling(errorCode(error)) ? 'throttled' : 'ok';
          }
          return 'ok';
        });
        return again;
      });
      return left.map(({ sequenceNumber }) => ({
        sequenceNumber,
        message: `fence: ${errors.get(sequenceNumber) ?? 'no time left'}`,
      }));
    },
  };

  function putFence(change: TimedChange, found: Fence | undefined, pace: Pace): PutItemCommand {
    const before = predecessorOf(found, change);
    return new PutItemCommand({
      TableName: stateTable,
      Item: {
        pk: { S: fenceKey(change.recordIdentifier) },
        record: { S: change.recordIdentifier },
        sequenceNumber: { S: paddedSequenceNumber(change.sequenceNumber) },
        eventTimeMs: { N: String(change.eventTimeMs) },
        ...(before && {
          beforeSequenceNumber: { S: paddedSequenceNumber(before.sequenceNumber) },
          beforeEventTimeMs: { N: String(before.eventTimeMs) },
        }),
        ...(!keepForever && { expiresAt: { N: String(Math.floor(pace.now() / 1_000) + FENCE_LIFETIME_SECONDS) } }),
      },
      // The event time counts too: sequence numbers of two shards may not compare, and the clock never goes back.
      ConditionExpression: 'attribute_not_exists(pk) OR eventTimeMs < :eventTimeMs',
      ExpressionAttributeValues: { ':eventTimeMs': { N: String(change.eventTimeMs) } },
    });
  }
}

/** What the new fence remembers: the one the batch began with, as long as it is not the new one itself. */
function predecessorOf(found: Fence | undefined, change: TimedChange) {
  if (!found) return undefined;
  return found.eventTimeMs < change.eventTimeMs ? found : found.before;
}

function fenceOf(item: Record<string, AttributeValue>): Fence {
  const unpad = (text: string | undefined) => (text ?? '').replace(/^0+(?=\d)/, '');
  const { beforeSequenceNumber, beforeEventTimeMs } = item;
  return {
    sequenceNumber: unpad(item.sequenceNumber?.S),
    eventTimeMs: Number(item.eventTimeMs?.N),
    before: beforeSequenceNumber && {
      sequenceNumber: unpad(beforeSequenceNumber.S),
      eventTimeMs: Number(beforeEventTimeMs?.N),
    },
  };
}

function chunk<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size));
  return chunks;
}
