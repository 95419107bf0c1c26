import { readFile } from 'node:fs/promises';
import { DescribeTableCommand, type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { parse } from 'csv-parse/sync';
import { type AttributeValue, attributeType, toEventImage } from '../../shared/changes/attribute-value.ts';
import { plainDecimal } from '../../shared/definition/decimal.ts';

/** Items of a table as its stream would have them: bytes as base64 text. */
export type Item = Readonly<Record<string, AttributeValue>>;

/** Some items of a table, and what the table itself says. */
export interface Sample {
  readonly items: readonly Item[];
  /** Key attributes and their types, partition key first; undefined where nothing but the items is known. */
  readonly key?: readonly { readonly name: string; readonly type: 'S' | 'N' }[];
  /** Whether the table has a stream of both images; undefined where it is not known. */
  readonly isStreamed?: boolean;
}

/** Parts that a table is scanned in, so that items of one partition do not fill the sample. */
const SEGMENTS = 8;

/**
 * Reads some items of a table: the first of each part of it. The reads cost as much as the items are large, and half of
 * it, as they need not be the newest.
 *
 * @throws Error as DynamoDB does, and when a key attribute is binary.
 */
export async function sampleTable(
  dynamodb: Pick<DynamoDBClient, 'send'>,
  table: string,
  most: number,
): Promise<Sample> {
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: table }));
  const { KeySchema = [], AttributeDefinitions = [], StreamSpecification } = Table ?? {};
  const key = KeySchema.toSorted((a, b) => (a.KeyType ?? '').localeCompare(b.KeyType ?? '')).map(
    ({ AttributeName: name = '' }) => {
      const type = AttributeDefinitions.find((it) => it.AttributeName === name)?.AttributeType;
      if (type !== 'S' && type !== 'N') {
        throw new Error(
          `The key attribute ${name} of ${table} is binary, and a record's identifier is a text: no definition can describe it.`,
        );
      }
      return { name, type } as const;
    },
  );
  const parts = await Promise.all(
    Array.from({ length: SEGMENTS }, (_, segment) => firstItems(dynamodb, table, segment, Math.ceil(most / SEGMENTS))),
  );
  const isStreamed = StreamSpecification?.StreamViewType === 'NEW_AND_OLD_IMAGES';
  return { items: parts.flat().slice(0, most), key, isStreamed };
}

async function firstItems(dynamodb: Pick<DynamoDBClient, 'send'>, TableName: string, Segment: number, most: number) {
  const items: Item[] = [];
  let ExclusiveStartKey: Record<string, never> | undefined;
  do {
    const page = await dynamodb.send(
      new ScanCommand({ TableName, Segment, TotalSegments: SEGMENTS, Limit: most - items.length, ExclusiveStartKey }),
    );
    items.push(...(page.Items ?? []).map((item) => toEventImage(item) as Item));
    ExclusiveStartKey = page.LastEvaluatedKey as typeof ExclusiveStartKey;
  } while (ExclusiveStartKey && items.length < most);
  return items;
}

/**
 * Reads items from a file: JSON lines or a JSON array, of DynamoDB's JSON (an export's `{"Item": {…}}`, too) or of plain
 * JSON; or CSV with a header, whose cells are numbers where all of a column are.
 *
 * @throws Error naming the file and the line that is none of it.
 */
export async function sampleFile(file: string, most: number): Promise<Sample> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new Error(`--items: ${file} cannot be read: ${cause.message}`, { cause });
  });
  const items = /^\s*[[{]/.test(text) ? jsonItems(file, text, most) : csvItems(file, text, most);
  if (items.length === 0) throw new Error(`--items: ${file} has no items.`);
  return { items };
}

function jsonItems(file: string, text: string, most: number): Item[] {
  if (text.trimStart().startsWith('[')) {
    const values: unknown = JSON.parse(text);
    return (values as unknown[]).slice(0, most).map((value, index) => itemOf(value, `${file}, element ${index + 1}`));
  }
  const lines = text.split('\n').map((line, index) => ({ line: line.trim(), number: index + 1 }));
  return lines
    .filter(({ line }) => line !== '')
    .slice(0, most)
    .map(({ line, number }) => itemOf(parsed(line, `${file}, line ${number}`), `${file}, line ${number}`));
}

function parsed(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Error(`${where}: found no JSON, expected an item on each line.`, { cause });
  }
}

function itemOf(value: unknown, where: string): Item {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${where}: expected an item, as an object.`);
  }
  const { Item: exported } = value as { Item?: unknown };
  const item = typeof exported === 'object' && exported !== null && isTyped(exported) ? exported : value;
  return isTyped(item) ? (item as Item) : (toEventImage(marshall(item, { removeUndefinedValues: true })) as Item);
}

const TYPES = new Set(['S', 'N', 'B', 'BOOL', 'NULL', 'M', 'L', 'SS', 'NS', 'BS']);

/** Whether every member is an attribute value: one member, named by a type. */
function isTyped(item: object): boolean {
  const values = Object.values(item);
  return values.every((it) => TYPES.has(attributeType(it) ?? '') && Object.keys(it as object).length === 1);
}

function csvItems(file: string, text: string, most: number): Item[] {
  const [header = ''] = text.split('\n', 1);
  const delimiter = [',', ';', '\t'].toSorted((a, b) => header.split(b).length - header.split(a).length)[0] ?? ',';
  let rows: Record<string, string>[];
  try {
    rows = parse(text, { columns: true, delimiter, skip_empty_lines: true, trim: true, bom: true, to: most });
  } catch (cause) {
    throw new Error(`--items: ${file} is neither JSON nor CSV with a header: ${(cause as Error).message}`, { cause });
  }
  const columns = Object.keys(rows[0] ?? {});
  const numbers = new Set(
    columns.filter((column) =>
      rows.every((row) => row[column] === '' || plainDecimal(row[column] ?? '') !== undefined),
    ),
  );
  return rows.map((row) =>
    Object.fromEntries(
      columns.flatMap((column) => {
        const cell = row[column] ?? '';
        // An empty cell is an attribute that is not there.
        return cell === '' ? [] : [[column, numbers.has(column) ? { N: cell } : { S: cell }] as const];
      }),
    ),
  );
}
