import { DatabaseSync } from 'node:sqlite';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { stateTable as stateTableOfStack } from '../../infra/aws/data/state-table.ts';
import { embeddedDynamoDb } from '../../infra/local/dynamodb/embedded.ts';
import { Faults } from '../../infra/local/protocol/faults.ts';
import { callInProcess } from '../../infra/local/protocol/server.ts';
import { createTable, type TableProperties } from '../../infra/local/stack/provision-table.ts';
import { served } from './served.ts';

/** An empty state table, made from the template of the stack, in an embedded DynamoDB of its own. */
export async function stateTable() {
  const db = new DatabaseSync(':memory:');
  const backEnd = await embeddedDynamoDb();
  const cloud = await served(backEnd.services);
  const dynamodb = new DynamoDBClient(cloud.client);
  const name = 'state';
  const properties = stateTableOfStack().StateTable?.Properties as unknown as TableProperties;
  await createTable(callInProcess(backEnd.services, new Faults()), { ...properties, TableName: name });
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
