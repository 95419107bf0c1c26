import { DatabaseSync } from 'node:sqlite';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { stateTable as stateTableOfStack } from '../../infra/aws/data/state-table.ts';
import { embeddedDynamoDb } from '../../infra/local/dynamodb/embedded.ts';
import { Faults } from '../../infra/local/protocol/faults.ts';
import { inProcessClient } from '../../infra/local/protocol/in-process-client.ts';
import { callInProcess } from '../../infra/local/protocol/server.ts';
import { createTable, type TableProperties } from '../../infra/local/stack/provision-table.ts';
import { served } from './served.ts';

/** The state table's name, and its definition by the template of the stack. */
const name = 'state';
const definition = () => ({
  ...(stateTableOfStack().StateTable?.Properties as unknown as TableProperties),
  TableName: name,
});

/** An empty state table, made from the template of the stack, in an embedded DynamoDB of its own, without a port. */
export async function stateTableInProcess() {
  const backEnd = await embeddedDynamoDb();
  const call = callInProcess(backEnd.services, new Faults());
  await createTable(call, definition());
  return {
    name,
    dynamodb: inProcessClient(call, 'dynamodb') as Pick<DynamoDBClient, 'send'>,
    close: () => backEnd.close(),
  };
}

/** An empty state table behind a port. */
export async function stateTable() {
  const db = new DatabaseSync(':memory:');
  const backEnd = await embeddedDynamoDb();
  const cloud = await served(backEnd.services);
  const dynamodb = new DynamoDBClient(cloud.client);
  await createTable(callInProcess(backEnd.services, new Faults()), definition());
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
