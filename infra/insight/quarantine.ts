import pLimit from 'p-limit';
import { EnvelopeProblem } from '../../shared/changes/problem.ts';
import { identifierOf } from '../../shared/changes/record-identifier.ts';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import { type WaitingRecord, waitingObjects } from '../../shared/quarantine/waiting.ts';
import type { Sources } from './sources.ts';

/** Objects read at once. */
const READS_AT_ONCE = 8;

/** A record that waits. */
export interface WaitingItem {
  /** Object of the quarantine bucket that holds it. */
  readonly object: string;
  /** Its record identifier, or its key as JSON where it makes none. */
  readonly item: string;
  /** The value at the group's place, or the whole image where the place is none of it. */
  readonly value: unknown;
}

/** Records that wait for one reason at one place. */
export interface WaitingGroup {
  readonly reason: string;
  /** Place in the stream record, such as `dynamodb.NewImage.age`; empty where Lambda gave a batch up. */
  readonly place: string;
  readonly message: string;
  readonly records: number;
  readonly items: readonly WaitingItem[];
}

/** What waits in the quarantine bucket. */
export interface Waiting {
  /** The most records first. */
  readonly groups: readonly WaitingGroup[];
  /** In their order: how many records wait in each, and why the first does; none in one that could not be read. */
  readonly objects: readonly { readonly key: string; readonly records: number; readonly reason: string }[];
  /** There are more objects than were looked at. */
  readonly more: boolean;
}

/** Keys of what waits, and whether there are more. @param objectsMax most keys. */
async function waitingKeys({ s3, names, group }: Sources, objectsMax: number) {
  const signal = new AbortController().signal;
  const waiting = waitingObjects(names.quarantineBucket, group.name, s3);
  const keys: string[] = [];
  for await (const key of waiting.keys(undefined, signal)) {
    keys.push(key);
    if (keys.length > objectsMax) break;
  }
  return { keys, waiting, signal };
}

/** Counts the objects that wait, up to a limit. */
export async function countWaiting(sources: Sources, objectsMax: number): Promise<{ objects: number; more: boolean }> {
  const { keys } = await waitingKeys(sources, objectsMax);
  return { objects: Math.min(keys.length, objectsMax), more: keys.length > objectsMax };
}

/** Reads what waits, grouped by reason and place. @param objectsMax most objects to look at. */
export async function readWaiting(sources: Sources, objectsMax: number): Promise<Waiting> {
  const { group } = sources;
  const { keys, waiting, signal } = await waitingKeys(sources, objectsMax);
  const more = keys.length > objectsMax;
  const read = await pLimit(READS_AT_ONCE).map(keys.slice(0, objectsMax), async (key) => {
    try {
      const { records } = await waiting.read(key, signal);
      return { key, records, reason: records[0]?.reason ?? 'it holds no records' };
    } catch (error) {
      return { key, records: [], reason: (error as Error).message };
    }
  });
  const groups = Map.groupBy(
    read.flatMap(({ key, records }) => records.map((record) => ({ key, record }))),
    ({ record: { kind, path } }) => `${kind} ${path}`,
  );
  return {
    groups: [...groups.values()].map((it) => waitingGroup(group, it)).sort((a, b) => b.records - a.records),
    objects: read.map(({ key, records, reason }) => ({ key, records: records.length, reason })),
    more,
  };
}

function waitingGroup(group: FeatureGroup, found: readonly { key: string; record: WaitingRecord }[]): WaitingGroup {
  const { kind = '', path = '', message = '' } = found[0]?.record ?? {};
  const items = found.map(({ key, record }) => waitingItem(group, key, record));
  return { reason: kind, place: path, message, records: items.length, items };
}

function waitingItem(group: FeatureGroup, object: string, { record, path }: WaitingRecord): WaitingItem {
  const image = (record as { dynamodb?: { Keys?: Parameters<typeof identifierOf>[0]; NewImage?: unknown } } | null)
    ?.dynamodb;
  const identifier = identifierOf(image?.Keys, group);
  const item = identifier instanceof EnvelopeProblem ? (JSON.stringify(image?.Keys) ?? '') : identifier;
  return { object, item, value: valueAt(record, path) ?? image?.NewImage };
}

/** The value at a place such as `dynamodb.NewImage.age`. The attribute's name may hold dots itself. */
function valueAt(record: unknown, path: string): unknown {
  const [, image = '', attribute = ''] = /^dynamodb\.(Keys|NewImage)\.(.+)$/s.exec(path) ?? [];
  const attributes = (record as { dynamodb?: Record<string, Record<string, unknown>> } | null)?.dynamodb?.[image];
  return attributes && Object.hasOwn(attributes, attribute) ? attributes[attribute] : undefined;
}
