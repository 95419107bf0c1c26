import { categoryRuns, isNumber, latestRun } from '../bytes/runs.ts';
import { type ByteWriter, type Escape, plainCharacters, type Run, runOf } from '../bytes/writer.ts';
import type { TimedChange } from '../changes/change.ts';
import { formatEventTime } from '../changes/event-time.ts';
import { columnsOf, type FeatureGroup } from '../definition/feature-group.ts';

/** A text inside JSON's quotes, as `JSON.stringify` writes it. */
const QUOTED: Escape = {
  plain: plainCharacters('"\\'),
  write: (text) => JSON.stringify(text).slice(1, -1),
  bytesPerCharacterMax: 6,
};

const CLOSE_ENTRY = runOf('"}]},');
const CLOSE_BODY = runOf(']}');

/**
 * Makes the writer of BatchWriteRecord's request body: the bytes that `JSON.stringify` would make of the SDK's input.
 * All that depends on the definition alone, which is nine bytes of ten, is made bytes here, once. What stands before a
 * value begins with the end of the value before it, so that a value is two writes, and a category one.
 *
 * The bytes are the writer's own memory: they last until it is written to again.
 */
export function batchWriteBodyWriter(
  group: FeatureGroup,
): (changes: readonly TimedChange[], body: ByteWriter) => Uint8Array {
  const open = (name: string) => `{"FeatureName":${JSON.stringify(name)},"ValueAsString":"`;
  const next = (name: string) => `"},${open(name)}`;
  const openBody = runOf('{"Entries":[');
  const openEntry = runOf(
    `{"FeatureGroupName":${JSON.stringify(group.name)},"Record":[${open(group.recordIdentifier.name)}`,
  );
  const eventTime = latestRun((ms) => `${next(group.eventTime.name)}${formatEventTime(ms)}`);
  const columns = columnsOf(group).map(({ name, feature }) => ({
    number: isNumber(feature),
    before: runOf(next(name)),
    categories: categoryRuns(feature, (category) => `${next(name)}${QUOTED.write(category)}`),
  }));
  const longest = ({ before, categories }: (typeof columns)[number]) =>
    Math.max(before.bytes, ...categories.map(({ bytes }) => bytes));
  const fixedBytes =
    openBody.bytes +
    openEntry.bytes +
    eventTime(0).bytes +
    columns.reduce((bytes, column) => bytes + longest(column), 0) +
    CLOSE_ENTRY.bytes +
    CLOSE_BODY.bytes;

  return (changes, body) => {
    body.clear();
    body.reserve(fixedBytes);
    body.run(openBody);
    for (const change of changes) {
      body.reserve(fixedBytes);
      body.run(openEntry);
      body.text(change.recordIdentifier, QUOTED);
      body.run(eventTime(change.eventTimeMs));
      const { values = [] } = change;
      for (let index = 0; index < columns.length; index += 1) {
        // A put replaces the whole record: a feature that is left out becomes absent, which is how null is said.
        const { number, before, categories } = columns[index] as (typeof columns)[number];
        const value = values[index];
        if (typeof value === 'number') {
          body.run(categories[value] as Run);
        } else if (typeof value === 'string') {
          body.run(before);
          if (number) body.ascii(value);
          else body.text(value, QUOTED);
        }
      }
      body.run(CLOSE_ENTRY);
    }
    // The last entry's comma makes way.
    body.length -= 1;
    body.run(CLOSE_BODY);
    return body.written();
  };
}
