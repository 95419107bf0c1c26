import type { Item } from '../aws/expression.ts';
import type { Random } from './random.ts';

/** What the keys of the application's items are like. */
export type KeyKind = 'texts' | 'numbers' | 'pairs' | 'long texts';
export const KEY_KINDS: readonly KeyKind[] = ['texts', 'texts', 'texts', 'numbers', 'pairs', 'long texts'];

/** The definition's record identifier, by the kind of its keys. */
export function recordIdentifierOf(kind: KeyKind) {
  if (kind === 'pairs') return { name: 'account_id', attributes: ['pk', 'sk'], types: ['S', 'N'] as ('S' | 'N')[] };
  return { name: 'account_id', attributes: ['account_id'], types: [kind === 'numbers' ? 'N' : 'S'] as ('S' | 'N')[] };
}

/** The items that the application writes: their keys, and the record identifiers that are expected of them. */
export class Keys {
  readonly identifiers: readonly string[];
  readonly #keys = new Map<string, Item>();
  readonly #identifiers = new Map<string, string>();

  constructor(kind: KeyKind, count: number, random: Random) {
    for (let index = 0; index < count; index += 1) {
      const [keys, identifier] = keyAndIdentifier(kind, index, random);
      this.#keys.set(identifier, keys);
      this.#identifiers.set(JSON.stringify(keys), identifier);
    }
    this.identifiers = [...this.#keys.keys()];
  }

  of(identifier: string): Item {
    const keys = this.#keys.get(identifier);
    if (!keys) throw new Error(`there is no item of ${identifier}`);
    return keys;
  }

  /** The record identifier of an item's keys, or of a key as it is asked for. */
  identifierOf(keys: Item): string {
    return this.#identifiers.get(JSON.stringify(keys)) ?? '';
  }
}

/** Texts that a store or a language could take for something else. */
const ODD = ['__proto__', 'constructor', '\\N', 'a,b', 'c-0001,\\x', "'", '"', ' ', 'ä', '|'];

function keyAndIdentifier(kind: KeyKind, index: number, random: Random): [Item, string] {
  const digits = String(index).padStart(4, '0');
  const odd = index % 10 === 7 ? `${random.pick(ODD)}${digits}` : `c-${digits}`;
  switch (kind) {
    case 'numbers':
      return [{ account_id: { N: `${index}.5` } }, `${index}.5`];
    case 'pairs':
      return [{ pk: { S: odd }, sk: { N: String(index) } }, `${odd.replace(/[\\|]/g, '\\$&')}|${index}`];
    case 'long texts':
      return [{ account_id: { S: odd.padEnd(1_100, 'x') } }, odd.padEnd(1_100, 'x')];
    default:
      // A space and a line break in the same place: two items, whose records no store may take for one.
      if (index % 10 === 3) return [{ account_id: { S: `k\n${index}` } }, `\\|k\\n${index}`];
      if (index % 10 === 4) return [{ account_id: { S: `k ${index - 1}` } }, `k ${index - 1}`];
      return [{ account_id: { S: odd } }, odd];
  }
}
