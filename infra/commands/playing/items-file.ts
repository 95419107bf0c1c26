import { readFile } from 'node:fs/promises';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item } from '../../demo/customers/item.ts';

/** Names of the types that a value of DynamoDB's JSON may have. */
const TYPES = new Set(['S', 'N', 'B', 'BOOL', 'NULL', 'M', 'L', 'SS', 'NS', 'BS']);

/** An item of a file, and where it stands there. */
export interface FileItem {
  readonly item: Item;
  /** `line 7`, or `item 7` of a scan. */
  readonly place: string;
}

/**
 * Reads items in DynamoDB's JSON: what `aws dynamodb scan` prints, or a line each, as they are or as an export has them,
 * `{"Item": {…}}`.
 *
 * @throws Error naming the file and the place of what is none.
 */
export async function readItemsFile(file: string): Promise<FileItem[]> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'there is no such file' : cause.message;
    throw new Error(`${file} cannot be read: ${why}; give --items the path of a file of items.`, { cause });
  });
  return parseItems(file, text);
}

/** {@link readItemsFile} of a text; `file` only names it in messages. */
export function parseItems(file: string, text: string): FileItem[] {
  const scanned = scannedItems(text);
  const found = scanned
    ? scanned.map((value, index) => ({ value, place: `item ${index + 1}` }))
    : text.split('\n').flatMap((line, index) => {
        const place = `line ${index + 1}`;
        return line.trim() === '' ? [] : [{ value: parsed(file, place, line), place }];
      });
  return found.map(({ value, place }) => ({ item: itemIn(file, place, value), place }));
}

/** The items of a scan; undefined when the text is none. */
function scannedItems(text: string): readonly unknown[] | undefined {
  try {
    const { Items } = JSON.parse(text) as { Items?: unknown };
    return Array.isArray(Items) ? Items : undefined;
  } catch {
    return undefined;
  }
}

/** The engine's own error would quote the text, which may be personal data. */
function parsed(file: string, place: string, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Error(`${file} ${place}: found no JSON, expected an item in DynamoDB's JSON, {"id": {"S": "…"}, …}.`, {
      cause,
    });
  }
}

function itemIn(file: string, place: string, value: unknown): Item {
  const { Item: wrapped = value } = (value ?? {}) as { Item?: unknown };
  if (typeof wrapped === 'object' && wrapped !== null && !Array.isArray(wrapped)) {
    const wrong = Object.entries(wrapped).find(([, it]) => !isAttributeValue(it));
    if (!wrong) return wrapped as Item;
    const advice = 'expected a value with its type, such as {"S": "text"} or {"N": "1"}';
    throw new Error(`${file} ${place}: attribute "${wrong[0]}" has no type, ${advice}.`);
  }
  throw new Error(`${file} ${place}: found no item, expected an object of attributes.`);
}

function isAttributeValue(value: unknown): value is AttributeValue {
  const types = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  return types.length === 1 && TYPES.has(types[0] ?? '');
}
