import { AwsError } from './aws-error.ts';

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Largest document read, in bytes: DeleteObjects' 1,000 keys of 1,024 bytes, each byte written as an entity. */
const DOCUMENT_BYTES_MAX = 8 * 1024 * 1024;

/** Highest code point of Unicode, and the digits that suffice to write it. */
const CODE_POINT_MAX = 0x10ffff;

/** An element with text that is escaped. */
export function textElement(name: string, text: string | number | boolean): string {
  return `<${name}>${escapeXml(String(text))}</${name}>`;
}

/** An element with other elements inside. */
export function element(name: string, children: readonly string[], attributes = ''): string {
  return `<${name}${attributes}>${children.join('')}</${name}>`;
}

/** A document in a namespace. */
export function xmlDocument(name: string, namespace: string, children: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(name, children, ` xmlns="${namespace}"`)}`;
}

/**
 * A request's document, its length checked before anything reads it.
 *
 * @throws AwsError MalformedXML
 */
export function xmlText(body: Buffer): string {
  if (body.length > DOCUMENT_BYTES_MAX)
    throw malformed(`it has ${body.length} bytes, of at most ${DOCUMENT_BYTES_MAX}`);
  return body.toString('utf8');
}

/**
 * Texts of all elements of a name, in order. Enough for the flat documents that requests carry.
 *
 * @throws AwsError MalformedXML for a reference to a character that there is not.
 */
export function textsOf(xml: string, name: string): string[] {
  // No part of the pattern crosses the next `<`, so that the time taken goes with the length of the text.
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^<>]*)?>([^<]*)</${name}>`, 'g'))].map((match) =>
    unescapeXml(match[1] ?? ''),
  );
}

function escapeXml(text: string): string {
  // Line breaks are escaped too: a parser would fold a carriage return into a line feed.
  return text.replace(/[&<>"\p{Cc}]/gu, (character) => {
    const entity = Object.keys(ENTITIES).find((name) => ENTITIES[name] === character);
    return entity ? `&${entity};` : `&#${character.charCodeAt(0)};`;
  });
}

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (all, hex?: string, decimal?: string, name?: string) => {
    if (hex) return character(Number.parseInt(hex, 16), all);
    if (decimal) return character(Number(decimal), all);
    return ENTITIES[name ?? ''] ?? all;
  });
}

function character(codePoint: number, reference: string): string {
  if (codePoint <= CODE_POINT_MAX) return String.fromCodePoint(codePoint);
  throw malformed(`${reference.slice(0, 20)} is no character`);
}

function malformed(problem: string): AwsError {
  return new AwsError('MalformedXML', `The XML you provided was not well-formed: ${problem}`);
}
