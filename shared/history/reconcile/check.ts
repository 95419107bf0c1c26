import { chunksOf } from '../../calls/chunks.ts';
import { errorCode, isInvalidInput } from '../../calls/failure.ts';
import type { Time } from '../../calls/pace.ts';
import { keepsRemoved } from '../../changes/last-change.ts';
import type { FeatureGroup } from '../../definition/feature-group.ts';
import type { CheckCounts } from '../../state/checks.ts';
import { causeOf, isEqual } from './cause.ts';
import { lookUpOnline } from './extra.ts';
import type { Stores } from './stores.ts';
import { type Judged, judgeSuspects } from './suspects.ts';

/**
 * The check that runs by itself: a sample of the table's records is looked up online, and a part of the records that are
 * online is looked up in the table, the next part at each check. Unlike a whole comparison it costs the same for every
 * table. Nothing is written.
 */

/** Records that are read together. Source: BatchGetRecord takes 100 identifiers. */
const RECORDS_PER_READ = 100;

/** Suspects that are looked into: that some differ is what a check says, and a whole comparison says which. */
const SUSPECTS_MAX = 500;

/** How a check is made. */
export interface CheckPlan {
  /** Records to compare, and identifiers to list, at most. */
  readonly records: number;
  /** When reading ends, in epoch milliseconds: what is compared by then is the sample. */
  readonly readUntilMs: number;
  /** Where the list of what is online goes on; null for its beginning. */
  readonly listAfter: string | null;
  /** How long a change takes to arrive, in milliseconds. */
  readonly settleMs: number;
  /** How far delivery is behind now, in milliseconds. */
  readonly lagMs: () => Promise<number>;
  readonly time: Pick<Time, 'now' | 'sleep'>;
}

/** What a check came to. */
export interface Checked {
  readonly counts: CheckCounts;
  /** Where the next check goes on with the list of what is online; null for its beginning. */
  readonly listAfter: string | null;
}

/** Checks. @throws whatever the readers throw. */
export async function checkSample(
  group: FeatureGroup,
  { table, online }: Pick<Stores, 'table' | 'online'>,
  plan: CheckPlan,
): Promise<Checked> {
  const { records, readUntilMs, time } = plan;
  const suspects = new Set<string>();
  let compared = 0;
  let wrong = 0;
  for await (const page of table.sample()) {
    const taken = page.flatMap(({ id, texts }) => (id === undefined || texts === undefined ? [] : [{ id, texts }]));
    wrong += page.length - taken.length;
    for (const some of chunksOf(taken.slice(0, records - compared), RECORDS_PER_READ)) {
      const found = await online.read(some.map(({ id }) => id));
      for (const { id, texts } of some) {
        if (!isEqual(group, 'online store', texts, found.get(id)?.texts)) suspects.add(id);
      }
      compared += some.length;
    }
    if (compared >= records || time.now() >= readUntilMs) break;
  }
  // What the definition keeps of items that are gone says nothing of whether it is right.
  const list = keepsRemoved(group)
    ? { listed: 0, listAfter: null }
    : await listExtra({ table, online }, plan, suspects);
  const judged = await judgeSuspects(
    group,
    { table, online, log: undefined },
    [...suspects].slice(0, SUSPECTS_MAX),
    plan,
  );
  return {
    counts: { compared, listed: list.listed, ...countsOf(group, judged, wrong) },
    listAfter: list.listAfter,
  };
}

/** Looks the next records that are online up in the table. */
async function listExtra(
  stores: Pick<Stores, 'table' | 'online'>,
  { records, readUntilMs, listAfter, time }: CheckPlan,
  suspects: Set<string>,
): Promise<{ listed: number; listAfter: string | null }> {
  const { online } = stores;
  // Nothing says for how long a token is good: one that is refused begins anew.
  const page: typeof online.page = (after) =>
    online.page(after).catch((error: unknown) => {
      if (after === listAfter && isInvalidInput(errorCode(error))) return online.page(undefined);
      throw error;
    });
  const looked = await lookUpOnline(
    { ...stores, online: { ...online, page } },
    listAfter ?? undefined,
    (extra, listed) => {
      for (const id of extra) suspects.add(id);
      return listed < records && time.now() < readUntilMs;
    },
  );
  return { listed: looked.listed, listAfter: looked.next ?? null };
}

function countsOf(group: FeatureGroup, { differences, changing, late }: Judged, wrong: number) {
  const counts = { missing: 0, differing: 0, extra: 0, wrong, younger: 0, changing, late };
  for (const { side, known } of differences) {
    const cause = causeOf(group, side, known, false);
    if (cause === 'wrong item') counts.wrong += 1;
    else if (cause === 'new feature') counts.younger += 1;
    else if (!known.item) counts.extra += 1;
    else if (!known.online) counts.missing += 1;
    else counts.differing += 1;
  }
  return counts;
}
