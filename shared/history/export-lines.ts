import type { FeatureGroup } from '../definition/feature-group.ts';
import type { LineReader } from './statements.ts';

type Image = Readonly<Record<string, unknown>>;

/** What is said of a line that is no JSON; Ion is named, as exports can be had in it. */
export const notJson = (line: string, expected: string): string =>
  line.startsWith('$ion') ? 'Amazon Ion is not read: export as DYNAMODB_JSON.' : `Expected ${expected}.`;

/** @returns undefined when it is no JSON: the engine's own error would quote it. */
export function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Picks an item's keys. */
export function keysReader({ recordIdentifier: { attributes } }: FeatureGroup): (item: Image) => Image {
  const [partition = '', sort] = attributes;
  const present = (item: Image, name: string) => Object.hasOwn(item, name);
  return (item) => {
    const keys: Record<string, unknown> = {};
    if (present(item, partition)) keys[partition] = item[partition];
    if (sort !== undefined && present(item, sort)) keys[sort] = item[sort];
    return keys;
  };
}

/** Reader of a full export's lines: `{"Item": {…}}`. */
export function fullLineReader(group: FeatureGroup): LineReader {
  const keysOf = keysReader(group);
  return (line) => {
    const { Item } = (parsedLine(line) ?? {}) as { Item?: Image };
    if (!isImage(Item)) return notJson(line, '{"Item": …}, a line of a full export');
    return { eventName: 'INSERT', Keys: keysOf(Item), NewImage: Item };
  };
}

/**
 * Reader of an incremental export's lines: keys, and images before and after the window. An item without an image after
 * was deleted. One with both brought a label only if the image before had none, or another.
 */
export const incrementalLineReader: LineReader = (line) => {
  const { Keys, NewImage, OldImage } = (parsedLine(line) ?? {}) as { Keys?: Image; NewImage?: Image; OldImage?: Image };
  if (!isImage(Keys)) return notJson(line, '{"Keys": …}, a line of an incremental export');
  if (!isImage(NewImage)) return { eventName: 'REMOVE', Keys, ...(isImage(OldImage) && { OldImage }) };
  if (!isImage(OldImage)) return { eventName: 'INSERT', Keys, NewImage };
  return { eventName: 'MODIFY', Keys, NewImage, OldImage };
};

const isImage = (value: unknown): value is Image =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
