import { DatabaseSync } from 'node:sqlite';
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { embeddedDynamoDb } from '../../infra/local/dynamodb/embedded.ts';
import { LABELS_BY_EPOCH_INDEX } from '../../shared/state/keys.ts';
import { served } from './served.ts';

/** An empty state table as the stack makes it, in an embedded DynamoDB of its own. */
export async function stateTable() {
  const db = new DatabaseSync(':memory:');
  const backEnd = await embeddedDynamoDb();
  const cloud = await served(backEnd.services);
  const dynamodb = new DynamoDBClient(cloud.client);
  const name = 'state';
  await dynamodb.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'epochLabelShard'].map((it) => ({ AttributeName: it, AttributeType: 'S' })),
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: LABELS_BY_EPOCH_INDEX,
          KeySchema: [
            { AttributeName: 'epochLabelShard', KeyType: 'HASH' },
            { AttributeName: 'pk', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  );
  for (;;) {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: name }));
    if (Table?.TableStatus === 'ACTIVE') break;
  }
  return {
    dynamodb,
    name,
    async close(): Promise<void> {
      dynamodb.destroy();
      await cloud.close();
      await backEnd.close();
      db.close();
    },
  };
}
