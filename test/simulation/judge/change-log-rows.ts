import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';

/** Width that sequence numbers are padded to, so that text compares as the number does. */
const SEQUENCE_NUMBER_DIGITS = 40;
/** Characters of an event time up to its second. */
const TO_THE_SECOND = 19;

/** A row of the change log, as Athena reads it. */
export interface LogRow {
  readonly sequenceNumber: string;
  readonly eventName: string;
  readonly eventTime: string;
  readonly ttlExpired: boolean;
  readonly recordIdentifier: string;
  readonly features: readonly (string | null)[];
}

/** Reads a row by LazySimpleSerDe's rules: separated by commas, escaped by a backslash, null is `\N`. */
export function parseRow(row: string): LogRow {
  const fields: (string | null)[] = [];
  let text = '';
  let isNull = false;
  for (let at = 0; at <= row.length; at += 1) {
    const character = row[at];
    if (character === undefined || character === ',') {
      fields.push(isNull && text === '' ? null : text);
      text = '';
      isNull = false;
    } else if (character === '\\' && row[at + 1] === 'N' && text === '' && /^[,]?$/.test(row[at + 2] ?? '')) {
      isNull = true;
      at += 1;
    } else if (character === '\\') {
      at += 1;
      text += row[at] ?? '';
    } else text += character;
  }
  const [sequenceNumber, eventName, eventTime, ttlExpired, recordIdentifier, ...features] = fields;
  return {
    sequenceNumber: sequenceNumber ?? '',
    eventName: eventName ?? '',
    eventTime: eventTime ?? '',
    ttlExpired: ttlExpired === 'true',
    recordIdentifier: recordIdentifier ?? '',
    features,
  };
}

/** What a repair states of an item, and no change of it. */
export const isRepair = ({ eventName }: LogRow): boolean => eventName.startsWith('REPAIR');

/** The rows with one copy per change, and per repair at it: of several, the one of the greatest event time. */
export function withoutDuplicates(rows: Iterable<LogRow>): Map<string, LogRow> {
  const changes = new Map<string, LogRow>();
  for (const row of rows) {
    const key = isRepair(row) ? `${row.sequenceNumber} ${row.recordIdentifier}` : row.sequenceNumber;
    const known = changes.get(key);
    if (!known || row.eventTime > known.eventTime) changes.set(key, row);
  }
  return changes;
}

/** The latest-row view: per record the row of the greatest (second, number, event time), unless that is a deletion. */
export function latestRows(group: FeatureGroup, rows: Iterable<LogRow>): Map<string, LogRow> {
  const latest = new Map<string, LogRow>();
  for (const row of withoutDuplicates(rows).values()) {
    const kept = row.eventName === 'REMOVE' && (row.ttlExpired ? group.onTtlExpiry : group.onDelete) === 'keep';
    if (kept) continue;
    const known = latest.get(row.recordIdentifier);
    if (!known || recency(row) > recency(known)) latest.set(row.recordIdentifier, row);
  }
  for (const [recordIdentifier, row] of latest) if (row.eventName.endsWith('REMOVE')) latest.delete(recordIdentifier);
  return latest;
}

function recency({ eventTime, sequenceNumber }: LogRow): string {
  return `${eventTime.slice(0, TO_THE_SECOND)} ${sequenceNumber.padStart(SEQUENCE_NUMBER_DIGITS, '0')} ${eventTime}`;
}
