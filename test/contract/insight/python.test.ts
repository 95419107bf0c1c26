import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OrdersCloud, ordersCloud } from '../../given/retraining/orders-cloud.ts';

/** The Python of the page for data scientists, as a person runs it. */

const STACK = 'tributary-orders-v2-dev';
/** Orders that are written before the only training. */
const COUNT = 300;

const isThere = spawnSync('python3', ['-c', 'import boto3']).status === 0;
if (!isThere) console.warn('SKIPPED: docs/examples/tributary.py: python3 with boto3 is not there');

describe.skipIf(!isThere)('docs/examples/tributary.py', () => {
  let orders: OrdersCloud;
  beforeAll(async () => {
    orders = await ordersCloud();
    await orders.write(0, COUNT);
    expect((await orders.ended(1)).status).toBe('SUCCEEDED');
    await orders.cloud.idle();
  });
  afterAll(() => orders?.close());

  async function ask(...args: string[]) {
    const env = {
      ...process.env,
      ...{ AWS_ENDPOINT_URL: orders.cloud.endpoint, AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'us-east-1' },
      ...{ AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
    };
    const { stdout } = await promisify(execFile)('python3', ['docs/examples/tributary.py', ...args], {
      env,
      maxBuffer: 2 ** 26,
    });
    return JSON.parse(stdout);
  }

  test('queries, and has the names and NULL', async () => {
    expect(await ask('sql', STACK, 'SELECT count(*) AS orders, NULL AS nothing FROM latest')).toEqual([
      { orders: String(COUNT), nothing: null },
    ]);
  });

  test('reads the features of a record that is there, and of none', async () => {
    const [{ order_id: id, size }] = await ask('sql', STACK, 'SELECT order_id, size FROM latest LIMIT 1');
    expect(await ask('features', 'Orders_v2', id)).toMatchObject({ order_id: id, size });
    expect(await ask('features', 'Orders_v2', 'nobody|1')).toBeNull();
  });

  test('reads the newest training set with its names, every row with its part', async () => {
    const rows: Record<string, unknown>[] = await ask('training-set', STACK);
    expect(rows).toHaveLength(COUNT);
    expect(Object.keys(rows[0] ?? {}).slice(0, 3)).toEqual(['part', 'returned', 'unit-price']);
    expect(new Set(rows.map(({ part }) => part))).toEqual(new Set(['train', 'validation', 'judge']));
    expect(new Set(rows.map(({ returned }) => returned))).toEqual(new Set([0, 1]));
  });
});
