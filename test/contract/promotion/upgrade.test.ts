import { afterAll, beforeAll, expect, it } from 'vitest';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import group from '../../fixtures/feature-groups/orders.ts';
import { type OrdersCloud, ordersCloud } from '../../given/retraining/orders-cloud.ts';
import { startLoad } from '../../given/retraining/prediction-load.ts';
import { hasEndpoint, statusOf, until } from '../../given/retraining/served-model.ts';

/** A stack that version 0.1.0 has trained a model for: one endpoint, whose variant bears the schema's hash. */

let orders: OrdersCloud;
let base: string;

const call = (service: 'dynamodb' | 'sagemaker', operation: string, input: object) =>
  orders.cloud.call(service, operation, input) as Promise<Record<string, unknown>>;

const forget = (pk: string, ...attributes: string[]) =>
  call('dynamodb', 'UpdateItem', {
    ...{ TableName: orders.cloud.stack.outputs.StateTableName, Key: { pk: { S: pk } } },
    UpdateExpression: `REMOVE ${attributes.join(', ')}`,
  });

/** Puts the model that serves where 0.1.0 has it, and takes away what 0.1.0 does not write. */
async function asLeftByFormerVersion(): Promise<void> {
  const hash = schemaHash(group);
  const { serving } = await statusOf(orders);
  const config = { EndpointName: base, EndpointConfigName: `${serving.endpointConfigName}-old` };
  const variant = { VariantName: `schema-${hash}`, InstanceType: 'ml.t2.medium', InitialInstanceCount: 1 };
  await call('sagemaker', 'CreateEndpointConfig', {
    EndpointConfigName: config.EndpointConfigName,
    ProductionVariants: [{ ...variant, ModelName: serving.modelName }],
  });
  await call('sagemaker', 'CreateEndpoint', config);
  const baseStatus = async () => (await call('sagemaker', 'DescribeEndpoint', { EndpointName: base })).EndpointStatus;
  await until(async () => (await baseStatus()) === 'InService');
  await forget('serving', 'endpointName', 'threshold', 'retiring');
  await forget('epoch#1', 'endpointName', 'threshold');
  await call('dynamodb', 'DeleteItem', {
    ...{ TableName: orders.cloud.stack.outputs.StateTableName, Key: { pk: { S: `encoding#${hash}` } } },
  });
  await call('sagemaker', 'DeleteEndpoint', { EndpointName: `${base}-${hash}` });
}

beforeAll(async () => {
  orders = await ordersCloud({ gateMinimumGain: -0.9 });
  base = orders.cloud.stack.outputs.EndpointName ?? '';
  await orders.write(0, 400);
  expect(await orders.ended(1)).toMatchObject({ status: 'SUCCEEDED' });
  await asLeftByFormerVersion();
  // Functions that have seen nothing of it yet.
  await orders.cloud.deployFunctions();
});
afterAll(() => orders.close());

it('is answered by its own endpoint, until the first model under the new names serves, and retires then', async () => {
  expect(await statusOf(orders)).toMatchObject({ endpoint: base, serving: { epoch: 1 } });
  const load = startLoad(orders.cloud);
  await until(() => load.seen().length >= 20);
  // Nothing of what answers changes until there is the new endpoint.
  const hurried = until(() => hasEndpoint(orders, `${base}-${schemaHash(group)}`)).then(load.hurry);
  await orders.write(400, 400);
  const trained = await orders.ended(2);
  await hurried;
  expect(trained, trained.cause).toMatchObject({ status: 'SUCCEEDED' });
  const { serving, endpoint } = await statusOf(orders);
  expect(endpoint).toBe(`${base}-${schemaHash(group)}`);
  expect(Object.keys(serving.retiring)).toEqual([base]);
  await until(() => load.seen().at(-1)?.model === serving.modelName);
  const { predictions, failed } = await load.stop();
  console.log(`upgraded from 0.1.0: ${predictions} predictions, ${failed.length} failed`);
  expect(failed).toEqual([]);
});
