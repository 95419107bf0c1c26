import { createHash } from 'node:crypto';
import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { EPOCH_KEY } from './keys.ts';

/** What the label ledger needs to know of epochs; their life is in epochs.ts. */

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
export async function currentEpoch(dynamodb: Pick<DynamoDBClient, 'send'>, stateTable: string): Promise<number> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: stateTable, Key: { pk: { S: EPOCH_KEY } }, ConsistentRead: true }),
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

export function shardKey(epoch: number, label: '0' | '1', shard: number): string {
  return `${epoch}#${label}#${shard}`;
}
