import { type ItemPlace, valueBelow } from '../definition/item-path.ts';
import type { AttributeValue } from './attribute-value.ts';

/** The type that an attribute usually has. */
export type UsualType = 'S' | 'N' | 'BOOL';

/** What an attribute holds under its usual type; the attribute itself when it has another; undefined when it is absent. */
export type Written = string | boolean | AttributeValue | undefined;

/** Takes the place of a member that is no attribute value, such as the bare text of plain JSON, which is not to pass for one. */
const UNTYPED: AttributeValue = {};

/** Reads an item's attributes, in the order of the expected ones. */
export type AttributeReader = (image: Readonly<Record<string, AttributeValue>>) => Written[];

/**
 * Makes the reader of these attributes.
 *
 * An item is walked as it is, and the place of each attribute is guessed to be the one behind the place before, which is
 * right in items that are written alike. To ask an item for one name after the other is faster in these by a fifth, but
 * several times slower where each item has other attributes, or the same in another order. What the attributes hold is
 * fetched in a loop of its own, which waits for memory less often than one that does more.
 */
export function attributeReader(expected: readonly (ItemPlace & { type: UsualType })[]): AttributeReader {
  const all = expected.map(({ attribute }) => attribute);
  // Of several features of one attribute the first is read. Nothing is called '', so the walk never guesses the others.
  const names = all.map((name, place) => (all.indexOf(name) === place ? name : ''));
  const twins = all.flatMap((name, place) => (names[place] === name ? [] : [{ from: all.indexOf(name), to: place }]));
  const nested = expected.flatMap(({ path }, place) => (path ? [{ path, place }] : []));
  const numbers = expected.map(({ type }) => type === 'N');
  const texts = expected.map(({ type }) => type === 'S');
  const places = new Map(names.map((name, place) => [name, place]));
  places.delete('');
  return (image) => {
    const written: Written[] = new Array(names.length);
    let next = 0;
    for (const name in image) {
      const place = names[next] === name ? next : places.get(name);
      if (place === undefined) continue;
      written[place] = image[name];
      next = place + 1;
    }
    for (const { from, to } of twins) written[to] = written[from];
    for (const { path, place } of nested) written[place] = valueBelow(written[place], path) as Written;
    for (let place = 0; place < names.length; place += 1) {
      const value = written[place];
      if (value === undefined || value === null) continue;
      if (typeof value !== 'object') {
        written[place] = UNTYPED;
        continue;
      }
      const held = numbers[place] ? value.N : texts[place] ? value.S : value.BOOL;
      if (typeof held === 'string' || typeof held === 'boolean') written[place] = held;
    }
    return written;
  };
}
