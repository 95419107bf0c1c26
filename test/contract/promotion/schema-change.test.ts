import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { encode } from '../../../shared/model/encode.ts';
import { endpointName } from '../../../shared/model/names.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import { changingDefinition, otherEncoding } from '../../given/retraining/changing-definition.ts';
import { type OrdersCloud, ordersCloud } from '../../given/retraining/orders-cloud.ts';
import { startLoad } from '../../given/retraining/prediction-load.ts';
import { hasEndpoint, runCommand, statusOf, until } from '../../given/retraining/served-model.ts';

/** A definition is changed while predictions are asked for all the time. */

/** What is asked for all the time, and its texts: without a quantity, which each definition stands another number for. */
const FEATURES = { 'unit-price': 40, size: 'medium', giftWrapped: true, channel: 'web' };
const TEXTS = { 'unit-price': '40', size: 'medium', giftWrapped: '1', channel: 'web' };

let definition: Awaited<ReturnType<typeof changingDefinition>>;
let orders: OrdersCloud;

beforeAll(async () => {
  definition = await changingDefinition();
  orders = await ordersCloud({ gateMinimumGain: -0.9 }, definition.path);
});

afterAll(async () => {
  await orders.close();
  await definition.close();
});

const nameOf = (group: FeatureGroup) => endpointName(orders.cloud.stack.outputs.EndpointName ?? '', schemaHash(group));

/** The score of the endpoint of a version for what is asked, encoded by that version. */
async function scoreBy(group: FeatureGroup): Promise<number> {
  const response = await fetch(`${orders.cloud.endpoint}/endpoints/${nameOf(group)}/invocations`, {
    ...{ method: 'POST', headers: { 'content-type': 'text/csv', accept: 'application/json' } },
    body: encode(group, TEXTS).join(','),
  });
  const { predictions } = (await response.json()) as { predictions: { score: number }[] };
  return predictions[0]?.score ?? Number.NaN;
}

const command = (file: string, ...options: string[]) => runCommand(orders.cloud, file, definition.path, ...options);

describe('a changed definition', () => {
  it('never interrupts predictions: its own endpoint serves once a model of it was probed', async () => {
    const [before] = definition.versions as [FeatureGroup];
    await orders.write(0, 400);
    expect(await orders.ended(1)).toMatchObject({ status: 'SUCCEEDED' });
    const load = startLoad(orders.cloud, FEATURES);
    load.hurry();
    await until(() => load.seen().length > 20);

    const after = await definition.change(otherEncoding);
    expect(schemaHash(after)).not.toBe(schemaHash(before));
    await orders.cloud.deployFunctions();
    const deployedAt = performance.now();
    expect(await orders.retrain()).toMatchObject({
      decision: 'train',
      reason: `The definition is of schema ${schemaHash(after)}, and what serves of ${schemaHash(before)}.`,
    });
    // Nothing of what answers changes until there is the new endpoint.
    load.calm();
    const created = until(() => hasEndpoint(orders, nameOf(after))).then(load.hurry);
    const trained = await orders.ended(2);
    expect(trained, trained.cause).toMatchObject({ status: 'SUCCEEDED' });
    await created;
    await until(() => load.seen().some(({ schema }) => schema === schemaHash(after)));
    const seconds = (performance.now() - deployedAt) / 1_000;
    await sleep(1_000);
    const { predictions, failed, answers } = await load.stop();

    const expected = new Map<string, number>();
    for (const group of [before, after]) expected.set(schemaHash(group), await scoreBy(group));
    const wrong = answers.filter(({ schema, score }) => score !== expected.get(schema));
    const told = `${predictions} requests, ${failed.length} failed, ${wrong.length} wrongly encoded`;
    console.log(`definition changed: ${told}; the new schema served after ${seconds.toFixed(1)} s`);
    expect({ failed, wrong }).toEqual({ failed: [], wrong: [] });
    expect(new Set(answers.map(({ schema }) => schema))).toEqual(new Set([schemaHash(before), schemaHash(after)]));
    expect(expected.get(schemaHash(before))).not.toBe(expected.get(schemaHash(after)));
  });

  it('leaves the former endpoint standing for a while, so that one command goes back to it', async () => {
    const [before, after] = definition.versions as [FeatureGroup, FeatureGroup];
    const status = JSON.parse(await command('status', '--json'));
    expect(status).toMatchObject({ endpoint: nameOf(after), schemas: { defined: schemaHash(after) } });
    expect(Object.keys(status.serving.retiring)).toEqual([nameOf(before)]);

    const load = startLoad(orders.cloud, FEATURES);
    load.hurry();
    const told = await command('rollback', '--reason', 'the new feature misleads');
    expect(told).toContain(`Endpoint ${nameOf(before)} serves`);
    await until(() => load.seen().at(-1)?.schema === schemaHash(before));
    const { failed } = await load.stop();
    expect(failed).toEqual([]);
    expect(await orders.retrain()).toMatchObject({ decision: 'wait', reason: expect.stringContaining('paused') });
  });

  it('has its endpoint made again by a rollback, if it is gone', async () => {
    const [, after] = definition.versions as [FeatureGroup, FeatureGroup];
    await orders.cloud.call('sagemaker', 'DeleteEndpoint', { EndpointName: nameOf(after) });
    const { trainings } = await statusOf(orders, after);
    const { modelName } = trainings.find((it: { schemaHash: string }) => it.schemaHash === schemaHash(after));
    expect(await command('rollback', '--to', modelName)).toContain(`Endpoint ${nameOf(after)} serves ${modelName}`);
    expect(Number.isFinite(await scoreBy(after))).toBe(true);
  });

  it('is not trained again on the same data, though a person asks for it', async () => {
    const told = await command('retrain', '--reason', 'to be sure');
    expect(told).toContain('train: A person asks for it: to be sure.');
    expect(await orders.ended(3)).toMatchObject({ status: 'SUCCEEDED' });
    const { trainings } = await statusOf(orders, definition.versions.at(-1));
    expect(trainings[0]).toMatchObject({
      epoch: 3,
      decision: 'refuse',
      reason: expect.stringContaining('attempt 1 at epoch 2'),
    });
    expect(trainings[0].modelName).toBeUndefined();
  });
});
