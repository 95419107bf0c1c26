import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchWriteItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { localSettings } from '../../infra/commands/target.ts';
import { waitForTraining } from '../../infra/demo/findings/trainings.ts';
import { type Clients, connect, disconnect } from '../../infra/demo/stage/clients.ts';
import { queryRows } from '../../infra/insight/query.ts';
import { readOnline } from '../../infra/insight/record.ts';
import { openSources, type Sources } from '../../infra/insight/sources.ts';
import { type Cloud, startCloud } from '../../infra/local/cloud.ts';
import { stackNames } from '../../infra/local/stack/names.ts';
import { loadFeatureGroup } from '../../shared/definition/load.ts';

/** The shop of the examples, from its application's writes by the SDK to predictions. */

const SHOP = new URL('../../docs/examples/shop.ts', import.meta.url).pathname;
const ORDERS = 240;
/** Items that one request writes. Source: BatchWriteItem. */
const BATCH = 25;

const PARAMS = {
  ...{ changeLogBufferSeconds: 1, labelsWindowSeconds: 1, endpointPollSeconds: 1, coolDownSeconds: 0 },
  ...{ canarySeconds: 1, terminationSeconds: 0, gateFloor: 0, trainRowsPerClassMin: 1 },
  ...{ validationRowsPerClassMin: 0, judgeRowsPerClassMin: 1, labelsThreshold: ORDERS, labelsPerClassMin: 10 },
};

let dir: string;
let cloud: Cloud;
let clients: Clients;
let lambda: LambdaClient;
let sources: Sources;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-shop-'));
  cloud = await startCloud({ dir, port: 0, featureGroup: SHOP, params: PARAMS });
  clients = connect(cloud.endpoint);
  const settings = localSettings(cloud.endpoint);
  lambda = new LambdaClient(settings);
  sources = await openSources(await loadFeatureGroup(SHOP), cloud.stack.name, settings);
});

afterAll(async () => {
  sources.close();
  lambda.destroy();
  disconnect(clients);
  await cloud.close();
  await rm(dir, { recursive: true, force: true });
});

/** Dear pieces come back: the price of one is in no attribute. */
const order = (n: number) => {
  const pieces = (n % 4) + 1;
  const total = pieces * (n % 3 === 0 ? 90 + (n % 7) : 10 + (n % 7));
  return {
    ...{ pk: `CUSTOMER#${n % 50}`, sk: `ORDER#${n}`, entity: 'order', total, pieces, express: n % 5 === 0 },
    address: { city: ['Graz', 'Linz', 'Wien', 'Rom'][n % 4], street: 'not read' },
    lines: [{ product: `P-${n % 9}`, pieces }],
    orderedAt: new Date(Date.UTC(2026, 0, 1 + (n % 28))).toISOString(),
  };
};
const isReturned = (n: number) => (n % 3 === 0) !== (n % 19 === 0);

test('a shop of one table has features, a model that learned from a derived one, and predictions', async () => {
  const items: object[] = Array.from({ length: ORDERS }, (_, n) => order(n));
  for (let n = 0; n < 50; n += 1) {
    items.push({ pk: `CUSTOMER#${n}`, sk: 'PROFILE', entity: 'profile', email: `${n}@example.org` });
    items.push({ pk: `PRODUCT#${n}`, sk: 'PRODUCT', entity: 'product', price: n });
  }
  for (let from = 0; from < items.length; from += BATCH) {
    const requests = items.slice(from, from + BATCH).map((it) => ({ PutRequest: { Item: marshall(it) } }));
    const { UnprocessedItems = {} } = await clients.dynamodb.send(
      new BatchWriteItemCommand({ RequestItems: { shop: requests } }),
    );
    expect(UnprocessedItems).toEqual({});
  }
  for (let n = 0; n < ORDERS; n += 1) {
    const { pk, sk } = order(n);
    await clients.dynamodb.send(
      new UpdateItemCommand({
        ...{ TableName: 'shop', Key: marshall({ pk, sk }), UpdateExpression: 'SET returned = :it' },
        ExpressionAttributeValues: marshall({ ':it': isReturned(n) ? 'Y' : 'N' }),
      }),
    );
  }
  const names = stackNames(cloud.stack);
  const { rows, auc } = await waitForTraining({ clients, names }, 1);
  expect(rows).toBeGreaterThan(ORDERS / 2);
  expect(auc).toBeGreaterThan(0.8);
  await cloud.idle();

  const online = await readOnline(sources, 'CUSTOMER#7|ORDER#7');
  expect(online?.features).toEqual({
    ...{ total: '40', pieces: '4', unit_price: '10', city: 'Rom', first_product: 'P-7' },
    ...{ ordered_at: '1767830400', express: '0', returned: '0' },
  });
  expect(await readOnline(sources, 'CUSTOMER#7|PROFILE')).toBeUndefined();
  const { rows: counted } = await queryRows(sources, 'SELECT count(*), count(unit_price) FROM latest', { rowsMax: 1 });
  expect(counted).toEqual([[String(ORDERS), String(ORDERS)]]);

  const { pk: _, sk: __, entity: ___, address, lines, orderedAt, ...rest } = order(9);
  const features = { ...rest, city: address.city, first_product: lines[0]?.product, ordered_at: orderedAt };
  const ask = async (request: object): Promise<{ score: number }> => {
    const FunctionName = names.predictFunction;
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(request) }));
    return JSON.parse(Payload?.transformToString() ?? '');
  };
  const known = await ask({ order_id: `${order(9).pk}|ORDER#9` });
  const asNew = await ask({ features });
  const cheap = await ask({ features: { ...features, total: features.total / 10 } });
  expect(asNew.score).toBe(known.score);
  expect(asNew.score).toBeGreaterThan(cheap.score);
});
