import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { type Draft, type DraftedFeature, labelInput, placeOptions } from './draft.ts';

/**
 * A draft as the files that a person goes on with: the definition with a comment for each guess, and a first test of it.
 * Both are formatted by the project's formatter afterwards.
 */

/** @param define where `define.ts` is, as an import says it. @param source what the items are of, in words. */
export function definitionText(draft: Draft, define: string, source: string): string {
  const { name, table, key, identifier, kind, features, label, notes, items } = draft;
  const words = new Set(features.map(({ word }) => word.word));
  const imports = ['defineFeatureGroup', ...words, ...(kind ? [kind.holds] : [])].sort();
  const types = key.map(({ type }) => type);
  const attributes = key.map((it) => it.name);
  const isPlain = key.length === 1 && types[0] === 'S' && attributes[0] === identifier;
  const parts = [
    `name: ${literal(name)},`,
    ...(table === name ? [] : [`table: ${literal(table)},`]),
    isPlain
      ? `recordIdentifier: ${literal(identifier)},`
      : `recordIdentifier: ${literal({ name: identifier, attributes, ...(types.includes('N') && { types }) })},`,
    ...(kind ? [`items: { ${memberName(kind.attribute)}: ${kind.holds}(${literal(kind.text)}) },`] : []),
    'features: {',
    ...features.flatMap((feature) => [`// ${oneLine(feature.why)}.`, `${memberName(feature.name)}: ${call(feature)},`]),
    '},',
    ...(label ? [`// ${oneLine(label.why)}.`, `label: ${literal(labelInput(label))},`] : []),
  ];
  const looks = notes.map((it) => ` * - ${oneLine(it)}`);
  const lookAt = looks.length > 0 ? [' * Look at this before you deploy it:', ' *', ...looks] : [];
  return `import { ${imports.join(', ')} } from ${literal(define)};

/**
 * Drafted from ${items} items of ${oneLine(source)}, each of which it takes in.
${lookAt.join('\n')}${lookAt.length > 0 ? '\n' : ''} */
export default defineFeatureGroup({
${parts.join('\n')}
});
`;
}

function call(feature: DraftedFeature): string {
  const { word, first, options } = feature.word;
  const given = { ...options, ...placeOptions(feature) };
  const texts = [
    ...(first === undefined ? [] : [literal(first)]),
    ...(Object.keys(given).length > 0 ? [literal(given)] : []),
  ];
  return `${word}(${texts.join(', ')})`;
}

/**
 * A test with an item that nobody has: none of the sample's is written down.
 *
 * @param item that the definition takes in. @param places of the modules, as imports say them.
 */
export function testText(
  { name, group }: Draft,
  item: Record<string, AttributeValue>,
  places: { readonly definition: string; readonly replayEvents: string; readonly streamOf: string },
): string {
  return `import { expect, test } from 'vitest';
import { replayEvents } from ${literal(places.replayEvents)};
import { streamOf } from ${literal(places.streamOf)};
import definition from ${literal(places.definition)};

const item = ${literal(unmarshall(item))};

test('an item of ${oneLine(name)} is a record, and none is kept aside', async () => {
  const { online, rejections } = await replayEvents(definition, [streamOf(definition).insert(item)]);
  expect(rejections).toEqual([]);
  expect([...online.values()]).toMatchObject([{ ${memberName(group.recordIdentifier.name)}: expect.any(String) }]);
});
`;
}

/** A value as JavaScript writes it. */
function literal(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([name, it]) => `${memberName(name)}: ${literal(it)}`)
    .join(', ')} }`;
}

/** A text in quotes: nothing that an item holds ends it. */
const quoted = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'").replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`;

/** `__proto__` in quotes would not name a member. */
function memberName(name: string): string {
  if (name === '__proto__') return "['__proto__']";
  return /^([A-Za-z_$][\w$]*|\d)$/.test(name) ? name : quoted(name);
}

/** A text within a comment, which it cannot end. */
const oneLine = (text: string): string => text.replace(/[\r\n\u2028\u2029]+/g, ' ').replaceAll('*/', '* /');
