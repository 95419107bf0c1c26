import { formatEventTime } from '../../../shared/changes/event-time.ts';
import { columnsOf, type FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { reconcile } from '../../../shared/history/reconcile/reconcile.ts';
import type { LoggedRecord, OnlineRecord, TableRecord } from '../../../shared/history/reconcile/stores.ts';
import { storesOf } from '../../given/history/stores-in-memory.ts';
import type { FeatureStore } from '../aws/feature-store.ts';
import type { SourceTable } from '../world/source-table.ts';
import { latestRows, parseRow } from './change-log-rows.ts';
import { Violation } from './violation.ts';

/** Promises that whoever operates a stack can hold it to by a comparison. */
const OF_STORES = [
  'the online store equals the table',
  'the latest row equals the item',
  'the latest-row view equals the table',
];

/** What a world has left behind. */
export interface Left {
  readonly group: FeatureGroup;
  readonly table: SourceTable;
  readonly featureStore: FeatureStore;
  /** Rows of the change log, as they lie there. */
  readonly rows: readonly string[];
}

/** The three places of a world, as a comparison reads them. */
export interface Places {
  readonly items: Map<string, TableRecord>;
  readonly online: Map<string, OnlineRecord>;
  readonly logged: Map<string, LoggedRecord>;
}

export function placesOf({ group, table, featureStore, rows }: Left): Places {
  const items = new Map<string, TableRecord>();
  for (const [id, { isOther, quality, texts }] of table.items) {
    if (isOther) continue;
    const isTaken = quality !== 'malformed';
    const record = { id, texts: isTaken ? texts.map((text) => text ?? null) : undefined };
    items.set(id, isTaken ? record : { ...record, rejection: 'it is wrong' });
  }
  const columns = columnsOf(group).map(({ name }) => name);
  const online = new Map<string, OnlineRecord>();
  for (const [id, { features, eventTimeMs }] of featureStore.records) {
    if (!features) continue;
    online.set(id, {
      texts: columns.map((name) => features.get(name) ?? null),
      eventTime: formatEventTime(eventTimeMs),
    });
  }
  const logged = new Map<string, LoggedRecord>();
  for (const [id, { features, ...row }] of latestRows(group, rows.map(parseRow))) {
    logged.set(id, { ...row, texts: features, isRemoved: false });
  }
  return { items, online, logged };
}

/** Compares all of three places. Nothing is on its way any more. */
export async function differencesOf(group: FeatureGroup, { items, online, logged }: Places) {
  const stores = storesOf({ table: () => items, online: () => online, logged: () => logged });
  const { differences } = await reconcile(group, stores, {
    ...{ online: 'all', salt: '', settleMs: 0, lagMs: async () => 0, time: { sleep: async () => undefined } },
    onProgress() {},
  });
  return differences;
}

/**
 * Holds a comparison of everything to the judge of a world: it names the record of which the judge says that a store is
 * not as the table, and no record that the judge finds right.
 *
 * @param violation what the judge says; undefined when all is right.
 * @param isUnsaid whether the judge says nothing of a record.
 * @throws Violation.
 */
export async function checkCompared(
  left: Left,
  violation: Violation | undefined,
  isUnsaid: (id: string) => boolean,
): Promise<void> {
  if (violation && !OF_STORES.includes(violation.invariant)) return;
  const named = new Set((await differencesOf(left.group, placesOf(left))).map(({ id }) => id));
  const missed = violation?.recordIdentifier;
  if (missed !== undefined && !named.has(missed)) {
    throw new Violation('a comparison names what is different', `not ${missed}`, missed);
  }
  if (violation) return;
  for (const id of named) {
    if (!isUnsaid(id)) throw new Violation('a comparison names nothing that is equal', id, id);
  }
}
