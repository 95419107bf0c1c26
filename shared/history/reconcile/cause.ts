import type { RecordTexts } from '../../change-log/digests.ts';
import { fieldText } from '../../change-log/row.ts';
import { columnsOf, type FeatureGroup } from '../../definition/feature-group.ts';
import type { LoggedRecord, OnlineRecord, TableRecord } from './stores.ts';

/** What is known of a record in all places, when it was looked at last. */
export interface Known {
  readonly item: TableRecord | undefined;
  readonly online: OnlineRecord | undefined;
  readonly logged: LoggedRecord | undefined;
}

/** Where a record differs from its item. */
export type Side = 'online store' | 'change log';

/** A feature that differs. */
export interface Field {
  readonly name: string;
  readonly expected: string | null;
  readonly found: string | null;
}

/** Likely causes, as scripts read them. */
export type Cause =
  | 'wrong item'
  | 'waits in quarantine'
  | 'never seen'
  | 'missed delete'
  | 'lost change'
  | 'new feature'
  | 'not online'
  | 'not in the change log'
  | 'written by another';

/** Each cause in a sentence: how it comes about, and what to do. */
export const CAUSES: Readonly<Record<Cause, string>> = {
  'wrong item': 'the definition does not take the item: correct either, and redrive',
  'waits in quarantine': 'a change of it waits in quarantine: redrive',
  'never seen': 'neither store has ever seen the record: backfill the table, or repair',
  'missed delete': 'its item was deleted, and a store did not learn of it: repair',
  'lost change': 'its last change reached neither store: repair',
  'new feature': 'a feature is younger than the last change of the record: backfill the table, or repair',
  'not online': 'the change log has the change, and the online store has not: repair',
  'not in the change log': 'the online store has the change, and the change log has not: repair',
  'written by another': 'the online store has a later event time than the change log: somebody else writes to it',
};

/** The live row of a record, if its latest change is one. */
export const liveRow = (logged: LoggedRecord | undefined) => (logged?.isRemoved ? undefined : logged);

/** A line break is a space in the change log. */
const isSame = (side: Side, expected: string | null, found: string | null): boolean =>
  expected === found || (side === 'change log' && fieldText(expected) === fieldText(found));

/** The features in which a store differs; undefined where one of both has no record at all. */
export function fieldsOf(
  group: FeatureGroup,
  side: Side,
  expected: RecordTexts | undefined,
  found: RecordTexts | undefined,
): Field[] | undefined {
  if (expected === undefined || found === undefined) return undefined;
  return columnsOf(group).flatMap(({ name }, index) => {
    const field = { name, expected: expected[index] ?? null, found: found[index] ?? null };
    return isSame(side, field.expected, field.found) ? [] : [field];
  });
}

/** Whether a store has of a record just what its item says: nothing, where that is gone. */
export const isEqual = (
  group: FeatureGroup,
  side: Side,
  expected: RecordTexts | undefined,
  found: RecordTexts | undefined,
): boolean => (expected === undefined ? found === undefined : fieldsOf(group, side, expected, found)?.length === 0);

/**
 * Why a record differs, as far as the places themselves tell.
 *
 * @param isWaiting whether a change of it lies in the quarantine bucket.
 */
export function causeOf(group: FeatureGroup, side: Side, known: Known, isWaiting: boolean): Cause {
  const { item, online, logged } = known;
  const expected = item?.texts;
  if (item && !expected) return 'wrong item';
  if (isWaiting) return 'waits in quarantine';
  if (!expected) return 'missed delete';
  const row = liveRow(logged);
  if (online === undefined && logged === undefined) return 'never seen';
  const found = side === 'online store' ? online : row;
  if (found && isYounger(group, side, expected, found.texts)) return 'new feature';
  if (side === 'online store' && isEqual(group, 'change log', expected, row?.texts)) {
    return online && logged && online.eventTime > logged.eventTime ? 'written by another' : 'not online';
  }
  if (side === 'change log' && isEqual(group, 'online store', expected, online?.texts)) return 'not in the change log';
  return 'lost change';
}

/** Whether all that differs are features of a later version of the definition, which the store knows nothing of. */
function isYounger(group: FeatureGroup, side: Side, expected: RecordTexts, found: RecordTexts): boolean {
  const columns = new Map(columnsOf(group).map(({ name, feature }) => [name, feature]));
  return (fieldsOf(group, side, expected, found) ?? []).every((field) => {
    const feature = columns.get(field.name);
    return field.found === null && feature !== 'label' && (feature?.since ?? 1) > 1;
  });
}
