import { createHash } from 'node:crypto';
import { type DynamoDBClient, QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { LABELS_BY_EPOCH_INDEX } from './state-keys.ts';

/**
 * Partitions that one class of one epoch is spread over in the index. DynamoDB takes 1,000 writes a second and
 * partition, so 8 of them keep up with 8,000 labels a second of one class.
 */
export const LABEL_SHARDS = 8;

/** Distinct records labelled in an epoch, in all and by label. */
export interface LabelCounts {
  readonly total: number;
  readonly 0: number;
  readonly 1: number;
}

/** Hash key in the index of a label ledger entry. The same record is always in the same shard. */
export function epochLabelShard(epoch: number, label: '0' | '1', recordIdentifier: string): string {
  const hash = createHash('sha256').update(recordIdentifier).digest();
  return shardKey(epoch, label, (hash[0] as number) % LABEL_SHARDS);
}

/**
 * Counts the label ledger's entries of an epoch: the sizes of sets, so nothing is counted twice. The index lags the
 * table by moments, which can only delay a decision, as whoever writes a label last causes another count.
 */
export async function countLabels(
  dynamodb: Pick<DynamoDBClient, 'send'>,
  stateTable: string,
  epoch: number,
): Promise<LabelCounts> {
  const countLabel = async (label: '0' | '1') => {
    const shards = Array.from({ length: LABEL_SHARDS }, (_, shard) => shardKey(epoch, label, shard));
    const sizes = await Promise.all(shards.map((key) => countShard(dynamodb, stateTable, key)));
    return sizes.reduce((sum, size) => sum + size, 0);
  };
  const [zeros, ones] = await Promise.all([countLabel('0'), countLabel('1')]);
  return { total: zeros + ones, 0: zeros, 1: ones };
}

async function countShard(dynamodb: Pick<DynamoDBClient, 'send'>, stateTable: string, key: string): Promise<number> {
  let count = 0;
  let startKey: QueryCommandOutput['LastEvaluatedKey'];
  do {
    const page: QueryCommandOutput = await dynamodb.send(
      new QueryCommand({
        TableName: stateTable,
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

function shardKey(epoch: number, label: '0' | '1', shard: number): string {
  return `${epoch}#${label}#${shard}`;
}
