import {
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  paginateScan,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import pLimit from 'p-limit';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { type Item, keyOf } from '../customers/item.ts';

/** Writers at work at once, as several servers of an application would be. */
const WRITERS = 8;

/** The source table as the application writes it, counting its changes. */
export interface SourceTable {
  /** Changes written so far: every write here really changes its item, so each is one stream record. */
  readonly changes: { inserted: number; updated: number; deleted: number };
  /** The sum of {@link changes}. */
  changesWritten(): number;
  insert(item: Item): Promise<void>;
  /** Sets attributes of an item that is there. */
  update(id: string, values: Item): Promise<void>;
  delete(id: string): Promise<void>;
  /** Every item, consistently read. */
  scan(): Promise<Item[]>;
}

export function sourceTable(dynamodb: DynamoDBClient, tableName: string, group: FeatureGroup): SourceTable {
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
    async update(id, values) {
      const entries = Object.entries(values);
      await dynamodb.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: keyOf(id, group),
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
    async delete(id) {
      await dynamodb.send(new DeleteItemCommand({ TableName: tableName, Key: keyOf(id, group) }));
      changes.deleted += 1;
    },
    scan: () => scanAll(dynamodb, tableName),
  };
}

/** Every item of a table, consistently read. */
export async function scanAll(dynamodb: DynamoDBClient, tableName: string): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of paginateScan({ client: dynamodb }, { TableName: tableName, ConsistentRead: true })) {
    items.push(...(page.Items ?? []));
  }
  return items;
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
