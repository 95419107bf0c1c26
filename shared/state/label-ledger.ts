import { createHash } from 'node:crypto';
import { GetItemCommand, QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { EPOCH_KEY, LABELS_BY_EPOCH_INDEX } from './keys.ts';
import type { StateTable } from './table.ts';

/** The label ledger: the set of records labelled in each epoch, and its size. The life of epochs is in epochs.ts. */

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

/** Hash key of a label ledger entry in the index. The same record is always in the same shard. */
export function epochLabelShard(epoch: number, label: '0' | '1', recordIdentifier: string): string {
  const hash = createHash('sha256').update(recordIdentifier).digest();
  return shardKey(epoch, label, hash.readUInt8(0) % LABEL_SHARDS);
}

function shardKey(epoch: number, label: '0' | '1', shard: number): string {
  return `${epoch}#${label}#${shard}`;
}

/** Distinct records labelled in an epoch, in all and by label. */
export interface LabelCounts {
  readonly total: number;
  readonly 0: number;
  readonly 1: number;
}

/**
 * Counts the label ledger's entries of an epoch: the sizes of sets, so nothing is counted twice. The index lags the
 * table by moments, which can delay a decision until the next label or the next scheduled run.
 */
export async function countLabels(table: StateTable, epoch: number): Promise<LabelCounts> {
  const countLabel = async (label: '0' | '1') => {
    const shards = Array.from({ length: LABEL_SHARDS }, (_, shard) => shardKey(epoch, label, shard));
    const sizes = await Promise.all(shards.map((key) => countShard(table, key)));
    return sizes.reduce((sum, size) => sum + size, 0);
  };
  const [zeros, ones] = await Promise.all([countLabel('0'), countLabel('1')]);
  return { total: zeros + ones, 0: zeros, 1: ones };
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
