import { plainDecimal } from '../definition/decimal.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import type { AttributeValue } from './attribute-value.ts';
import { EnvelopeProblem } from './problem.ts';

/** Longest record identifier, in bytes. Source: Feature Store quotas, 2 KB. */
const RECORD_IDENTIFIER_BYTES_MAX = 2 * 1024;

/**
 * The record identifier: the key attribute's text; of two key attributes, both, joined by `|` and each escaped. A row of
 * the change log cannot hold a line break, so a single key with one is escaped too, and marked as such. Different keys
 * never give the same identifier, in any store.
 */
export function identifierOf(
  keys: Readonly<Record<string, AttributeValue>> | undefined,
  group: FeatureGroup,
): string | EnvelopeProblem {
  const { attributes } = group.recordIdentifier;
  let count = 0;
  for (const _ in keys) count += 1;
  if (!keys || count !== attributes.length) {
    const found = Object.keys(keys ?? {});
    return new EnvelopeProblem(
      'key-schema',
      'dynamodb.Keys',
      `Expected the key attributes ${attributes.join(', ')} of the definition, found ${found.join(', ') || 'none'}.`,
    );
  }
  let identifier = '';
  for (let index = 0; index < attributes.length; index += 1) {
    const attribute = attributes[index] as string;
    const part = keyText(keys[attribute]);
    if (part === undefined) return new EnvelopeProblem('key-schema', `dynamodb.Keys.${attribute}`, 'Expected S or N.');
    if (attributes.length === 1 && isPlain(part)) {
      identifier = part;
      break;
    }
    if (part === '' || !part.isWellFormed()) {
      const message = 'Expected a text that is not empty, in UTF-8.';
      return new EnvelopeProblem('key-schema', `dynamodb.Keys.${attribute}`, message);
    }
    identifier = attributes.length === 1 ? singleKey(part) : `${identifier}${index === 0 ? '' : '|'}${escaped(part)}`;
  }
  if (
    identifier.length * 3 > RECORD_IDENTIFIER_BYTES_MAX &&
    Buffer.byteLength(identifier) > RECORD_IDENTIFIER_BYTES_MAX
  ) {
    return new EnvelopeProblem(
      'record-too-large',
      'dynamodb.Keys',
      `The record identifier has more than ${RECORD_IDENTIFIER_BYTES_MAX} bytes, the most Feature Store takes.`,
    );
  }
  return identifier;
}

function keyText(value: AttributeValue | undefined): string | undefined {
  if (typeof value?.S === 'string') return value.S;
  return typeof value?.N === 'string' ? plainDecimal(value.N) : undefined;
}

const BACKSLASH = 0x5c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const FIRST_SURROGATE = 0xd800;

/** A quick look, which nearly every key passes: it is its own identifier, as it was before line breaks were thought of. */
function isPlain(key: string): boolean {
  for (let index = 0; index < key.length; index += 1) {
    const code = key.charCodeAt(index);
    if (code === LINE_FEED || code === CARRIAGE_RETURN || code >= FIRST_SURROGATE) return false;
  }
  return key.length > 0 && key.charCodeAt(0) !== BACKSLASH;
}

/** What an escaped single key begins with. */
const ESCAPED = '\\|';

function singleKey(key: string): string {
  return /[\r\n]/.test(key) || key.startsWith(ESCAPED) ? `${ESCAPED}${escaped(key)}` : key;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '|': '\\|', '\n': '\\n', '\r': '\\r' };

function escaped(part: string): string {
  return part.replace(/[\\|\n\r]/g, (character) => ESCAPES[character] as string);
}

/** An escaped character of an identifier, a separator, or anything else. */
const PART = /\\(.)|(\|)|([^\\|]+)/gs;

const LINE_BREAKS: Readonly<Record<string, string>> = { n: '\n', r: '\r' };

/**
 * The texts of the key attributes that a record identifier is made of: the way back from the identifier that ingest makes.
 *
 * @throws Error saying how it is written, when the identifier is none of this definition.
 */
export function keyTexts(
  { recordIdentifier, name }: FeatureGroup,
  identifier: string,
): Readonly<Record<string, string>> {
  const { attributes } = recordIdentifier;
  const isSingle = attributes.length === 1;
  const parts = isSingle ? [singleKeyText(identifier)] : split(identifier);
  if (parts.length !== attributes.length || parts.includes('')) {
    const form = isSingle ? 'the text of its key' : `${attributes.join(' and ')}, joined by "|"`;
    throw new Error(`"${identifier.slice(0, 100)}" is no record identifier of ${name}: give ${form}.`);
  }
  return Object.fromEntries(attributes.map((attribute, index) => [attribute, parts[index] as string]));
}

const singleKeyText = (identifier: string): string =>
  identifier.startsWith(ESCAPED) ? (split(identifier.slice(ESCAPED.length))[0] ?? '') : identifier;

/** The parts between separators, unescaped. */
function split(identifier: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (const [, escaped, separator, plain = ''] of identifier.matchAll(PART)) {
    if (separator === undefined) part += escaped === undefined ? plain : (LINE_BREAKS[escaped] ?? escaped);
    else {
      parts.push(part);
      part = '';
    }
  }
  return [...parts, part];
}
