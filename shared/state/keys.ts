import { createHash } from 'node:crypto';

/** Keys of the state table: one table, whose items are told apart by the prefix of `pk`. */

/** Index of the label ledger: hash key `epochLabelShard`, range key `pk`. */
export const LABELS_BY_EPOCH_INDEX = 'labels-by-epoch';

/** The one item of the current epoch and the training in flight. */
export const EPOCH_KEY = 'epoch';

/** What the endpoint serves, as predictions need to know it. */
export const SERVING_KEY = 'serving';

/** Key of an encoding, which stays as long as a model of its schema may be gone back to. */
export const encodingKey = (schemaHash: string) => `encoding#${schemaHash}`;

/** The newest snapshot of the change log, which the next one builds upon. */
export const SNAPSHOT_ITEM_KEY = 'snapshot';

/** The snapshot that the views read. */
export const SHOWN_SNAPSHOT_KEY = 'shown-snapshot';

/** The check of the online store that runs by itself. */
export const CHECK_KEY = 'check';

/** The backfill that is under way, or the last one. */
export const BACKFILL_KEY = 'backfill';

/** Key of how far a backfill has come with one of its files. */
export const backfillFileKey = (runId: string, file: string) => `backfill#${runId}#${file}`;

/** Key of how far a backfill has come with a segment of the table that it scans. */
export const backfillSegmentKey = (runId: string, segment: number) => `backfill#${runId}#segment-${segment}`;

/** What keys of tombstones begin with. */
export const TOMBSTONES = 'tombstone#';

/** Key of the last delete of a record while a backfill was under way. */
export const tombstoneKey = (recordIdentifier: string) => recordKey('tombstone', recordIdentifier);

/** Key of the latest known change of a record (event time's fence). */
export const fenceKey = (recordIdentifier: string) => recordKey('fence', recordIdentifier);

/** Key of the set of the pages that hold the fences of one second of event time. */
export const fencesOfSecondKey = (second: number) => `fences#${second}`;

/** Key of one of the pages that were written together under a name. */
export const fencesPageKey = (second: number, name: string, index: number) => `fences#${second}#${name}#${index}`;

/** The second of event time in either key. */
export const secondOfFencesKey = (key: string): number => Number(key.split('#')[1]);

/** Key of the label ledger's entry of a record. */
export const labelKey = (recordIdentifier: string) => recordKey('label', recordIdentifier);

/** Key of the evidence that is kept of a closed epoch. */
export const evidenceKey = (epoch: number) => `epoch#${epoch}`;

/** Hash key of the decisions in the index of the label ledger. */
export const DECISIONS_SHARD = 'decisions';

/** Key of one decision to retrain or to wait. Keys are in the order of time. */
export const decisionKey = (at: string, unique: string) => `decision#${at}#${unique}`;

/** Longest key in bytes of UTF-8. `pk` is the range key of an index, where DynamoDB takes 1,024 bytes (2,048 as a hash key). */
const KEY_BYTES_MAX = 1_024;

const HASHED = 'sha256:';

/**
 * A record identifier may have 2 KB in Feature Store: one too long for a key is stood for by its hash. So is one that
 * looks like such a hash, which is then no other's.
 */
function recordKey(prefix: string, recordIdentifier: string): string {
  const key = `${prefix}#${recordIdentifier}`;
  if (Buffer.byteLength(key) <= KEY_BYTES_MAX && !recordIdentifier.startsWith(HASHED)) return key;
  return `${prefix}#${HASHED}${createHash('sha256').update(recordIdentifier).digest('hex')}`;
}
