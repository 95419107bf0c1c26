import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Order, type OrdersCloud, ordersCloud } from '../../given/retraining/orders-cloud.ts';

/** The state machine as it is deployed, run by the local Step Functions with every service behind it. */

let orders: OrdersCloud;

beforeEach(async () => {
  orders = await ordersCloud({ gateMinimumGain: -0.5, labelsThreshold: 100 });
});
afterEach(() => orders.close());

const byPrice = ({ price }: Order) => (price < 50 ? '0' : '1');
const never = () => '0' as const;

describe('the retraining state machine, run', () => {
  it('creates the endpoint, then updates it, and closes each epoch on the configuration that serves', async () => {
    for (const epoch of [1, 2]) {
      await orders.write(epoch * 1_000, 150, byPrice);
      const execution = await orders.ended(epoch);
      expect(execution, execution.cause).toMatchObject({ status: 'SUCCEEDED' });
      const { EndpointStatus, EndpointConfigName } = await orders.endpoint();
      expect(EndpointStatus).toBe('InService');
      expect(await orders.stateItem('serving')).toMatchObject({
        epoch: { N: String(epoch) },
        endpointConfigName: { S: EndpointConfigName },
      });
    }
    expect((await orders.stateItem('epoch#2')).counts?.M).toMatchObject({ trainPositives: expect.anything() });
    const [first, second] = [await orders.stateItem('epoch#1'), await orders.stateItem('epoch#2')];
    expect(second.snapshot?.M).toMatchObject({ base: first.snapshot?.M?.name, watermark: expect.anything() });
    const read = second.bytesRead?.M?.snapshot as { N: string } | undefined;
    expect(Number(read?.N)).toBeGreaterThan(0);
    expect((await orders.stateItem('epoch')).lastTraining?.M).toMatchObject({ rows: { N: '300' } });
    // 300 orders, of which the second training has read the first 150 from the snapshot.
    const rows = ['trainRows', 'validationRows', 'judgeRows'].map((name) => second.counts?.M?.[name] as { N: string });
    expect(rows.reduce((sum, { N }) => sum + Number(N), 0)).toBe(300);
  });

  it('reopens the epoch when there are too few rows of a class to train on', async () => {
    await orders.write(0, 150, never);
    const execution = await orders.ended(1);
    expect(execution, execution.cause).toMatchObject({ status: 'FAILED', error: 'TooFewRows' });
    expect(execution.cause).toContain('rows of class 1 to train on: 0 of 10');
    expect((await orders.stateItem('epoch')).failed?.M).toMatchObject({
      epoch: { N: '1' },
      attempt: { N: '1' },
      error: { S: 'TooFewRows' },
    });
  });

  it('reopens the epoch when a task fails, and says what failed', async () => {
    orders.cloud.faults.inject({
      service: 'sagemaker',
      operation: 'CreateModel',
      kind: 'before',
      code: 'ResourceLimitExceeded',
    });
    await orders.write(0, 150, byPrice);
    expect(await orders.ended(1)).toMatchObject({ status: 'FAILED' });
    const failed = (await orders.stateItem('epoch')).failed?.M as { cause: { S: string } };
    expect(failed.cause.S).toContain('Injected fault: sagemaker CreateModel');
    await expect(orders.endpoint()).rejects.toThrow(/Could not find/);
  });

  it('tries again what a throttled call did not do', async () => {
    orders.cloud.faults.inject({ service: 'sagemaker', operation: 'CreateEndpointConfig', kind: 'before' });
    await orders.write(0, 150, byPrice);
    expect(await orders.ended(1)).toMatchObject({ status: 'SUCCEEDED' });
  });
});
