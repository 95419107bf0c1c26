import type { AttributeValue } from './attribute-text.ts';

/** What is written in attributes of an item: undefined where there is none, or one of another type than expected. */
export type AttributeReader = (image: Readonly<Record<string, AttributeValue>>) => unknown[];

/**
 * Makes the reader of these attributes, in their order. It is generated, with an expression for each of them:
 *
 *     return [image["age"]?.N, image["job"]?.S];
 *
 * because the engine remembers at each expression where in an item the attribute was, and goes there at once; in a loop
 * over names it would have to search for each. And the memory of one attribute is fetched while the next is asked for.
 */
export function attributeReader(attributes: readonly { attribute: string; type: string }[]): AttributeReader {
  const members = attributes.map(({ attribute, type }) => `image[${JSON.stringify(attribute)}]?.${type}`);
  return new Function('image', `return [${members.join(',\n')}];`) as AttributeReader;
}
