import { categoryRuns, isNumber, latestRun } from '../bytes/runs.ts';
import { ByteWriter, type Escape, plainCharacters, type Run, runOf } from '../bytes/writer.ts';
import type { TimedChange } from '../changes/change.ts';
import { formatEventTime } from '../changes/event-time.ts';
import { columnsOf, type FeatureGroup } from '../definition/feature-group.ts';

/** Columns that every change log row begins with, before the record identifier and the features. */
export const CHANGE_COLUMNS = ['sequence_number', 'event_name', 'event_time', 'ttl_expired'] as const;

/** All columns of a change log row, in order. New features come last, so that older rows stay readable. */
export function changeLogColumns(group: FeatureGroup): string[] {
  return [...CHANGE_COLUMNS, group.recordIdentifier.name, ...columnsOf(group).map(({ name }) => name)];
}

const COMMA = 0x2c;
const NEWLINE = 0x0a;

/** LazySimpleSerDe's text for null: a field that is exactly this. */
export const NULL_TEXT = '\\N';
const NULL_FIELD = runOf(`${NULL_TEXT},`);

/**
 * A field as Athena's LazySimpleSerDe reads it: commas and backslashes escaped by a backslash, no quotes. Rows are split
 * before fields are read, so a line break inside a value cannot be kept: it becomes a space (the online store keeps it).
 */
const FIELD: Escape = {
  plain: plainCharacters('\\,'),
  write: (text) => text.replace(/[\\,]/g, '\\$&').replace(/\r\n|[\r\n]/g, ' '),
  bytesPerCharacterMax: 3,
};

/** A value's text as a field of a row has it; null is {@link NULL_TEXT}. */
export const fieldText = (text: string | null): string => (text === null ? NULL_TEXT : FIELD.write(text));

/** Writes one row of the change log, newline included. */
export type RowWriter<T> = (change: T, to: ByteWriter) => void;

/** Makes the writer of a feature group's rows. Texts that come again and again are made bytes here, once. */
export function changeLogRowWriter(group: FeatureGroup): RowWriter<TimedChange> {
  const columns = columnsOf(group).map(({ feature }) => ({
    number: isNumber(feature),
    categories: categoryRuns(feature, (text) => `${FIELD.write(text)},`),
  }));
  const eventNames: Record<TimedChange['eventName'], Run> = {
    INSERT: runOf(',INSERT,'),
    MODIFY: runOf(',MODIFY,'),
    REMOVE: runOf(',REMOVE,'),
    REPAIR: runOf(',REPAIR,'),
    REPAIR_REMOVE: runOf(',REPAIR_REMOVE,'),
    SNAPSHOT: runOf(',SNAPSHOT,'),
  };
  const eventTime = latestRun((ms) => `${formatEventTime(ms)},`);
  const ttlExpired = runOf('true,');
  const notExpired = runOf('false,');
  const longest = ({ categories }: (typeof columns)[number]) =>
    Math.max(NULL_FIELD.bytes, ...categories.map(({ bytes }) => bytes));
  const fixedBytes =
    eventNames.REPAIR_REMOVE.bytes +
    eventTime(0).bytes +
    notExpired.bytes +
    1 +
    columns.reduce((bytes, column) => bytes + longest(column), 0);

  return (change, to) => {
    to.reserve(fixedBytes);
    to.ascii(change.sequenceNumber);
    to.run(eventNames[change.eventName]);
    to.run(eventTime(change.eventTimeMs));
    to.run(change.ttlExpired ? ttlExpired : notExpired);
    to.text(change.recordIdentifier, FIELD);
    to.byte(COMMA);
    const { values = [] } = change;
    for (let index = 0; index < columns.length; index += 1) {
      const { number, categories } = columns[index] as (typeof columns)[number];
      const value = values[index];
      if (typeof value === 'number') {
        to.run(categories[value] as Run);
      } else if (typeof value === 'string') {
        if (number) to.ascii(value);
        else to.text(value, FIELD);
        to.byte(COMMA);
      } else {
        to.run(NULL_FIELD);
      }
    }
    to.replaceLast(NEWLINE);
  };
}

const writers = new WeakMap<FeatureGroup, RowWriter<TimedChange>>();

/** One row of the change log as text, newline included. */
export function changeLogRow(group: FeatureGroup, change: TimedChange): string {
  const write = writers.get(group) ?? changeLogRowWriter(group);
  writers.set(group, write);
  const row = new ByteWriter(1_024);
  write(change, row);
  return row.copy(0, row.length).toString();
}
