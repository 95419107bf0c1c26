import type { BatchWriteRecordRequest } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { Sink } from '../../../shared/sinks/sink.ts';
import type { FeatureStore } from '../aws/feature-store.ts';
import { Violation } from '../judge/violation.ts';
import type { SourceTable } from '../world/source-table.ts';

/** Milliseconds of the event time of every statement. */
const STATEMENT_MS = 999;

/**
 * Looks whether records that were deleted can be seen: once a delete is through, and a backfill has looked after its put
 * of the record, the record is not online. A put that the network delivers late is the sweep's, and not looked at.
 */
export class Sightings {
  readonly #group: FeatureGroup;
  readonly #table: SourceTable;
  readonly #featureStore: FeatureStore;
  readonly #late = new Set<string>();
  /** Records that were put, and not looked for yet; and those of which the last put was. */
  readonly #put = new Set<string>();
  readonly #looked = new Set<string>();

  constructor(group: FeatureGroup, table: SourceTable, featureStore: FeatureStore) {
    this.#group = group;
    this.#table = table;
    this.#featureStore = featureStore;
  }

  /** The online store, which tells what is put into it. */
  watching(onlineStore: Sink): Sink {
    return {
      name: onlineStore.name,
      write: (changes, pace) => {
        for (const { values, recordIdentifier } of changes) {
          if (values === undefined) continue;
          this.#put.add(recordIdentifier);
          this.#looked.delete(recordIdentifier);
        }
        return onlineStore.write(changes, pace);
      },
    };
  }

  copiedLate(input: unknown): void {
    const { recordIdentifier } = this.#group;
    for (const { Record } of (input as BatchWriteRecordRequest).Entries ?? []) {
      const id = Record?.find(({ FeatureName }) => FeatureName === recordIdentifier.name)?.ValueAsString;
      if (id !== undefined) this.#late.add(id);
    }
  }

  /** Whoever worked before was interrupted: nobody has looked for what it put last. */
  begins(): void {
    this.#put.clear();
  }

  /** @throws Violation. */
  chunkEnds(): void {
    for (const id of this.#put) this.#looked.add(id);
    this.#look(this.#put);
    this.#put.clear();
  }

  /** @throws Violation. */
  acknowledged(ids: readonly string[]): void {
    this.#look(ids);
  }

  #look(ids: Iterable<string>): void {
    if (this.#group.onDelete === 'keep') return;
    for (const id of ids) {
      const last = this.#table.histories.get(id)?.at(-1);
      const isGone = last?.eventName === 'REMOVE' && last.acknowledged && !this.#table.items.has(id);
      if (!isGone || !this.#looked.has(id) || this.#late.has(id)) continue;
      const online = this.#featureStore.records.get(id);
      // A change that the stream delivers again may bring it back too, where tombstones keep no time.
      if (!online?.features || online.eventTimeMs % 1_000 !== STATEMENT_MS) continue;
      throw new Violation(
        'a deleted record is not seen after the look',
        `${id} is online, and its delete is through`,
        id,
      );
    }
  }
}
