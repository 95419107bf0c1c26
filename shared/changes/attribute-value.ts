import { plainDecimal } from '../definition/decimal.ts';

/**
 * DynamoDB attribute values as feature texts: the mapping from each of DynamoDB's types, stated once.
 *
 * | attribute        | string feature                                   | other features            |
 * |------------------|--------------------------------------------------|---------------------------|
 * | S                | the text                                         | categorical: the category |
 * | N                | wrong type                                       | integral, fractional      |
 * | BOOL             | wrong type                                       | boolean: 1 or 0           |
 * | B                | base64                                           | wrong type                |
 * | SS, NS, BS, L, M | JSON: sets sorted, keys sorted, numbers exact    | wrong type                |
 * | NULL             | null                                             | null                      |
 */

/** One attribute in a Lambda event: a single member named by its type. Binary is base64 text there. */
export type AttributeValue = Readonly<Record<string, unknown>>;

/** The attribute's type (`S`, `N`, …), or undefined when this is not an attribute value. */
export function attributeType(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const type in value) return type;
  return undefined;
}

/** The text of a `string` feature, null for NULL, or undefined when the type does not map to text. */
export function textOf(value: AttributeValue): string | null | undefined {
  if (typeof value.S === 'string') return value.S;
  if (value.NULL === true) return null;
  if (typeof value.B === 'string') return value.B;
  const type = attributeType(value);
  if (type === 'SS' || type === 'NS' || type === 'BS' || type === 'L' || type === 'M') return canonicalJson(value);
  return undefined;
}

/** JSON of an attribute value that is the same for equal values, with numbers as exact literals. */
function canonicalJson(value: unknown): string {
  const type = attributeType(value);
  const content = type === undefined ? undefined : (value as AttributeValue)[type];
  switch (type) {
    case 'N':
      return numberLiteral(content);
    case 'NULL':
      return 'null';
    case 'NS':
      return `[${members(content, numberLiteral)
        .sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1))
        .join(',')}]`;
    case 'SS':
    case 'BS':
      return JSON.stringify(members(content, text).sort());
    case 'L':
      return `[${(content as unknown[]).map(canonicalJson).join(',')}]`;
    case 'M': {
      const entries = Object.entries(content as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1));
      return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
    }
    default:
      return JSON.stringify(content ?? null);
  }
}

/** JSON's grammar of a number, which that of DynamoDB's goes beyond: `+1`, `.5`, `01`. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** @throws Error when it is no number: DynamoDB sends none such. */
function numberLiteral(content: unknown): string {
  const number = typeof content === 'string' && JSON_NUMBER.test(content) ? content : plainDecimal(text(content));
  if (number === undefined) throw new Error('a number that is none');
  return number;
}

/** @throws Error when it is no text. */
function text(content: unknown): string {
  if (typeof content !== 'string') throw new Error('a text that is none');
  return content;
}

function members(content: unknown, of: (member: unknown) => string): string[] {
  if (!Array.isArray(content)) throw new Error('a set that is none');
  return content.map(of);
}

/** An item as the SDK reads it, in the form of a Lambda event: binary as base64 text. */
export function toEventImage(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(toEventImage);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toEventImage(member)]));
}
