import { compareDecimals, plainDecimal } from '../definition/decimal.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import type { Held, ItemCondition } from '../definition/schema.ts';
import type { AttributeValue } from './attribute-value.ts';

/** Which items of a table are records. Items of other kinds are nobody's fault, so a test never fails: it says no. */

type Image = Readonly<Record<string, AttributeValue>>;

/** Whether an image is that of a record. */
export type ItemTest = (image: Image) => boolean;

/** Makes the test of a definition's items; undefined where all of them are records. */
export function itemTest({ items }: Pick<FeatureGroup, 'items'>): ItemTest | undefined {
  if (items === undefined) return undefined;
  const tests = items.map((condition) => ({ attribute: condition.attribute, holds: valueTest(condition) }));
  return (image) =>
    tests.every(({ attribute, holds }) => {
      // Every object has properties of some names, `constructor` say: only the item's own are its attributes.
      const value = Object.hasOwn(image, attribute) ? image[attribute] : undefined;
      return typeof value === 'object' && value !== null && holds(value);
    });
}

function valueTest(condition: ItemCondition): (value: AttributeValue) => boolean {
  switch (condition.holds) {
    case 'exists':
      return (value) => value.NULL !== true;
    case 'startsWith':
      return ({ S }) => typeof S === 'string' && S.startsWith(condition.text);
    case 'oneOf':
      return anyOf(condition.values);
  }
}

/** Whether an attribute's value is one of these. */
export function anyOf(values: readonly Held[]): (value: AttributeValue) => boolean {
  const texts = new Set<unknown>(values.filter((it) => typeof it === 'string'));
  const booleans = new Set<unknown>(values.filter((it) => typeof it === 'boolean'));
  const numbers = values.flatMap((it) =>
    typeof it === 'number' || typeof it === 'bigint' ? (plainDecimal(String(it)) ?? []) : [],
  );
  return ({ S, N, BOOL }) => {
    if (texts.has(S) || booleans.has(BOOL)) return true;
    if (numbers.length === 0 || typeof N !== 'string') return false;
    const number = plainDecimal(N);
    return number !== undefined && numbers.some((it) => compareDecimals(it, number) === 0);
  };
}
