import type * as z from 'zod';
import { nearMatch } from './near-match.ts';
import { CONDITIONS, definitionSchema, FEATURE_TYPES, type FeatureGroupInput, OPTIONS_OF_TYPES } from './schema.ts';

/** What is wrong with the parts of a definition, in a sentence each: where, what was expected, and the near match. */

type Issue = z.core.$ZodIssue;
type UnionIssue = Extract<Issue, { code: 'invalid_union' }>;

/** Checks each part of a definition and fills in its defaults, or says what is wrong with which. */
export function parseDefinition(
  input: FeatureGroupInput,
): { readonly parsed: z.output<typeof definitionSchema> } | { readonly problems: readonly string[] } {
  const { success, data, error } = definitionSchema.safeParse(input, { error: unknownOptions });
  if (success) return { parsed: data };
  return { problems: error.issues.flatMap(ofMeantForm).map((issue) => sentence(issue, input)) };
}

/** Of several forms that a part may have, the issues are those of the one that was probably meant. */
function ofMeantForm(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.find(([first]) => first?.code !== 'invalid_type' || first.path.length > 0);
  return meant?.map((it) => ({ ...it, path: [...issue.path, ...it.path] })) ?? [issue];
}

/** The message of options that there are not: only here is known which there are. */
const unknownOptions: z.core.$ZodErrorMap = (issue) => {
  if (issue.code !== 'unrecognized_keys') return undefined;
  const { shape = {} } = (issue.inst as z.core.$ZodObject | undefined)?._zod.def ?? {};
  const known = Object.keys(shape).filter((name) => !['type', 'holds', 'derived'].includes(name));
  return issue.keys.map((key) => unknownOption(key, known)).join('; ');
};

function unknownOption(key: string, known: readonly string[]): string {
  const near = nearMatch(key, known);
  if (near !== undefined) return `there is no option \`${key}\`; did you mean \`${near}\`?`;
  const types = FEATURE_TYPES.filter((type) => OPTIONS_OF_TYPES.get(type)?.includes(key));
  const elsewhere = types.length > 0 ? `, which ${listed(types, 'and')} ${types.length > 1 ? 'have' : 'has'}` : '';
  return `there is no option \`${key}\`${elsewhere}; there are ${listed(known, 'and')}`;
}

/** What is expected at a place; a name of the user's own is `*` there. Elsewhere, the type says enough. */
const EXPECTED: Readonly<Record<string, string>> = {
  '': 'a description: defineFeatureGroup({ name, recordIdentifier, features })',
  recordIdentifier: "a text, or an object such as { name: 'order_id', attributes: ['pk', 'sk'] }",
  eventTime: "an object such as { attribute: 'updatedAt' }",
  features: 'features by their names, such as { age: integral() }',
  'features.*': 'a feature, such as integral() or categorical([...])',
  'features.*.categories': 'a list of texts',
  'features.*.path': "a list such as ['address', 'city']",
  'features.*.min': 'a number',
  'features.*.max': 'a number',
  items: "conditions by attributes, such as { sk: startsWith('ORDER#') }",
  'items.*': "a condition, such as equals('order') or startsWith('ORDER#')",
  'items.*.values': 'a list of values',
  'label.values': "an object such as { 0: ['N', false], 1: ['Y', true] }",
  'label.values.0': 'a list of values',
  'label.values.1': 'a list of values',
  'label.classes': "a list of at least three classes, such as ['low', 'middle', 'high']",
  'label.classes.*': 'a text or a number',
  label: "an object such as { name: 'returned' }",
};

/** What holds names of the user's own. */
const OF_USERS_NAMES = new Set(['features', 'items']);

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'an object',
};

function sentence(issue: Issue, input: unknown): string {
  const path = issue.path.map(String);
  const where = path.length === 0 ? '' : `${placeOf(path)}: `;
  const place = path.map((name, index) => (index === 1 && OF_USERS_NAMES.has(path[0] ?? '') ? '*' : name)).join('.');
  return where + problemOf(issue, place, valueAt(input, path));
}

