import { DigestSums, digestOf } from '../../../shared/change-log/digests.ts';
import { digestText } from '../../../shared/history/reconcile/reconcile.ts';
import type { LoggedRecord, OnlineRecord, Stores, TableRecord } from '../../../shared/history/reconcile/stores.ts';

/** What the three places hold, by record identifier, whenever they are asked. */
export interface Held {
  table(): ReadonlyMap<string, TableRecord>;
  online(): ReadonlyMap<string, OnlineRecord>;
  logged(): ReadonlyMap<string, LoggedRecord>;
}

/** Records in a page: few, so that tests have several. */
const PAGE = 3;

function* pages<T>(all: Iterable<T>): Generator<T[]> {
  let page: T[] = [];
  for (const it of all) {
    page.push(it);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  yield page;
}

const those = <T>(held: ReadonlyMap<string, T>, ids: readonly string[]) =>
  new Map([...held].filter(([id]) => ids.includes(id)));

const live = (held: ReadonlyMap<string, LoggedRecord>) => [...held].filter(([, { isRemoved }]) => !isRemoved);

/** Readers of places that are held in memory. */
export function storesOf({ table, online, logged }: Held): Stores {
  return {
    table: {
      async *scan() {
        yield* pages(table().values());
      },
      async *sample() {
        yield* pages(table().values());
      },
      read: async (ids) => those(table(), ids),
    },
    online: {
      read: async (ids) => those(online(), ids),
      page: async (after) => {
        const begin = Number(after ?? 0);
        const ids = [...online().keys()];
        const next = begin + PAGE < ids.length ? String(begin + PAGE) : undefined;
        return { ids: ids.slice(begin, begin + PAGE), next };
      },
    },
    log: {
      async sums() {
        const sums = new DigestSums();
        for (const [id, { texts }] of live(logged())) sums.add(digestOf(id, texts));
        return sums;
      },
      async *digests(buckets) {
        const asked = new Set(buckets);
        for (const page of pages(live(logged()))) {
          yield page.flatMap(([id, { texts }]) => {
            const digest = digestOf(id, texts);
            return asked.has(digest.bucket) ? [[id, digestText(digest)] as const] : [];
          });
        }
      },
      latest: async (ids) => those(logged(), ids),
    },
  };
}
