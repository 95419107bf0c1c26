import { Agent, request } from 'node:http';
import { generateCustomers } from '../../../infra/demo/customers/customers.ts';
import { itemOf } from '../../../infra/demo/customers/item.ts';
import { AUTHORIZATION } from '../../../infra/local/dynamodb/remote.ts';
import group from '../../../shared/feature-groups/bank-marketing.ts';

/** The ways in which an application writes, as fast as a DynamoDB answers. */

const PUT_CONNECTIONS = 16;
const BATCH_CONNECTIONS = 4;
/** Most items of a BatchWriteItem. */
const ITEMS_PER_BATCH = 25;

/** Goes with the signature, which nobody checks. */
const DATE = '20260101T000000Z';

/** Calls one operation, by its X-Amz-Target or by its path. @returns the answer's body. @throws Error with it. */
export type CallByHttp = (target: string, path: string, body: string) => Promise<string>;

/** A table of the example's items. */
export interface Target {
  readonly table: string;
  readonly call: CallByHttp;
}

/** Calls by plain HTTP over connections that stay open, with a signature of the right form, so that the caller costs little. */
export function callerOf(endpoint: string): CallByHttp {
  const { hostname, port } = new URL(endpoint);
  const agent = new Agent({ keepAlive: true });
  return (target, path, body) =>
    new Promise((resolve, reject) => {
      const signed = { 'x-amz-target': target, 'x-amz-date': DATE, authorization: AUTHORIZATION };
      const headers = { 'content-type': 'application/x-amz-json-1.0', ...(target && signed) };
      request({ hostname, port, path, method: 'POST', agent, headers }, async (response) => {
        const text = (await response.setEncoding('utf8').toArray()).join('');
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(text));
      })
        .on('error', reject)
        .end(body);
    });
}

/** Writes so many items. */
export type WriteAll = (target: Target, count: number) => Promise<void>;

const customers = generateCustomers(1_000, 1).map((it) => itemOf(it, group));
export const [KEY = ''] = group.recordIdentifier.attributes;
const keyOf = (id: string) => ({ [KEY]: { S: id } });
const itemAt = (n: number, prefix: string) => ({ ...customers[n % customers.length], ...keyOf(`${prefix}-${n}`) });

const dynamodb = ({ call, table }: Target, operation: string, input: object) =>
  call(`DynamoDB_20120810.${operation}`, '/', JSON.stringify({ TableName: table, ...input }));

export const putOne = (target: Target, id: string) =>
  dynamodb(target, 'PutItem', { Item: { ...customers[0], ...keyOf(id) } });

/** Makes the table, with a stream that nothing reads. */
export const createTable = (target: Target) =>
  dynamodb(target, 'CreateTable', {
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: KEY, AttributeType: 'S' }],
    KeySchema: [{ AttributeName: KEY, KeyType: 'HASH' }],
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  });

/** Calls `write` with each number below `count`, so many at a time. */
async function concurrently(connections: number, count: number, write: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const writer = async () => {
    while (next < count) await write(next++);
  };
  await Promise.all(Array.from({ length: connections }, writer));
}

export const putAll: WriteAll = (target, count) =>
  concurrently(PUT_CONNECTIONS, count, (n) => dynamodb(target, 'PutItem', { Item: itemAt(n, 'put') }));

export const updateAll: WriteAll = (target, count) =>
  concurrently(PUT_CONNECTIONS, count, (n) =>
    dynamodb(target, 'UpdateItem', {
      Key: keyOf(`batch-${n % (count / 2)}`),
      UpdateExpression: 'SET #d = :d',
      ExpressionAttributeNames: { '#d': 'duration' },
      ExpressionAttributeValues: { ':d': { N: String(10_000 + n) } },
    }),
  );

export const batchAll: WriteAll = ({ call, table }, count) =>
  concurrently(BATCH_CONNECTIONS, count / ITEMS_PER_BATCH, async (n) => {
    const requests = Array.from({ length: ITEMS_PER_BATCH }, (_, at) => ({
      PutRequest: { Item: itemAt(n * ITEMS_PER_BATCH + at, 'batch') },
    }));
    const body = JSON.stringify({ RequestItems: { [table]: requests } });
    const answer = await call('DynamoDB_20120810.BatchWriteItem', '/', body);
    if (!/"UnprocessedItems":\{\}/.test(answer)) throw new Error(`A batch was written in part: ${answer}`);
  });
