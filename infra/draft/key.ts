import type { Item, Sample } from './sample.ts';

/** Names of what identifies items, the plainest first. */
const NAMES = [/^id$/i, /(_id|[a-z]Id)$/, /^(pk|key|uuid|guid)$/i, /(number|nr|no|code)$/i];
const PAIRS = [
  ['pk', 'sk'],
  ['PK', 'SK'],
] as const;

type Key = NonNullable<Sample['key']>;

/** The key attributes that a file's items have had in their table, if some are there in all of them and tell them apart. */
export function guessKey(items: readonly Item[]): Key | undefined {
  for (const pair of PAIRS) if (tellApart(items, pair)) return typed(items, pair);
  const [first = {}] = items;
  const unique = Object.keys(first).filter((name) => tellApart(items, [name]));
  const named = NAMES.flatMap((it) => unique.filter((name) => it.test(name)));
  const found = named[0] ?? unique.find((name) => first[name]?.S !== undefined);
  return found === undefined ? undefined : typed(items, [found]);
}

/** The key that a person named. @throws Error naming the attribute that some item lacks. */
export function givenKey(items: readonly Item[], names: readonly string[]): Key {
  const lacking = names.find((name) => !items.every((item) => keyText(item, name) !== undefined));
  if (lacking !== undefined) {
    throw new Error(`--key: not every item of the sample has a text or a number ${lacking}, as key attributes are.`);
  }
  return typed(items, names);
}

const typed = ([first = {}]: readonly Item[], names: readonly string[]): Key =>
  names.map((name) => ({ name, type: first[name]?.N === undefined ? 'S' : 'N' }));

function tellApart(items: readonly Item[], names: readonly string[]): boolean {
  const [first = {}] = items;
  const texts = items.map((item) => names.map((name) => keyText(item, name)));
  const isTyped = (item: Item) =>
    names.every((name) => (item[name]?.N === undefined) === (first[name]?.N === undefined));
  return (
    texts.every((text) => text.every((it) => it !== undefined)) &&
    items.every(isTyped) &&
    new Set(texts.map((text) => JSON.stringify(text))).size === items.length
  );
}

function keyText(item: Item, name: string): unknown {
  const { S, N } = (Object.hasOwn(item, name) ? item[name] : undefined) ?? {};
  return S === '' ? undefined : (S ?? N);
}
