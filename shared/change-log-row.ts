import type { FeatureText, TimedChange } from './change.ts';
import { formatEventTime } from './event-time.ts';
import { columnsOf, type FeatureGroup } from './feature-groups/define.ts';

/** Columns that every change log row begins with, before the record identifier and the features. */
export const CHANGE_COLUMNS = ['sequence_number', 'event_name', 'event_time', 'ttl_expired'] as const;

/** All columns of a change log row, in order. New features come last, so that older rows stay readable. */
export function changeLogColumns(group: FeatureGroup): string[] {
  return [...CHANGE_COLUMNS, group.recordIdentifier.name, ...columnsOf(group).map(({ name }) => name)];
}

/** LazySimpleSerDe's text for null: a field that is exactly this. */
const NULL_FIELD = '\\N';

/**
 * One line of the change log, newline included, as Athena's LazySimpleSerDe reads it: fields separated by commas,
 * commas and backslashes escaped by a backslash, no quotes. Rows are split before fields are read, so a line break
 * inside a value cannot be kept: it becomes a space (the online store keeps it).
 */
export function changeLogRow(group: FeatureGroup, change: TimedChange): string {
  const features = change.values ?? columnsOf(group).map(() => undefined);
  const head = `${change.sequenceNumber},${change.eventName},${formatEventTime(change.eventTimeMs)},${change.ttlExpired}`;
  return `${head},${field(change.recordIdentifier)},${features.map(field).join(',')}\n`;
}

function field(text: FeatureText): string {
  if (text === undefined || text === null) return NULL_FIELD;
  return /[\\,\r\n]/.test(text) ? text.replace(/[\\,]/g, '\\$&').replace(/\r\n|[\r\n]/g, ' ') : text;
}
