import type { Pace } from '../calls/pace.ts';
import { type Change, featureTexts, type TimedChange } from '../changes/change.ts';
import { makeDecoder } from '../changes/decode.ts';
import { columnsOf, type FeatureGroup } from '../definition/feature-group.ts';
import { soughtForRepair, type WaitingItem } from './dating.ts';
import { type RedriveDestinations, repairer } from './repair.ts';
import type { Item } from './source-items.ts';

/** Records that are repaired by one invocation: as many as one call reads of the table. Source: BatchGetItem. */
export const REPAIRS_PER_CALL_MAX = 100;

/** A record that is not what its item is. */
export interface RepairItem {
  readonly id: string;
  readonly keys: Item;
  /** Its latest event time in either store, in epoch milliseconds; 0 where it is in none. */
  readonly knownMs: number;
  /** Number of its latest change in the change log; `0` where there is none. */
  readonly sequenceNumber: string;
}

/** What became of records that were to be repaired. */
export interface RepairAnswer {
  readonly unrepaired: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * Makes the repairer of records that are different in a store though nothing of them waits. The rule is that of a redrive:
 * date, then read the item, then write. The label of a record counts if the ledger has none of it, as that of a backfill.
 * Every step may be done again.
 */
export function itemRepairer(group: FeatureGroup, destinations: RedriveDestinations, hazardSeconds: number) {
  const repaired: TimedChange[] = [];
  const repair = repairer(group, makeDecoder(group), destinations, hazardSeconds, (changes) =>
    repaired.push(...changes),
  );

  return async (items: readonly RepairItem[], pace: Pace): Promise<RepairAnswer> => {
    repaired.length = 0;
    const waiting = items.map(waitingItem);
    const removals = waiting.map(({ removal }) => removal);
    const found = await destinations.fences.read(soughtForRepair(removals, hazardSeconds, pace), pace);
    const reasons = new Map(await repair(waiting, found, pace));
    const { failures } = await destinations.labelLedger.write(
      repaired.flatMap((it) => labelOf(group, it)),
      pace,
    );
    if (failures.length > 0) {
      for (const { recordIdentifier } of repaired) reasons.set(recordIdentifier, failures[0]?.message ?? '');
    }
    return { unrepaired: [...reasons].map(([id, reason]) => ({ id, reason })) };
  };
}

/** The record as if something of it waited: its latest change, and that its item may be gone. */
function waitingItem({ id, keys, knownMs, sequenceNumber }: RepairItem): WaitingItem {
  const second = Math.floor(knownMs / 1_000);
  const removal: Change = {
    ...{ eventName: 'REMOVE', sequenceNumber, recordIdentifier: id, second, ttlExpired: false },
    ...{ values: undefined, newLabel: undefined },
  };
  const dynamodb = { Keys: keys, SequenceNumber: sequenceNumber, ApproximateCreationDateTime: second };
  const record = { eventName: 'REMOVE', dynamodb };
  return { rows: [], record, removal, records: 1, lastSecond: second, writtenMs: knownMs };
}

/** Loses against every label that the stream brings, and counts for a record of which none was ever counted. */
function labelOf(group: FeatureGroup, change: TimedChange): TimedChange[] {
  const index = columnsOf(group).findIndex(({ feature }) => feature === 'label');
  const label = featureTexts(group, change)[index];
  if (typeof label !== 'string') return [];
  return [{ ...change, newLabel: label, sequenceNumber: '0', streamSecond: 0 }];
}
