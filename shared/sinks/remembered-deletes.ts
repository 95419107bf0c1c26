import { type Pace, untilDeadline } from '../calls/pace.ts';
import type { TimedChange } from '../changes/change.ts';
import { isDelete, lastChangePerRecord } from '../changes/last-change.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import type { StateTable } from '../state/table.ts';
import { isRecording, tombstoneWriter } from '../state/tombstones.ts';
import type { Sink } from './sink.ts';

/**
 * The online store, for everybody but a backfill: while one is under way, a delete leaves a tombstone in the state table
 * before it is made. Of a put of the backfill and a delete one then sees the other: the delete comes after the put and
 * removes it, or the tombstone was written before the put ended, and the backfill finds it when it looks.
 *
 * Fails closed: where it is not known whether a backfill is under way, or a tombstone is not written, nothing is deleted.
 * Batches without deletes ask for nothing.
 */
export function rememberingDeletes(group: FeatureGroup, onlineStore: Sink, table: StateTable): Sink {
  const writeTombstones = tombstoneWriter(table);

  async function remember(deletes: readonly TimedChange[], pace: Pace): Promise<string | undefined> {
    let recording = false;
    const [unknown] = await untilDeadline([deletes], { pace, concurrencyMax: 1 }, async () => {
      recording = await isRecording(table, pace.signal);
      return undefined;
    });
    if (unknown) return `it is not known whether a backfill is under way: ${unknown.message}`;
    if (!recording) return undefined;
    try {
      await writeTombstones(deletes, pace);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  return {
    name: onlineStore.name,
    async write(changes, pace) {
      const deletes = lastChangePerRecord(group, changes).filter((it) => isDelete(group, it));
      const problem = deletes.length > 0 ? await remember(deletes, pace) : undefined;
      if (problem === undefined) return onlineStore.write(changes, pace);
      const failures = changes.map(({ sequenceNumber }) => ({ sequenceNumber, message: `feature-store: ${problem}` }));
      return { failures, rejections: [] };
    },
  };
}
