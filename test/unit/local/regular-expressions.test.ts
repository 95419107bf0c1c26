import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkSync } from 'recheck';
import { parseSync } from 'vite';
import { expect, test } from 'vitest';

/** Longest look at one expression, in milliseconds. */
const CHECK_MS_MAX = 20_000;

/**
 * Expressions that recheck finds slow or cannot judge, and why no hostile text reaches them at a length that matters.
 * Whoever adds one shows the bound.
 */
const BOUNDED: ReadonlyMap<string, string> = new Map([
  [String.raw`infra/local/athena/catalog.ts /^s3:\/\/([^/]+)\/?(.*)$/`, 'locations of the template’s tables'],
  [
    String.raw`infra/local/athena/lazy-simple-serde.ts /^([+-]?)(?=[\d.])(\d*)(?:\.\d*)?$/`,
    'lookaround; it splits digits in one way only',
  ],
  [
    String.raw`infra/local/athena/sql/udf/register.ts /^(\w+)\((.*)\) -> (.+)$/`,
    'signatures of functions, which this project writes',
  ],
  [
    String.raw`infra/local/athena/sql/sql-tokens.ts /(?:\s+|--[^\n]*|\/\*[\s\S]*?\*\/)+/y`,
    'nothing follows the loop, so that it never goes back',
  ],
  ['infra/local/dynamodb/engine/image.ts /0+$/', 'numbers that DynamoDB has taken: 38 digits'],
  [
    String.raw`infra/local/event-source-mapping/config.ts /^arn:aws[^:]*:dynamodb:[^:]*:\d*:table\/[^/]+\/stream\/.+$/`,
    'ARNs as the local DynamoDB made them',
  ],
  [
    String.raw`infra/local/firehose/prefix.ts /'([^']*)'|([a-zA-Z])\2*/g`,
    'the template’s prefix; a reference back, which each letter is read for once',
  ],
  [
    String.raw`shared/definition/decimal.ts /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/`,
    'lookaround; it splits digits in one way only',
  ],
  [String.raw`shared/definition/decimal.ts /^0+(?=\d)/`, 'lookaround, from the beginning of the text only'],
  ['shared/definition/schema.ts /^[a-zA-Z0-9]([-_]*[a-zA-Z0-9]){0,63}$/', 'names that the definition’s author writes'],
  ['shared/model/names.ts /[-_]+$/', 'names that have just been cut to 80 characters'],
  [
    String.raw`shared/rehearsal/shadows.ts /(?<=(?<!\\)(?:\\\\)*),/`,
    'lookaround; a run of backslashes is looked at once, for the comma behind it',
  ],
  [
    String.raw`shared/state/conditional-puts.ts /\b(\w+)(?= (?:IS|<=?) )/g`,
    'lookaround; conditions that the code writes itself',
  ],
  [String.raw`shared/state/fences/items.ts /^0+(?=\d)/`, 'lookaround, from the beginning of the text only'],
]);

interface Node {
  readonly type?: string;
  readonly raw?: string;
  readonly regex?: { readonly pattern: string; readonly flags: string };
}

function* nodesOf(value: unknown): Generator<Node> {
  if (value === null || typeof value !== 'object') return;
  yield value;
  for (const inner of Object.values(value)) yield* nodesOf(inner);
}

const files = ['infra/local', 'shared'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name)),
);

const expressions = files.flatMap((file) =>
  [...nodesOf(parseSync(file, readFileSync(file, 'utf8')).program)].flatMap(({ regex, raw = '' }) =>
    regex ? [{ file, raw, ...regex }] : [],
  ),
);

test('no regular expression takes the square of a text in time: split it in one way only, or limit the length first', () => {
  expect(expressions.length).toBeGreaterThan(100);
  const slow = expressions
    .filter(({ file, raw }) => !BOUNDED.has(`${file} ${raw}`))
    .flatMap(({ file, raw, pattern, flags }) => {
      const found = checkSync(pattern, flags, { checker: 'automaton', timeout: CHECK_MS_MAX });
      if (found.status === 'safe') return [];
      const why = found.status === 'vulnerable' ? found.complexity.summary : found.error.kind;
      return [`${file} ${raw}: ${found.status}, ${why}`];
    });
  expect(slow).toEqual([]);
}, 60_000);

test('every exception is of an expression that is there', () => {
  const there = new Set(expressions.map(({ file, raw }) => `${file} ${raw}`));
  expect([...BOUNDED.keys()].filter((it) => !there.has(it))).toEqual([]);
});
