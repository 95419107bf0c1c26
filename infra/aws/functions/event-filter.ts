import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { ItemCondition } from '../../../shared/definition/schema.ts';

/**
 * The definition's `items` as Lambda's event filter, so that changes of other items cost no invocation. It drops only
 * changes that ingest would skip: a condition that a filter cannot say for certain is left out, which lets more through.
 */

/** Characters of one pattern. Source: CreateEventSourceMapping, Filter. */
const PATTERN_CHARS_MAX = 4_096;

type Leaf = Readonly<Record<'S', readonly (string | { readonly prefix: string })[]>>;

/**
 * Patterns of which one must match, as Lambda takes them; none where no condition can be said. A record of a stream of
 * another view type matches, too: ingest has to see it to reject it.
 */
export function filterPatterns({ items = [] }: Pick<FeatureGroup, 'items'>): string[] {
  const leaves = items.flatMap((condition) => {
    const leaf = leafOf(condition);
    return leaf ? [[condition.attribute, leaf] as const] : [];
  });
  // The longest conditions go first, until the pattern is short enough.
  leaves.sort(([, one], [, other]) => JSON.stringify(one).length - JSON.stringify(other).length);
  while (leaves.length > 0 && pattern('NewImage', leaves).length > PATTERN_CHARS_MAX) leaves.pop();
  if (leaves.length === 0) return [];
  const otherView = { dynamodb: { StreamViewType: [{ 'anything-but': ['NEW_AND_OLD_IMAGES'] }] } };
  return [pattern('NewImage', leaves), pattern('OldImage', leaves), JSON.stringify(otherView)];
}

function pattern(image: 'NewImage' | 'OldImage', leaves: readonly (readonly [string, Leaf])[]): string {
  return JSON.stringify({ dynamodb: { [image]: Object.fromEntries(leaves) } });
}

/** Texts only: numbers are texts to a filter, which may be written in several ways, and `exists` needs a type. */
function leafOf(condition: ItemCondition): Leaf | undefined {
  // A filter would take such a name for an operator.
  if (condition.attribute.startsWith('$')) return undefined;
  if (condition.holds === 'startsWith') return { S: [{ prefix: condition.text }] };
  if (condition.holds !== 'oneOf') return undefined;
  const texts = condition.values.filter((value) => typeof value === 'string');
  return texts.length === condition.values.length ? { S: texts } : undefined;
}
