import { randomUUID } from 'node:crypto';
import { BatchGetItemCommand, type DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { DECISIONS_SHARD, decisionKey, LABELS_BY_EPOCH_INDEX } from './keys.ts';

/**
 * Every decision that retrain takes, with its reason: one item each, found newest first by the index of the label
 * ledger, which has room for another hash key. They expire, so that their number is bounded. Not idempotent on
 * purpose: a decision that is taken twice was taken twice.
 */

/** How long a decision is kept, in days. One each five minutes and each batch of labels are at most some 100,000. */
const DECISION_DAYS = 14;

/** Decisions read at once. Source: BatchGetItem, 100 items. */
const READ_MAX = 100;

const decisionSchema = z.object({ at: z.string(), decision: z.string(), reason: z.string() });

export type RecordedDecision = Readonly<z.output<typeof decisionSchema>>;

type DynamoDb = Pick<DynamoDBClient, 'send'>;

export async function recordDecision(
  dynamodb: DynamoDb,
  stateTable: string,
  { decision, reason }: { decision: string; reason: string },
  nowMs: number,
): Promise<void> {
  const at = new Date(nowMs).toISOString();
  const expiresAt = Math.floor(nowMs / 1_000) + DECISION_DAYS * 86_400;
  const item = { pk: decisionKey(at, randomUUID()), epochLabelShard: DECISIONS_SHARD, at, decision, reason, expiresAt };
  await dynamodb.send(new PutItemCommand({ TableName: stateTable, Item: marshall(item) }));
}

/** The last decisions, newest first. @param limit at most 100. */
export async function readDecisions(
  dynamodb: DynamoDb,
  stateTable: string,
  limit: number,
): Promise<RecordedDecision[]> {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: stateTable,
      IndexName: LABELS_BY_EPOCH_INDEX,
      KeyConditionExpression: 'epochLabelShard = :shard',
      ExpressionAttributeValues: { ':shard': { S: DECISIONS_SHARD } },
      ScanIndexForward: false,
      Limit: Math.min(limit, READ_MAX),
    }),
  );
  if (Items.length === 0) return [];
  const Keys = Items.map(({ pk }) => ({ pk: pk ?? { S: '' } }));
  const { Responses = {} } = await dynamodb.send(new BatchGetItemCommand({ RequestItems: { [stateTable]: { Keys } } }));
  return (Responses[stateTable] ?? [])
    .map((item) => decisionSchema.parse(unmarshall(item)))
    .sort((a, b) => (a.at < b.at ? 1 : -1));
}
