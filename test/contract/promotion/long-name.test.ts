import { expect, it } from 'vitest';
import { changingDefinition } from '../../given/retraining/changing-definition.ts';
import { ordersCloud } from '../../given/retraining/orders-cloud.ts';
import { statusOf } from '../../given/retraining/served-model.ts';

/** Feature Store takes 64 characters, and every role of the stack is by name. */
const NAME = `Orders_of_all_customers_in_every_region_${'x'.repeat(20)}`;

it('a group with a name of 60 characters gets from its definition to a model that serves, by its own roles', async () => {
  expect(NAME).toHaveLength(60);
  const definition = await changingDefinition();
  await definition.change((text) => text.replace("'Orders_v2'", `'${NAME}'`));
  const orders = await ordersCloud({}, definition.path);
  try {
    await orders.write(0, 400);
    const first = await orders.ended(1);
    expect(first, first.cause).toMatchObject({ status: 'SUCCEEDED' });
    // The second one has a champion, so that both models score.
    await orders.write(400, 400);
    const second = await orders.ended(2);
    expect(second, second.cause).toMatchObject({ status: 'SUCCEEDED' });
    const { serving, trainings } = await statusOf(orders, definition.versions.at(-1));
    expect(trainings[0].comparison.champion).toBeDefined();
    const { name = '' } = orders.cloud.stack.functions.find((it) => it.handler === 'functions/predict.handler') ?? {};
    const features = { 'unit-price': 40, size: 'small', quantity: 2, giftWrapped: true };
    const answer = await fetch(`${orders.cloud.endpoint}/lambda-url/${name}/`, {
      ...{ method: 'POST', body: JSON.stringify({ features }) },
    });
    expect(await answer.json()).toMatchObject({ score: expect.any(Number), model: serving.modelName });
  } finally {
    await orders.close();
    await definition.close();
  }
});
