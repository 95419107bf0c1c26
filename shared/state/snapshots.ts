import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { errorCode } from '../calls/failure.ts';
import type { Snapshot } from '../training/snapshot.ts';
import { SNAPSHOT_ITEM_KEY } from './keys.ts';

const snapshotSchema = z.object({ name: z.string(), format: z.string(), watermark: z.iso.datetime() });

type DynamoDb = Pick<DynamoDBClient, 'send'>;

/** The newest finished snapshot (consistent read); undefined before the first. */
export async function readSnapshot(dynamodb: DynamoDb, stateTable: string): Promise<Snapshot | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: stateTable, Key: { pk: { S: SNAPSHOT_ITEM_KEY } }, ConsistentRead: true }),
  );
  return Item && snapshotSchema.parse(unmarshall(Item));
}

/**
 * Records a finished snapshot. Idempotent: one condition on the watermark, so that of any number of calls the newest
 * snapshot stays.
 *
 * @returns whether it is the newest now, and was not before.
 */
export async function recordSnapshot(dynamodb: DynamoDb, stateTable: string, snapshot: Snapshot): Promise<boolean> {
  try {
    await dynamodb.send(
      new PutItemCommand({
        TableName: stateTable,
        Item: marshall({ pk: SNAPSHOT_ITEM_KEY, ...snapshot }),
        ConditionExpression: 'attribute_not_exists(pk) OR watermark < :watermark',
        ExpressionAttributeValues: marshall({ ':watermark': snapshot.watermark }),
      }),
    );
    return true;
  } catch (error) {
    if (errorCode(error) === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}
