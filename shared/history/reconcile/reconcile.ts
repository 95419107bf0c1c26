import { chunksOf } from '../../calls/chunks.ts';
import type { Time } from '../../calls/pace.ts';
import { type Digest, DigestSums, digestOf, type RecordTexts } from '../../change-log/digests.ts';
import { keepsRemoved } from '../../changes/last-change.ts';
import type { FeatureGroup } from '../../definition/feature-group.ts';
import { isEqual } from './cause.ts';
import { lookUpOnline } from './extra.ts';
import { Sample } from './sample.ts';
import type { LogReader, Stores, TableRecord } from './stores.ts';
import { type Judged, judgeSuspects } from './suspects.ts';

/**
 * Holds both stores against the table, which is the truth. The change log is compared whole, by digests: only buckets
 * that differ are read record by record. The online store is compared whole, or by a sample. Whatever differs at first is
 * a suspect, and is judged by {@link judgeSuspects}: an application may go on writing.
 *
 * Memory is bounded: 3 MB of sums, the rows of some buckets, the sample, and the suspects.
 */

/** Rows of the change log that are held against the table in one pass over it: some 30 MB. */
const ROWS_PER_PASS = 250_000;

/** Suspects that are looked into. An application that changes more while a pass goes on needs a quieter hour. */
const SUSPECTS_MAX = 50_000;

/** Records of the online store that are read together. Source: BatchGetRecord takes 100 identifiers. */
const RECORDS_PER_READ = 100;

/** How a comparison is made. */
export interface Plan {
  /** Records of the online store to compare, or all of them. */
  readonly online: number | 'all';
  /** Draws the sample. */
  readonly salt: string;
  /** How long a change takes to arrive everywhere, in milliseconds. */
  readonly settleMs: number;
  /** How far delivery is behind now, in milliseconds. */
  readonly lagMs: () => Promise<number>;
  readonly time: Pick<Time, 'sleep'>;
  /** Told what is being done, and of how many records it is done. */
  readonly onProgress: (step: string, records: number) => void;
}

/** What a comparison came to. */
export interface Reconciled extends Judged {
  /** Records of the table. */
  readonly records: number;
  /** Of these, the ones whose keys make no record identifier: no store can have them. */
  readonly nameless: number;
  /** Of these, the ones that were compared with the online store. */
  readonly comparedOnline: number;
  /** There were more suspects than are looked into. */
  readonly more: boolean;
}

/** Compares. Nothing is written. @throws whatever the readers throw. */
export async function reconcile(group: FeatureGroup, stores: Stores, plan: Plan): Promise<Reconciled> {
  const { table, log } = stores;
  const suspects = new Suspects();
  const sums = new DigestSums();
  const sample = plan.online === 'all' ? undefined : new Sample<Named>(plan.online, plan.salt);
  let records = 0;
  let comparedOnline = 0;
  let nameless = 0;
  const compareOnline = async (compared: readonly Named[]) => {
    for (const some of chunksOf(compared, RECORDS_PER_READ)) {
      const found = await stores.online.read(some.map(({ id }) => id));
      for (const { id, texts } of some) {
        if (!isEqual(group, 'online store', texts, found.get(id)?.texts)) suspects.add(id);
      }
      comparedOnline += some.length;
    }
  };
  for await (const page of table.scan()) {
    const named = page.filter(isNamed);
    for (const { id, texts } of page) {
      if (id === undefined) nameless += 1;
      else if (texts === undefined) suspects.add(id);
    }
    for (const record of named) {
      if (log) sums.add(digestOf(record.id, record.texts));
      sample?.offer(record);
    }
    records += page.length;
    if (!sample) await compareOnline(named);
    plan.onProgress('Reading the table', records);
  }
  if (sample) await compareOnline(sample.records());
  else if (!keepsRemoved(group)) await findExtra(stores, suspects, plan);
  if (log) await compareLog(stores, log, sums, suspects, plan);
  plan.onProgress('Looking again at what differs', suspects.ids.length);
  const judged = await judgeSuspects(group, stores, suspects.ids, plan);
  return { ...judged, records, nameless, comparedOnline, more: suspects.more };
}

/** A record that has both an identifier and features. */
type Named = TableRecord & { readonly id: string; readonly texts: RecordTexts };

const isNamed = (record: TableRecord): record is Named => record.id !== undefined && record.texts !== undefined;

/** Finds records that are online and have no item. */
async function findExtra(stores: Stores, suspects: Suspects, { onProgress }: Plan): Promise<void> {
  await lookUpOnline(stores, undefined, (extra, listed) => {
    for (const id of extra) suspects.add(id);
    onProgress('Reading the identifiers that are online', listed);
    return true;
  });
}

/** Finds live rows that are not as their items, items without one, and rows without an item. */
async function compareLog(
  { table }: Stores,
  log: LogReader,
  sums: DigestSums,
  suspects: Suspects,
  { onProgress }: Plan,
): Promise<void> {
  onProgress('Adding up the change log', 0);
  const logged = await log.sums();
  const differing = sums.differing(logged);
  const passes = passesOf(differing, (bucket) => Math.max(sums.count(bucket), logged.count(bucket)));
  for (const [index, buckets] of passes.entries()) {
    if (suspects.more) return;
    onProgress(`Comparing ${differing.length} buckets that differ, in pass ${index + 1} of ${passes.length}`, 0);
    const rows = new Map<string, string>();
    for await (const page of log.digests(buckets)) for (const [id, digest] of page) rows.set(id, digest);
    const looked = new Set(buckets);
    for await (const page of table.scan()) {
      for (const { id, texts } of page.filter(isNamed)) {
        const digest = digestOf(id, texts);
        if (!looked.has(digest.bucket)) continue;
        if (rows.get(id) !== digestText(digest)) suspects.add(id);
        rows.delete(id);
      }
    }
    for (const id of rows.keys()) suspects.add(id);
  }
}

/** A digest as a reader of the change log tells it. */
export const digestText = ({ high, low }: Pick<Digest, 'high' | 'low'>): string => `${high} ${low}`;

/** Buckets that are compared together: as many as have {@link ROWS_PER_PASS} rows, and one at least. */
function passesOf(buckets: readonly number[], rowsOf: (bucket: number) => number): number[][] {
  const passes: number[][] = [];
  let room = 0;
  for (const bucket of buckets) {
    const rows = rowsOf(bucket);
    if (rows > room) {
      passes.push([]);
      room = ROWS_PER_PASS;
    }
    passes.at(-1)?.push(bucket);
    room -= rows;
  }
  return passes;
}

/** Identifiers of records to be looked at again, each once. */
class Suspects {
  readonly #ids = new Set<string>();
  more = false;

  get ids(): string[] {
    return [...this.#ids];
  }

  add(id: string): void {
    if (this.#ids.size < SUSPECTS_MAX) this.#ids.add(id);
    else if (!this.#ids.has(id)) this.more = true;
  }
}
