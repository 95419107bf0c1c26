import { rules } from './dynalite.ts';
import type { Item } from './image.ts';

/** A key attribute. */
export interface KeyPart {
  readonly name: string;
  readonly type: string;
}
/** Attributes a key is made of, in order. A table's and most indexes' have one of each at most. */
export interface KeyLayout {
  readonly hash: readonly KeyPart[];
  readonly range: readonly KeyPart[];
}

/** Ends a part of a key; a zero byte within one is followed by 0xff, so that no part is taken for the start of another. */
const END = Buffer.from([0, 1]);

export function layoutOf(
  schema: readonly { AttributeName: string; KeyType: string }[],
  definitions: readonly { AttributeName: string; AttributeType: string }[],
): KeyLayout {
  const part = (name: string) => ({
    name,
    type: definitions.find((it) => it.AttributeName === name)?.AttributeType ?? 'S',
  });
  const named = (keyType: string) => schema.filter((it) => it.KeyType === keyType).map((it) => part(it.AttributeName));
  return { hash: named('HASH'), range: named('RANGE') };
}

/**
 * An item's key as bytes that sort as DynamoDB does: by a hash of the first hash attribute, then by the attributes
 * themselves. Undefined when the item lacks one of them, and so is in no such index.
 */
export function keyBytes({ hash, range }: KeyLayout, item: Item): Buffer | undefined {
  const parts: Buffer[] = [];
  for (const part of hash) {
    const value = item[part.name]?.[part.type] as string | undefined;
    if (value === undefined) return undefined;
    if (parts.length === 0) parts.push(hashBytes(value, part.type));
    parts.push(partBytes(value, part.type), END);
  }
  for (const { name, type } of range) {
    const value = item[name]?.[type] as string | undefined;
    if (value === undefined) return undefined;
    parts.push(partBytes(value, type), END);
  }
  return Buffer.concat(parts);
}

/** First bytes of every key with a hash attribute of this value: they spread keys evenly, and order a scan. */
export function hashBytes(value: string, type: string): Buffer {
  return Buffer.from(rules.hashPrefix(value, type), 'hex');
}

/** A key attribute's value as bytes that sort as DynamoDB sorts it, with its end or open to be gone on with. */
export function partBytes(value: string, type: string, ended = false): Buffer {
  const bytes = type === 'S' ? Buffer.from(value) : type === 'B' ? Buffer.from(value, 'base64') : numberBytes(value);
  const escaped = bytes.includes(0) ? withZerosMarked(bytes) : bytes;
  return ended ? Buffer.concat([escaped, END]) : escaped;
}

/** The least bytes that are greater than all that begin with these. */
export function after(prefix: Buffer): Buffer {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end -= 1;
  const next = Buffer.from(prefix.subarray(0, end));
  if (end > 0) next[end - 1] = (next[end - 1] ?? 0) + 1;
  return next;
}

function numberBytes(value: string): Buffer {
  return Buffer.from(rules.toLexiStr(value, 'N'), 'latin1');
}

function withZerosMarked(bytes: Buffer): Buffer {
  const escaped: number[] = [];
  for (const byte of bytes) {
    escaped.push(byte);
    if (byte === 0) escaped.push(0xff);
  }
  return Buffer.from(escaped);
}
