import { ByteWriter, type Escape, plainCharacters, runOf } from './byte-writer.ts';
import type { TimedChange } from './change.ts';
import { formatEventTime } from './event-time.ts';
import { columnsOf, type FeatureGroup } from './feature-groups/define.ts';
import { charactersOf, latestRun, runsByCategory } from './frequent-texts.ts';

/** A text inside JSON's quotes, as `JSON.stringify` writes it. */
const QUOTED: Escape = {
  plain: plainCharacters('"\\'),
  write: (text) => JSON.stringify(text).slice(1, -1),
  bytesPerCharacterMax: 6,
};

const COMMA = 0x2c;
const CLOSE = runOf(']}');
const CLOSE_VALUE = runOf('"},');

/**
 * Makes the writer of BatchWriteRecord's request body: the bytes that `JSON.stringify` would make of the SDK's input.
 * All that depends on the definition alone, which is nine bytes of ten, is made bytes here, once.
 */
export function batchWriteBodyWriter(group: FeatureGroup): (changes: readonly TimedChange[]) => Buffer {
  const openValue = (name: string) => `{"FeatureName":${JSON.stringify(name)},"ValueAsString":"`;
  const openBody = runOf('{"Entries":[');
  const openEntry = runOf(
    `{"FeatureGroupName":${JSON.stringify(group.name)},"Record":[${openValue(group.recordIdentifier.name)}`,
  );
  const eventTime = latestRun((ms) => `"},${openValue(group.eventTime.name)}${formatEventTime(ms)}"},`);
  const columns = columnsOf(group).map(({ name, feature }) => ({
    open: runOf(openValue(name)),
    categories: runsByCategory(feature, (category) => `${openValue(name)}${QUOTED.write(category)}"},`),
  }));
  const fixedBytes =
    openEntry.bytes +
    eventTime(0).bytes +
    CLOSE.bytes +
    1 +
    columns.reduce((bytes, { open }) => bytes + open.bytes + CLOSE_VALUE.bytes, 0);
  const body = new ByteWriter();

  return (changes) => {
    body.clear();
    body.run(openBody);
    for (const change of changes) {
      body.reserve(fixedBytes + charactersOf(change) * QUOTED.bytesPerCharacterMax);
      body.run(openEntry);
      body.text(change.recordIdentifier, QUOTED);
      body.run(eventTime(change.eventTimeMs));
      const { values = [] } = change;
      for (let index = 0; index < columns.length; index += 1) {
        // A put replaces the whole record: a feature that is left out becomes absent, which is how null is said.
        const text = values[index];
        const column = columns[index];
        if (typeof text !== 'string' || column === undefined) continue;
        const category = column.categories?.get(text);
        if (category !== undefined) {
          body.run(category);
        } else {
          body.run(column.open);
          body.text(text, QUOTED);
          body.run(CLOSE_VALUE);
        }
      }
      body.length -= 1;
      body.run(CLOSE);
      body.byte(COMMA);
    }
    body.length -= 1;
    body.run(CLOSE);
    return body.copy(0, body.length);
  };
}
