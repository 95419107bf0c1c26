import { createHash } from 'node:crypto';
import { GetItemCommand, QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { BINARY_CLASSES, NUMBERS } from '../definition/label.ts';
import { EPOCH_KEY, LABELS_BY_EPOCH_INDEX } from './keys.ts';
import type { StateTable } from './table.ts';

/** The label ledger: the set of records labeled in each epoch, and its size. The life of epochs is in epochs.ts. */

/**
 * Partitions that one class of one epoch is spread over in the index. DynamoDB takes 1,000 writes a second and
 * partition, so 8 of them keep up with 8,000 labels a second of one class.
 */
export const LABEL_SHARDS = 8;

/**
 * Number of the epoch that labels are counted into now, from 1 (consistent read).
 *
 * @throws Error when the state table holds something else there.
 */
export async function currentEpoch(table: StateTable, abortSignal?: AbortSignal): Promise<number> {
  const { Item } = await table.dynamodb.send(
    new GetItemCommand({ TableName: table.name, Key: { pk: { S: EPOCH_KEY } }, ConsistentRead: true }),
    abortSignal && { abortSignal },
  );
  const epoch = Number(Item?.epoch?.N ?? 1);
  if (!Number.isSafeInteger(epoch)) throw new Error(`the current epoch is ${Item?.epoch?.N}; expected a whole number`);
  return epoch;
}

/** Hash key of a label ledger entry in the index. The same record is always in the same shard. @param counted class. */
export function epochLabelShard(epoch: number, counted: string, recordIdentifier: string): string {
  const hash = createHash('sha256').update(recordIdentifier).digest();
  return shardKey(epoch, counted, hash.readUInt8(0) % LABEL_SHARDS);
}

function shardKey(epoch: number, counted: string, shard: number): string {
  return `${epoch}#${counted}#${shard}`;
}

/** Distinct records labeled in an epoch, in all and by the number of the class; labels that are numbers have none. */
export interface LabelCounts {
  readonly total: number;
  readonly [label: string]: number;
}

/** The counts by class, in the order of the classes' numbers. */
export const byClass = ({ total: _, ...counts }: LabelCounts): [label: string, count: number][] =>
  Object.entries(counts);

/** ` (3 of class 0, 4 of class 1)`; nothing of labels that have no class. */
export function classesText(counts: LabelCounts): string {
  const told = byClass(counts).map(([label, count]) => `${count} of class ${label}`);
  return told.length === 0 ? '' : ` (${told.join(', ')})`;
}

/** Counts of labels of classes, none of them below zero, with their sum. */
export const countsOf = (counts: readonly (readonly [label: string, count: number])[]): LabelCounts => ({
  total: counts.reduce((sum, [, count]) => sum + count, 0),
  ...Object.fromEntries(counts.filter(([label]) => label !== NUMBERS)),
});

/**
 * Counts the label ledger's entries of an epoch: the sizes of sets, so nothing is counted twice. The index lags the
 * table by moments, which can delay a decision until the next label or the next scheduled run.
 *
 * @param classes that the definition's label is counted under.
 */
export async function countLabels(
  table: StateTable,
  epoch: number,
  classes: readonly string[] = BINARY_CLASSES,
): Promise<LabelCounts> {
  const countLabel = async (label: string) => {
    const shards = Array.from({ length: LABEL_SHARDS }, (_, shard) => shardKey(epoch, label, shard));
    const sizes = await Promise.all(shards.map((key) => countShard(table, key)));
    return [label, sizes.reduce((sum, size) => sum + size, 0)] as const;
  };
  return countsOf(await Promise.all(classes.map(countLabel)));
}

async function countShard(table: StateTable, key: string): Promise<number> {
  let count = 0;
  let startKey: QueryCommandOutput['LastEvaluatedKey'];
  do {
    const page: QueryCommandOutput = await table.dynamodb.send(
      new QueryCommand({
        TableName: table.name,
        IndexName: LABELS_BY_EPOCH_INDEX,
        KeyConditionExpression: 'epochLabelShard = :shard',
        ExpressionAttributeValues: { ':shard': { S: key } },
        Select: 'COUNT',
        ExclusiveStartKey: startKey,
      }),
    );
    count += page.Count ?? 0;
    startKey = page.LastEvaluatedKey;
  } while (startKey);
  return count;
}
