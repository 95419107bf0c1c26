import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { untilDeadline } from '../calls/pace.ts';
import { streamSecondOf, type TimedChange } from '../changes/change.ts';
import { isLater, placeOf } from '../changes/event-order.ts';
import { paddedSequenceNumber } from '../changes/sequence-number.ts';
import { labelKey } from '../state/keys.ts';
import { currentEpoch, epochLabelShard } from '../state/label-ledger.ts';
import { type StateTable, unlessConditionFails } from '../state/table.ts';
import type { Sink } from './sink.ts';

/** Writes to the state table in flight at once. */
const CONCURRENCY_MAX = 16;

/**
 * The label ledger: the set of records labelled in the current epoch.
 *
 * Idempotent by being a set: one item per labelled record, written only if its label event is newer than the stored one,
 * so that one delivered again, or overtaken by a newer one, changes nothing and is counted once.
 *
 * Of two events the one of the later second is newer, as long as the seconds are further apart than the stream's clock
 * may err; else the one of the greater sequence number. The ledger outlives the stream: one that was made anew for the
 * table numbers its records from anywhere.
 *
 * @param hazardSeconds how far two records of a shard may be out of step in their seconds.
 */
export function labelLedgerSink(table: StateTable, hazardSeconds: number): Sink {
  return {
    name: 'label-ledger',
    async write(changes, pace) {
      const rounds = { pace, concurrencyMax: CONCURRENCY_MAX, begin: () => currentEpoch(table, pace.signal) };
      const events = newestLabelPerRecord(changes, hazardSeconds);
      const left = await untilDeadline(events, rounds, async (change, epoch) => {
        const put = putLabel(table.name, change, epoch, hazardSeconds);
        await unlessConditionFails(() => table.dynamodb.send(put, { abortSignal: pace.signal }));
        return undefined;
      });
      const failures = left.map(({ item, message }) => ({
        sequenceNumber: item.sequenceNumber,
        message: `label-ledger: ${message}`,
      }));
      return { failures, rejections: [] };
    },
  };
}

/** Its condition fails when the ledger already has this label event or a newer one. */
function putLabel(tableName: string, change: TimedChange, epoch: number, hazardSeconds: number): PutItemCommand {
  const { recordIdentifier } = change;
  const streamSecond = streamSecondOf(change);
  const label = change.newLabel as '0' | '1';
  const sequenceNumber = { S: paddedSequenceNumber(change.sequenceNumber) };
  return new PutItemCommand({
    TableName: tableName,
    Item: {
      pk: { S: labelKey(recordIdentifier) },
      label: { S: label },
      sequenceNumber,
      streamSecond: { N: String(streamSecond) },
      epoch: { N: String(epoch) },
      epochLabelShard: { S: epochLabelShard(epoch, label, recordIdentifier) },
    },
    // Entries of version 0.1.0 have no second: their numbers decide.
    ConditionExpression:
      'attribute_not_exists(pk) OR streamSecond < :earlier OR (sequenceNumber < :sequenceNumber AND (attribute_not_exists(streamSecond) OR streamSecond <= :later))',
    ExpressionAttributeValues: {
      ':sequenceNumber': sequenceNumber,
      ':earlier': { N: String(streamSecond - hazardSeconds) },
      ':later': { N: String(streamSecond + hazardSeconds) },
    },
  });
}

function newestLabelPerRecord(changes: readonly TimedChange[], hazardSeconds: number): TimedChange[] {
  const newest = new Map<string, TimedChange>();
  for (const change of changes) {
    if (change.newLabel === undefined) continue;
    const known = newest.get(change.recordIdentifier);
    if (!known || isLater(change, placeOf(known), hazardSeconds)) newest.set(change.recordIdentifier, change);
  }
  return [...newest.values()];
}
