import { chunksOf } from '../calls/chunks.ts';
import { untilDeadline } from '../calls/pace.ts';
import { streamSecondOf, type TimedChange } from '../changes/change.ts';
import { isLater, placeOf } from '../changes/event-order.ts';
import { paddedSequenceNumber } from '../changes/sequence-number.ts';
import type { Label } from '../definition/feature-group.ts';
import { countedAs } from '../definition/label.ts';
import { type ConditionalPut, conditionalPuts, PUTS_PER_CALL_MAX } from '../state/conditional-puts.ts';
import { labelKey } from '../state/keys.ts';
import { currentEpoch, epochLabelShard } from '../state/label-ledger.ts';
import type { StateTable } from '../state/table.ts';
import type { Sink } from './sink.ts';

/** Calls to the state table in flight at once. */
const CONCURRENCY_MAX = 16;

/**
 * When a label event takes the place of the one in the ledger: else that is the same, or a newer one. Entries of version
 * 0.1.0 have no second: their numbers decide.
 */
const IS_NEWER =
  'streamSecond < :earlier OR (sequenceNumber < :sequenceNumber AND (attribute_not_exists(streamSecond) OR streamSecond <= :later))';

/**
 * The label ledger: the set of records labeled in the current epoch.
 *
 * Idempotent by being a set: one item per labeled record, written only if its label event is newer than the stored one,
 * so that one delivered again, or overtaken by a newer one, changes nothing and is counted once.
 *
 * Of two events the one of the later second is newer, as long as the seconds are further apart than the stream's clock
 * may err; else the one of the greater sequence number. The ledger outlives the stream: one that was made anew for the
 * table numbers its records from anywhere.
 *
 * @param hazardSeconds how far two records of a shard may be out of step in their seconds.
 * @param label of the definition, which says how labels are counted. Default: by two classes.
 */
export function labelLedgerSink(table: StateTable, hazardSeconds: number, label?: Label): Sink {
  const put = conditionalPuts(table, IS_NEWER);
  return {
    name: 'label-ledger',
    async write(changes, pace) {
      const rounds = { pace, concurrencyMax: CONCURRENCY_MAX, begin: () => currentEpoch(table, pace.signal) };
      const events = newestLabelPerRecord(changes, hazardSeconds);
      const left = await untilDeadline(chunksOf(events, PUTS_PER_CALL_MAX), rounds, async (call, epoch) => {
        const puts = call.map((change) => ({ change, ...entryOf(change, epoch, hazardSeconds, label) }));
        const rest = await put(puts, pace.signal);
        return rest && { ...rest, item: rest.item.map(({ change }) => change) };
      });
      const failures = left.flatMap(({ item, message }) =>
        item.map(({ sequenceNumber }) => ({ sequenceNumber, message: `label-ledger: ${message}` })),
      );
      return { failures, rejections: [] };
    },
  };
}

function entryOf(change: TimedChange, epoch: number, hazardSeconds: number, of: Label | undefined): ConditionalPut {
  const { recordIdentifier, newLabel: label = '' } = change;
  const streamSecond = streamSecondOf(change);
  const sequenceNumber = { S: paddedSequenceNumber(change.sequenceNumber) };
  return {
    item: {
      pk: { S: labelKey(recordIdentifier) },
      label: { S: label },
      sequenceNumber,
      streamSecond: { N: String(streamSecond) },
      epoch: { N: String(epoch) },
      epochLabelShard: { S: epochLabelShard(epoch, countedAs(of, label), recordIdentifier) },
    },
    values: {
      ':sequenceNumber': sequenceNumber,
      ':earlier': { N: String(streamSecond - hazardSeconds) },
      ':later': { N: String(streamSecond + hazardSeconds) },
    },
  };
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
