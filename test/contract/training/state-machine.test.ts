import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cloud, startCloud } from '../../../infra/local/cloud.ts';
import { endpointName } from '../../../shared/model/names.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import orders from '../../fixtures/feature-groups/orders.ts';

/** The state machine as it is deployed, run by the local Step Functions with every service behind it. */

const ORDERS = new URL('../../fixtures/feature-groups/orders.ts', import.meta.url).pathname;
const PARAMS = {
  ...{ changeLogBufferSeconds: 1, endpointPollSeconds: 1, labelsWindowSeconds: 0, coolDownSeconds: 0 },
  ...{ canarySeconds: 1, terminationSeconds: 0, gateMinimumGain: -0.5, judgeRowsPerClassMin: 1 },
  ...{ labelsThreshold: 100, labelsPerClassMin: 0, retryBackoffSeconds: 3600 },
};

/** Longest a test waits for an execution, in milliseconds. */
const EXECUTION_TIMEOUT_MS = 45_000;

let dir: string;
let cloud: Cloud;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-retraining-'));
  cloud = await startCloud({ dir, port: 0, featureGroup: ORDERS, params: PARAMS });
});

afterEach(async () => {
  await cloud.close();
  await rm(dir, { recursive: true, force: true });
});

/** Writes labelled orders; the price decides the label. */
async function writeOrders(from: number, count: number, priceMax = 100): Promise<void> {
  for (let first = from; first < from + count; first += 25) {
    const items = Array.from({ length: 25 }, (_, index) => {
      const number = first + index;
      const price = (number * 37) % priceMax;
      const key = { pk: { S: `o-${number}` }, sk: { S: '1' }, updatedAt: { N: String(1_795_458_220 + number) } };
      const features = { unitPrice: { N: String(price) }, size: { S: 'small' } };
      return { PutRequest: { Item: { ...key, ...features, returned: { N: price < 50 ? '0' : '1' } } } };
    });
    await cloud.call('dynamodb', 'BatchWriteItem', { RequestItems: { 'shop.orders': items } });
  }
  await cloud.idle();
}

interface Execution {
  readonly name: string;
  readonly status: string;
  readonly error?: string;
  readonly cause?: string;
}

/** The named execution, once it has ended. */
async function ended(name: string): Promise<Execution> {
  const stateMachine = cloud.stack.outputs.RetrainingStateMachineArn ?? '';
  const executionArn = `${stateMachine.replace(':stateMachine:', ':execution:')}:${name}`;
  for (const deadline = Date.now() + EXECUTION_TIMEOUT_MS; Date.now() < deadline; await sleep(100)) {
    const execution = await cloud.call('states', 'DescribeExecution', { executionArn }).catch(() => undefined);
    if (execution && (execution as Execution).status !== 'RUNNING') return execution as Execution;
  }
  throw new Error(`execution ${name} has not ended`);
}

async function stateItem(pk: string): Promise<Record<string, { S?: string; N?: string; M?: Record<string, unknown> }>> {
  const request = { TableName: cloud.stack.outputs.StateTableName, Key: { pk: { S: pk } }, ConsistentRead: true };
  const { Item } = (await cloud.call('dynamodb', 'GetItem', request)) as {
    Item: Awaited<ReturnType<typeof stateItem>>;
  };
  return Item;
}

async function endpoint(): Promise<{ EndpointStatus: string; EndpointConfigName: string }> {
  const request = { EndpointName: endpointName(cloud.stack.outputs.EndpointName ?? '', schemaHash(orders)) };
  return (await cloud.call('sagemaker', 'DescribeEndpoint', request)) as Awaited<ReturnType<typeof endpoint>>;
}

describe('the retraining state machine, run', () => {
  it('creates the endpoint, then updates it, and closes each epoch on the configuration that serves', async () => {
    for (const epoch of [1, 2]) {
      await writeOrders(epoch * 1_000, 150);
      const execution = await ended(`Orders_v2-epoch-${epoch}-attempt-1`);
      expect(execution, execution.cause).toMatchObject({ status: 'SUCCEEDED' });
      const { EndpointStatus, EndpointConfigName } = await endpoint();
      expect(EndpointStatus).toBe('InService');
      expect(await stateItem('serving')).toMatchObject({
        epoch: { N: String(epoch) },
        endpointConfigName: { S: EndpointConfigName },
      });
    }
    expect((await stateItem('epoch#2')).counts?.M).toMatchObject({ trainPositives: expect.anything() });
    const [first, second] = [await stateItem('epoch#1'), await stateItem('epoch#2')];
    expect(second.snapshot?.M).toMatchObject({ base: first.snapshot?.M?.name, watermark: expect.anything() });
    // 300 orders, of which the second training has read the first 150 from the snapshot.
    const rows = ['trainRows', 'validationRows', 'judgeRows'].map((name) => second.counts?.M?.[name] as { N: string });
    expect(rows.reduce((sum, { N }) => sum + Number(N), 0)).toBe(300);
  });

  it('reopens the epoch when there are too few rows of a class to train on', async () => {
    await writeOrders(0, 150, 50);
    const execution = await ended('Orders_v2-epoch-1-attempt-1');
    expect(execution, execution.cause).toMatchObject({ status: 'FAILED', error: 'TooFewRows' });
    expect(execution.cause).toContain('rows of class 1 to train on: 0 of 10');
    expect((await stateItem('epoch')).failed?.M).toMatchObject({
      epoch: { N: '1' },
      attempt: { N: '1' },
      error: { S: 'TooFewRows' },
    });
  });

  it('reopens the epoch when a task fails, and says what failed', async () => {
    cloud.faults.inject({
      service: 'sagemaker',
      operation: 'CreateModel',
      kind: 'before',
      code: 'ResourceLimitExceeded',
    });
    await writeOrders(0, 150);
    expect(await ended('Orders_v2-epoch-1-attempt-1')).toMatchObject({ status: 'FAILED' });
    const failed = (await stateItem('epoch')).failed?.M as { cause: { S: string } };
    expect(failed.cause.S).toContain('Injected fault: sagemaker CreateModel');
    await expect(endpoint()).rejects.toThrow(/Could not find/);
  });

  it('tries again what a throttled call did not do', async () => {
    cloud.faults.inject({ service: 'sagemaker', operation: 'CreateEndpointConfig', kind: 'before' });
    await writeOrders(0, 150);
    expect(await ended('Orders_v2-epoch-1-attempt-1')).toMatchObject({ status: 'SUCCEEDED' });
  });
});
