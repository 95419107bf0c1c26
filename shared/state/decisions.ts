import { randomUUID } from 'node:crypto';
import { BatchGetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { DECISIONS_SHARD, decisionKey, LABELS_BY_EPOCH_INDEX } from './keys.ts';
import type { StateTable } from './table.ts';

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

export async function recordDecision(
  table: StateTable,
  { decision, reason }: { decision: string; reason: string },
  nowMs: number,
): Promise<void> {
  const at = new Date(nowMs).toISOString();
  const expiresAt = Math.floor(nowMs / 1_000) + DECISION_DAYS * 86_400;
  const item = { pk: decisionKey(at, randomUUID()), epochLabelShard: DECISIONS_SHARD, at, decision, reason, expiresAt };
  await table.dynamodb.send(new PutItemCommand({ TableName: table.name, Item: marshall(item) }));
}

/** The last decisions, newest first. @param limit at most 100. */
export async function readDecisions(table: StateTable, limit: number): Promise<RecordedDecision[]> {
  const { Items = [] } = await table.dynamodb.send(
    new QueryCommand({
      TableName: table.name,
      IndexName: LABELS_BY_EPOCH_INDEX,
      KeyConditionExpression: 'epochLabelShard = :shard',
      ExpressionAttributeValues: { ':shard': { S: DECISIONS_SHARD } },
      ScanIndexForward: false,
      Limit: Math.min(limit, READ_MAX),
    }),
  );
  if (Items.length === 0) return [];
  const Keys = Items.map(({ pk }) => ({ pk: pk ?? { S: '' } }));
  const { Responses = {} } = await table.dynamodb.send(
    new BatchGetItemCommand({ RequestItems: { [table.name]: { Keys } } }),
  );
  return (Responses[table.name] ?? [])
    .map((item) => decisionSchema.parse(unmarshall(item)))
    .sort((a, b) => (a.at < b.at ? 1 : -1));
}
