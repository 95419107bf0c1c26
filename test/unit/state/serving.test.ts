import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { DeleteEndpointCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deleteRetiredEndpoints } from '../../../shared/promotion/retired.ts';
import { SERVING_KEY } from '../../../shared/state/keys.ts';
import { readServing, type Serving, writeRolledBackServing, writeServing } from '../../../shared/state/serving.ts';
import { stateTableInProcess } from '../../given/state-table.ts';

const NOW = Date.UTC(2026, 0, 15);
const HASHES = ['a'.repeat(16), 'b'.repeat(16), 'c'.repeat(16)] as const;
const [FIRST, SECOND] = HASHES.map((hash) => `stack-${hash}`) as [string, string];

let state: Awaited<ReturnType<typeof stateTableInProcess>>;
beforeEach(async () => {
  state = await stateTableInProcess();
});
afterEach(() => state.close());

const model = (epoch: number, hash: string = HASHES[0]): Serving => ({
  ...{ epoch, attempt: 1, endpointConfigName: `config-${epoch}`, modelName: `model-${epoch}`, schemaHash: hash },
  endpointName: `stack-${hash}`,
});
const retiring = async () => (await readServing(state))?.retiring;

describe('what serves', () => {
  test('retires no endpoint when a model of the same schema takes its place there', async () => {
    await writeServing(state, model(1), NOW);
    await writeServing(state, model(2), NOW);
    expect(await readServing(state)).toMatchObject({ ...model(2), retiring: {} });
  });

  test('retires the endpoint that predictions leave, and brings it back when they come back', async () => {
    await writeServing(state, model(1), NOW);
    await writeServing(state, model(2, HASHES[1]), NOW + 1_000);
    expect(await retiring()).toEqual({ [FIRST]: '2026-01-15T00:00:01.000Z' });
    const back = { from: model(2, HASHES[1]), to: model(1), at: '2026-01-15T00:00:02.000Z', reason: 'odd' };
    expect(await writeRolledBackServing(state, back)).toBe(true);
    expect(await retiring()).toEqual({ [SECOND]: '2026-01-15T00:00:02.000Z' });
    expect(await writeServing(state, model(2, HASHES[1]), NOW), 'its own training, ending only now').toBe(false);
  });

  test('by version 0.1.0 has no endpoint of its own: the one of the stack retires', async () => {
    const { endpointName: _, ...former } = model(1);
    const item = marshall({ pk: SERVING_KEY, ...former, newestEpoch: 1, newestAttempt: 1 });
    await state.dynamodb.send(new PutItemCommand({ TableName: state.name, Item: item }));
    await writeServing(state, model(2), NOW);
    expect(await retiring()).toEqual({ stack: '2026-01-15T00:00:00.000Z' });
  });

  test('is the newest, however many write at once', async () => {
    const written = await Promise.all([3, 1, 2].map((epoch) => writeServing(state, model(epoch), NOW)));
    expect(written.filter(Boolean).length).toBeGreaterThan(0);
    expect(await readServing(state)).toMatchObject({ epoch: 3, newestEpoch: 3 });
  });
});

describe('a retired endpoint', () => {
  test('goes after its grace period, once, and not before', async () => {
    await writeServing(state, model(1), NOW);
    await writeServing(state, model(2, HASHES[1]), NOW);
    const deleted: string[] = [];
    const sagemaker = {
      send: async ({ input }: DeleteEndpointCommand) => {
        if (deleted.includes(input.EndpointName ?? '')) throw new Error('Could not find endpoint "arn".');
        deleted.push(input.EndpointName ?? '');
        return {};
      },
    } as unknown as SageMakerClient;
    const look = async (nowMs: number) => {
      const serving = await readServing(state);
      return serving ? deleteRetiredEndpoints({ table: state, sagemaker }, serving, 600, nowMs) : [];
    };
    expect(await look(NOW + 599_000)).toEqual([]);
    expect(await look(NOW + 600_000)).toEqual([FIRST]);
    expect(await look(NOW + 600_000)).toEqual([]);
    expect([deleted, await retiring()]).toEqual([[FIRST], {}]);
  });
});
