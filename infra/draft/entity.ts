import type { Item } from './sample.ts';

/** Kinds of items at most that one attribute tells apart, items of a kind, and attributes that only it has. */
const KINDS_MAX = 20;
const ITEMS_MIN = 3;

/** Names of what says of which kind an item is. */
const KIND_NAMES = /^_?(entity|type|kind|et|__typename|(entity|record|item|object)_?type)$/i;

/** A kind of items: what tells it, and how many of the sample are of it. */
export interface Kind {
  readonly attribute: string;
  readonly holds: 'startsWith' | 'equals';
  readonly text: string;
  readonly items: number;
}

/**
 * The kinds of items in a table of several, the most frequent first; none where all are of one kind. They are told by an
 * attribute by whose text items have other attributes: a key's beginning up to `#`, or a text such as `type`.
 *
 * @param key attributes of the table's key, partition key first.
 */
export function kindsOf(items: readonly Item[], key: readonly string[]): Kind[] {
  const names = [...new Set(items.flatMap((item) => Object.keys(item)))];
  const tellers = [...key.toReversed(), ...names.filter((name) => KIND_NAMES.test(name) && !key.includes(name))];
  const told = tellers.map((attribute) => kindsBy(items, attribute)).filter((kinds) => kinds.length > 1);
  return told.toSorted((a, b) => difference(items, b) - difference(items, a))[0] ?? [];
}

function kindsBy(items: readonly Item[], attribute: string): Kind[] {
  const counts = new Map<string, number>();
  for (const item of items) {
    const text = item[attribute]?.S;
    if (typeof text !== 'string') return [];
    const [prefix = ''] = /^[^#]*#/.exec(text) ?? [text];
    counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  if (counts.size > KINDS_MAX || [...counts.keys()].some((it) => it === '')) return [];
  const kinds = [...counts].map(([text, count]): Kind => {
    return { attribute, holds: text.endsWith('#') ? 'startsWith' : 'equals', text, items: count };
  });
  const sorted = kinds.toSorted((a, b) => b.items - a.items);
  return difference(items, sorted) > 0 ? sorted : [];
}

/** How many attributes only one of the kinds has, and has always. */
function difference(items: readonly Item[], kinds: readonly Kind[]): number {
  const byKind = kinds.map((kind) => items.filter((item) => isOf(item, kind)));
  const names = [...new Set(items.flatMap((item) => Object.keys(item)))];
  return names.filter((name) => {
    const having = byKind.filter((of) => of.some((item) => Object.hasOwn(item, name)));
    const [only] = having;
    return having.length === 1 && only && only.length >= ITEMS_MIN && only.every((item) => Object.hasOwn(item, name));
  }).length;
}

/** Whether an item is of a kind. */
export function isOf(item: Item, { attribute, holds, text }: Kind): boolean {
  const found = item[attribute]?.S;
  return typeof found === 'string' && (holds === 'equals' ? found === text : found.startsWith(text));
}
