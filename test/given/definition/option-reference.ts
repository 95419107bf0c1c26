import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { CONDITIONS, definitionSchema } from '../../../shared/definition/schema.ts';

/** The reference of every option, made of the definition's schema, of the comments in it, and of compiled examples. */

const SCHEMA_FILE = 'shared/definition/schema.ts';
const EXAMPLES_FILE = 'docs/examples/options.ts';

/** What is used of JSON Schema. */
interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
}

/** One option of the schema: its place, and what the schema says of it. */
export interface Option {
  readonly place: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
  /** Of features, the types that have it, where not all have. */
  readonly types?: readonly string[];
}

/** Options that a word of its own writes: nobody gives them by name. */
const BY_WORDS = new Set(['type', 'holds']);

/** Every option of a definition, in the order of the schema. */
export function optionsOf(): Option[] {
  const definition = z.toJSONSchema(definitionSchema, { io: 'input', unrepresentable: 'any' }) as Schema;
  return Object.entries(definition.properties ?? {}).flatMap(([name, schema]) => {
    const inner = schema.anyOf?.find(({ properties }) => properties) ?? schema;
    const own = { place: name, schema, isRequired: definition.required?.includes(name) ?? false };
    if (name === 'features') return [own, ...featureOptions(schema.additionalProperties?.oneOf ?? [])];
    if (name === 'items') return [own, ...conditions()];
    return [own, ...Object.entries(inner.properties ?? {}).map(([option, it]) => memberOf(name, option, it, inner))];
  });
}

const memberOf = (of: string, option: string, schema: Schema, inner: Schema): Option => ({
  ...{ place: `${of}.${option}`, schema, isRequired: inner.required?.includes(option) ?? false },
});

const conditions = (): Option[] =>
  ['equals', ...CONDITIONS].map((word) => ({ place: `items.*.${word}`, schema: {}, isRequired: false }));

function featureOptions(types: readonly Schema[]): Option[] {
  const names = types.map(({ properties }) => String(properties?.type?.const));
  const found = new Map<string, { schema: Schema; of: string[]; isRequired: boolean }>();
  for (const [index, { properties = {}, required = [] }] of types.entries()) {
    for (const [option, schema] of Object.entries(properties)) {
      if (BY_WORDS.has(option)) continue;
      const known = found.get(option) ?? { schema, of: [], isRequired: required.includes(option) };
      known.of.push(names[index] ?? '');
      // The usual form of an option stands in the last type that has it: a text does not train.
      found.set(option, { ...known, schema: option === 'training' ? schema : known.schema });
    }
  }
  return [...found].map(([option, { schema, of, isRequired }]) => ({
    ...{ place: `features.*.${option}`, schema, isRequired },
    ...(of.length < names.length && { types: of }),
  }));
}

/** Examples by place: the line behind a comment that names it, or the lines of an object that it opens. */
export function examplesOf(): Map<string, string> {
  const lines = readFileSync(EXAMPLES_FILE, 'utf8').split('\n');
  return new Map(
    lines.flatMap((line, index): [string, string][] => {
      const [, place] = /^\s*\/\/ ([\w.*]+)$/.exec(line) ?? [];
      const code = (lines[index + 1] ?? '').trim();
      return place === undefined ? [] : [[place, code.endsWith('{') ? `${code} … },` : code]];
    }),
  );
}

/** The first sentences of the comments in the schema, by the places that they stand at. */
function commentsOf(): Map<string, string> {
  const source = readFileSync(SCHEMA_FILE, 'utf8');
  const found = new Map<string, string>();
  const blocks: readonly (readonly [from: string, place: string])[] = [
    ['const everyFeature = {', 'features.*.'],
    ['export const definitionSchema', ''],
    ['    .strictObject({\n      /** Name of the event', 'eventTime.'],
    ['  /** Features by name', ''],
    ['    .strictObject({\n      /** Name of the label', 'label.'],
    ['  /** Effect of a deletion', ''],
  ];
  const starts = blocks.map(([from]) => source.indexOf(from));
  for (const match of source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*\n(\s*)(\w+)(?:: (?:z|name)\b|,\n)/g)) {
    const block = starts.findLastIndex((start) => start >= 0 && start < match.index);
    const [, comment = '', indent = '', name = ''] = match;
    const text = comment.replaceAll(/\s*\n\s*\*\s*/g, ' ').trim();
    found.set(
      `${indent.length > 2 && blocks[block]?.[1] === '' ? 'recordIdentifier.' : (blocks[block]?.[1] ?? '')}${name}`,
      text,
    );
  }
  return found;
}

/** What an attribute must be, by the word of the condition. */
const CONDITION_MEANINGS: Readonly<Record<string, string>> = {
  'items.*.equals': 'The attribute has this value: a text (S), a number (N) or a boolean (BOOL).',
  'items.*.oneOf': 'The attribute has one of these values.',
  'items.*.startsWith': 'The attribute is a text (S) that begins so.',
  'items.*.exists': 'The attribute is there, of any type, and is not NULL.',
};

const code = (text: string): string => `\`${text}\``;
const cell = (text: string): string => text.replaceAll('|', '\\|');

function defaultText({ schema, isRequired }: Option): string {
  if (isRequired) return 'required';
  const { default: value } = schema;
  if (value === undefined) return '';
  return code(typeof value === 'string' ? `'${value}'` : JSON.stringify(value).replaceAll('"', "'"));
}

/** The page, as it has to be. */
export function optionReference(): string {
  const examples = examplesOf();
  const comments = commentsOf();
  const rows = optionsOf().map((option) => {
    const { place, types } = option;
    const only = types ? ` Of ${types.join(', ')}.` : '';
    const meaning =
      `${(comments.get(place) ?? CONDITION_MEANINGS[place] ?? '').replaceAll(/ ?Default: [^.]*\./g, '')}${only}`.trim();
    return `| ${[code(place), defaultText(option), cell(meaning), code(examples.get(place) ?? '')].join(' | ')} |`;
  });
  return `# Options, with an example each

A test writes this page from [the schema](../../${SCHEMA_FILE}) and from
[compiled examples](../examples/options.ts). [Definition](definition.md) says more of each option.

| Option | Default | Meaning | Example |
|---|---|---|---|
${rows.join('\n')}
`;
}