function problemOf(issue: Issue, place: string, value: unknown): string {
  if (place === 'recordIdentifier.types.0' || place === 'recordIdentifier.types.1') {
    return `${expected("'S' or 'N'", value)}; a key of another type cannot identify a record, whose identifier is a text`;
  }
  if (place === 'features.*.training' && issue.code === 'invalid_value') {
    return 'a text does not train: leave the option out, or write categorical([...])';
  }
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.message;
    case 'invalid_key':
      return `as a name, it ${issue.issues[0]?.message}`;
    case 'invalid_value':
      return oneOf(issue.values.map(String), value);
    case 'invalid_union':
      return unionProblem(issue, place, value);
    case 'invalid_format':
      return `${issue.message}; found ${found(value)}`;
    case 'too_big':
    case 'too_small':
      return sizeProblem(issue, place, value);
    case 'invalid_type':
      return expected(EXPECTED[place] ?? TYPES[issue.expected] ?? issue.expected, value);
    default:
      return issue.message;
  }
}

/** A part that is none of several forms, nor like one of them. */
function unionProblem(issue: UnionIssue, place: string, value: unknown): string {
  if (issue.errors.length === 0) {
    const [whole, words] = place.startsWith('items') ? ['items.*', CONDITIONS] : ['features.*', FEATURE_TYPES];
    return value === undefined ? expected(EXPECTED[whole] ?? '', value) : oneOf(words, value);
  }
  if (/^label\.classes\.\d+$/.test(place)) return expected(EXPECTED['label.classes.*'] ?? '', value);
  if (/^(items|label\.values)/.test(place)) return expected('a text, a number or a boolean', value);
  if (place.startsWith('features.*.path')) return expected('a name of a member, or a place in a list from 0', value);
  const isWhole = issue.errors.flat().some((it) => it.code === 'invalid_type' && it.expected === 'int');
  return expected(isWhole ? 'a whole number' : (EXPECTED[place] ?? issue.message), value);
}

function sizeProblem(issue: Extract<Issue, { code: 'too_big' | 'too_small' }>, place: string, value: unknown): string {
  const size = Array.isArray(value) ? value.length : 0;
  if (place === 'recordIdentifier.attributes') {
    return `a table's key has one or two attributes, its partition key and its sort key; found ${size}`;
  }
  if (/^(items\.\*\.values|label\.values\.[01])$/.test(place)) return 'expected at least one value, found none';
  if (place === 'label.classes') {
    return issue.code === 'too_big'
      ? `expected at most ${issue.maximum} classes, found ${size}`
      : `expected at least three classes, found ${size}; two are written { values: { 0: [...], 1: [...] } }`;
  }
  if (place === 'features.*.categories') return `expected at least two categories, found ${size}`;
  if (place === 'features.*.min' || place === 'features.*.max') {
    return 'beyond 2^53 a bound is written as a bigint, such as 9007199254740993n';
  }
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}, found more`;
  return issue.origin === 'string' ? 'must not be empty' : `expected ${issue.minimum} or more, found ${found(value)}`;
}

const expected = (what: string, value: unknown): string => `expected ${what}, found ${found(value)}`;

function oneOf(values: readonly string[], value: unknown): string {
  const near = typeof value === 'string' ? nearMatch(value, values) : undefined;
  const meant = near === undefined ? '' : `; did you mean '${near}'?`;
  const quoted = values.map((it) => (it === 'true' || it === 'false' ? it : `'${it}'`));
  return expected(listed(quoted, 'or'), value) + meant;
}

/** What stands somewhere, for a person to recognize: a definition's own words, never a record's. */
function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function; it has to be called, with ()';
  if (typeof value === 'string') return `'${value.replace(/\r?\n/g, '\\n')}'`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function listed(words: readonly string[], conjunction: 'and' | 'or'): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`;
}

/** A place as it would be written in JavaScript: `features['emp.var.rate'].categories[0]`. */
export function placeOf(path: readonly string[]): string {
  return path.reduce((place, name) => {
    if (/^\d+$/.test(name)) return `${place}[${name}]`;
    if (!/^[A-Za-z_$][\w$]*$/.test(name)) return `${place}['${name}']`;
    return place === '' ? name : `${place}.${name}`;
  }, '');
}

function valueAt(input: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], input);
}
