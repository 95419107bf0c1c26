import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OrdersCloud, ordersCloud, shuffledLabelOf } from '../../given/retraining/orders-cloud.ts';
import { statusOf } from '../../given/retraining/served-model.ts';

/** A worse model that is within a wide margin takes over, and the one before it goes on to be compared with. */

let orders: OrdersCloud;

beforeAll(async () => {
  orders = await ordersCloud({ gateMinimumGain: -0.9, modelsKept: 2 });
});
afterAll(() => orders.close());

it('compares a challenger with the best model that has served, too, on today’s rows', async () => {
  await orders.write(0, 400);
  expect(await orders.ended(1)).toMatchObject({ status: 'SUCCEEDED' });
  // As somebody labels who is wrong most of the time.
  await orders.write(400, 350, shuffledLabelOf);
  expect(await orders.ended(2)).toMatchObject({ status: 'SUCCEEDED' });
  const [second, first] = (await statusOf(orders)).trainings;
  expect(second).toMatchObject({ epoch: 2, decision: 'promote' });
  expect(second.comparison.gain.value).toBeLessThan(0);
  expect(second.comparison).toMatchObject({ best: 'champion', bestModelName: first.modelName });

  await orders.write(750, 350);
  const trained = await orders.ended(3);
  expect(trained, trained.cause).toMatchObject({ status: 'SUCCEEDED' });
  const [third] = (await statusOf(orders)).trainings;
  const { comparison } = third;
  expect(comparison.leader.auc).toBeGreaterThan(comparison.champion.auc);
  expect(comparison.gainOverLeader.low).toBeLessThanOrEqual(comparison.gainOverLeader.value);
  expect(comparison.gainOverLeader.value).toBeCloseTo(comparison.challenger.auc - comparison.leader.auc, 12);
  const { Models } = (await orders.cloud.call('sagemaker', 'ListModels', {})) as { Models: { ModelName: string }[] };
  expect(Models.map((it) => it.ModelName)).toContain(comparison.bestModelName);
});
