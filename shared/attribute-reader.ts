import type { AttributeValue } from './attribute-text.ts';

/** Attributes of an item, undefined for those that it does not have. */
export type AttributeReader = (image: Readonly<Record<string, AttributeValue>>) => (AttributeValue | undefined)[];

/**
 * Makes the reader of the attributes of these names, in their order. It is generated, with an expression for each:
 *
 *     return [image["age"], image["job"]];
 *
 * because the engine remembers at each expression where in an item the attribute was, and goes there at once; in a loop
 * over names it would have to search for each.
 */
export function attributeReader(names: readonly string[]): AttributeReader {
  const members = names.map((name) => {
    const member = `image[${JSON.stringify(name)}]`;
    // Every object has a property of such a name, `constructor` say; only the item's own is meant.
    const own = `Object.hasOwn(image, ${JSON.stringify(name)}) ? ${member} : undefined`;
    return name in Object.prototype ? own : member;
  });
  return new Function('image', `return [${members.join(',\n')}];`) as AttributeReader;
}
