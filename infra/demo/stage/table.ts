import {
  BatchExecuteStatementCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  paginateScan,
  UpdateItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import pLimit from 'p-limit';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { Item } from '../customers/item.ts';

/** Writers at work at once, as several servers of an application would be. */
const WRITERS = 8;

/** Most items of a batch. Source: BatchWriteItem and BatchExecuteStatement. */
export const BATCH_MAX = 25;

/** Attributes that are set of an item that is there. */
export interface ItemUpdate {
  readonly id: string;
  readonly values: Item;
}

/** The source table as the application writes it, counting its changes. */
export interface SourceTable {
  /** Changes written so far: every write here really changes its item, so each is one stream record. */
  readonly changes: { inserted: number; updated: number; deleted: number };
  /** The sum of {@link changes}. */
  changesWritten(): number;
  insert(item: Item): Promise<void>;
  /** Puts up to {@link BATCH_MAX} items that are not there yet, in one call: again those that DynamoDB leaves over. */
  insertBatch(items: readonly Item[]): Promise<void>;
  /** Sets attributes of an item that is there. */
  update(id: string, values: Item): Promise<void>;
  /** Sets attributes of up to {@link BATCH_MAX} items that are there, in one call. @throws Error when one fails. */
  updateBatch(updates: readonly ItemUpdate[]): Promise<void>;
  delete(id: string): Promise<void>;
  /** Every item, consistently read, a page at a time. */
  pages(): AsyncGenerator<Item[]>;
}

/** @param keyOf key of an item, by its record identifier. */
export function sourceTable(
  dynamodb: DynamoDBClient,
  tableName: string,
  group: FeatureGroup,
  keyOf: (id: string) => Item,
): SourceTable {
  const [keyName = group.recordIdentifier.name] = group.recordIdentifier.attributes;
  const changes = { inserted: 0, updated: 0, deleted: 0 };
  return {
    changes,
    changesWritten: () => changes.inserted + changes.updated + changes.deleted,
    async insert(item) {
      await dynamodb.send(
        new PutItemCommand({
          TableName: tableName,
          Item: item,
          ConditionExpression: 'attribute_not_exists(#key)',
          ExpressionAttributeNames: { '#key': keyName },
        }),
      );
      changes.inserted += 1;
    },
    async insertBatch(items) {
      let left: WriteRequest[] = items.map((Item) => ({ PutRequest: { Item } }));
      while (left.length > 0) {
        const answer = await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: left } }));
        const unprocessed = answer.UnprocessedItems?.[tableName] ?? [];
        changes.inserted += left.length - unprocessed.length;
        left = unprocessed;
      }
    },
    async update(id, values) {
      const entries = Object.entries(values);
      await dynamodb.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: keyOf(id),
          UpdateExpression: `SET ${entries.map((_, index) => `#a${index} = :v${index}`).join(', ')}`,
          ConditionExpression: 'attribute_exists(#key)',
          ExpressionAttributeNames: {
            '#key': keyName,
            ...Object.fromEntries(entries.map(([name], index) => [`#a${index}`, name])),
          },
          ExpressionAttributeValues: Object.fromEntries(entries.map(([, value], index) => [`:v${index}`, value])),
        }),
      );
      changes.updated += 1;
    },
    async updateBatch(updates) {
      const { Responses = [] } = await dynamodb.send(
        new BatchExecuteStatementCommand({
          Statements: updates.map(({ id, values }) => ({
            Statement: `UPDATE "${tableName}" SET ${Object.keys(values)
              .map((name) => `"${name}" = ?`)
              .join(' SET ')} WHERE ${group.recordIdentifier.attributes.map((name) => `"${name}" = ?`).join(' AND ')}`,
            Parameters: [...Object.values(values), ...Object.values(keyOf(id))],
          })),
        }),
      );
      const failed = Responses.findIndex(({ Error: error }) => error !== undefined);
      changes.updated += Responses.filter(({ Error: error }) => error === undefined).length;
      if (failed < 0) return;
      const { Code, Message } = Responses[failed]?.Error ?? {};
      throw new Error(`${tableName}: ${updates[failed]?.id} was not updated: ${Code}: ${Message}`);
    },
    async delete(id) {
      await dynamodb.send(new DeleteItemCommand({ TableName: tableName, Key: keyOf(id) }));
      changes.deleted += 1;
    },
    pages: () => pagesOf(dynamodb, tableName),
  };
}

/** Every item of a table, consistently read, a page at a time: of a large table, all at once take hundreds of megabytes. */
export async function* pagesOf(dynamodb: DynamoDBClient, tableName: string): AsyncGenerator<Item[]> {
  for await (const page of paginateScan({ client: dynamodb }, { TableName: tableName, ConsistentRead: true })) {
    yield page.Items ?? [];
  }
}

/** Writes in order of `all`, a few at a time. `write` gets each once; the first error stops what has not begun. */
export async function writeConcurrently<T>(all: readonly T[], write: (one: T) => Promise<void>): Promise<void> {
  const limit = pLimit({ concurrency: WRITERS, rejectOnClear: true });
  try {
    await Promise.all(all.map((one) => limit(() => write(one))));
  } finally {
    limit.clearQueue();
  }
}

/** Writes `all` in batches of up to {@link BATCH_MAX}, as {@link writeConcurrently} does. */
export function writeInBatches<T>(all: readonly T[], write: (batch: readonly T[]) => Promise<void>): Promise<void> {
  const batches = Array.from({ length: Math.ceil(all.length / BATCH_MAX) }, (_, n) =>
    all.slice(n * BATCH_MAX, (n + 1) * BATCH_MAX),
  );
  return writeConcurrently(batches, write);
}
