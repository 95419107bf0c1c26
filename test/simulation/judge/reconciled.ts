import { formatEventTime } from '../../../shared/changes/event-time.ts';
import { columnsOf, type FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { reconcile } from '../../../shared/history/reconcile/reconcile.ts';
import type { LoggedRecord, OnlineRecord, TableRecord } from '../../../shared/history/reconcile/stores.ts';
import { storesOf } from '../../given/history/stores-in-memory.ts';
import type { FeatureStore } from '../aws/feature-store.ts';
import type { SourceTable } from '../world/source-table.ts';
import { latestRows, parseRow } from './change-log-rows.ts';

/** What a world has left behind. */
export interface Left {
  readonly group: FeatureGroup;
  readonly table: SourceTable;
  readonly featureStore: FeatureStore;
  /** Rows of the change log, as they lie there. */
  readonly rows: readonly string[];
}

/** Records that a comparison of everything names, but for items that are wrong: they are in no store as they are. */
export async function namedDifferent({ group, table, featureStore, rows }: Left): Promise<Set<string>> {
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
  const stores = storesOf({ table: () => items, online: () => online, logged: () => logged });
  const { differences } = await reconcile(group, stores, {
    ...{ online: 'all', salt: '', settleMs: 0, lagMs: async () => 0, time: { sleep: async () => undefined } },
    onProgress() {},
  });
  const isRight = (id: string) => (table.items.get(id)?.quality ?? 'good') === 'good';
  return new Set(differences.flatMap(({ id }) => (isRight(id) ? [id] : [])));
}
