import {
  type ApplicationAutoScalingClient,
  DeregisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { DeleteEndpointCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deleteRetiredEndpoints } from '../../../shared/promotion/retired.ts';
import { SERVING_KEY } from '../../../shared/state/keys.ts';
import {
  readServing,
  type Serving,
  servingReader,
  writeRolledBackServing,
  writeServing,
} from '../../../shared/state/serving.ts';
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

  test('is asked for once in ten seconds, and each time while nothing serves', async () => {
    let now = NOW;
    let asked = 0;
    const send = (command: never) => {
      asked += 1;
      return state.dynamodb.send(command);
    };
    const read = servingReader({ name: state.name, dynamodb: { send } as never }, () => now);
    expect([await read(), await read(), asked]).toEqual([undefined, undefined, 2]);
    await writeServing(state, model(1), NOW);
    expect(await read()).toMatchObject({ epoch: 1 });
    await writeServing(state, model(2), NOW);
    now += 9_999;
    expect([(await read())?.epoch, asked]).toEqual([1, 3]);
    now += 1;
    expect([(await read())?.epoch, asked]).toEqual([2, 4]);
  });

  test('is what was known for up to 50 seconds while DynamoDB fails or is silent, asked anew every ten', async () => {
    let now = NOW;
    const asked: number[] = [];
    let answer = (command: never): Promise<unknown> => state.dynamodb.send(command);
    const send = (command: never) => {
      asked.push(now - NOW);
      return answer(command);
    };
    const read = servingReader({ name: state.name, dynamodb: { send } as never }, () => now);
    await writeServing(state, model(1), NOW);
    await read();
    answer = async () => {
      throw new Error('InternalServerError');
    };
    for (now = NOW + 10_000; now <= NOW + 50_000; now += 5_000) expect(await read()).toMatchObject({ epoch: 1 });
    expect(asked).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000]);
    now = NOW + 60_001;
    for (const _ of [1, 2]) await expect(read()).rejects.toThrow('InternalServerError');
    answer = (command) => state.dynamodb.send(command);
    await writeServing(state, model(2), NOW);
    expect(await read(), 'at once: nothing is known that is young enough').toMatchObject({ epoch: 2 });
  });

  test('is what was known when DynamoDB takes more than a second', async () => {
    let now = NOW;
    const silent = (_: never, options?: { abortSignal: AbortSignal }) =>
      new Promise((_, reject) =>
        options?.abortSignal.addEventListener('abort', () => reject(options.abortSignal.reason)),
      );
    let answer: (command: never, options?: { abortSignal: AbortSignal }) => Promise<unknown> = (it) =>
      state.dynamodb.send(it);
    const dynamodb = { send: (...call: Parameters<typeof answer>) => answer(...call) } as never;
    const read = servingReader({ name: state.name, dynamodb }, () => now);
    await writeServing(state, model(1), NOW);
    await read();
    now += 10_000;
    answer = silent;
    expect(await read()).toMatchObject({ epoch: 1 });
  });

  test('is the newest, however many write at once', async () => {
    const written = await Promise.all([3, 1, 2].map((epoch) => writeServing(state, model(epoch), NOW)));
    expect(written.filter(Boolean).length).toBeGreaterThan(0);
    expect(await readServing(state)).toMatchObject({ epoch: 3, newestEpoch: 3 });
  });
});

describe('a retired endpoint', () => {
  test('goes after its grace period, once, and not before, and is scaled no more', async () => {
    await writeServing(state, model(1), NOW);
    await writeServing(state, model(2, HASHES[1]), NOW);
    const deleted: string[] = [];
    const deregistered: string[] = [];
    const autoscaling = {
      send: async (command: object) => {
        if (!(command instanceof DeregisterScalableTargetCommand)) return { ScalableTargets: [{}] };
        expect(deleted).toEqual([]);
        deregistered.push(command.input.ResourceId ?? '');
        return {};
      },
    } as unknown as ApplicationAutoScalingClient;
    const sagemaker = {
      send: async ({ input }: DeleteEndpointCommand) => {
        if (deleted.includes(input.EndpointName ?? '')) throw new Error('Could not find endpoint "arn".');
        deleted.push(input.EndpointName ?? '');
        return {};
      },
    } as unknown as SageMakerClient;
    const look = async (nowMs: number) => {
      const serving = await readServing(state);
      return serving ? deleteRetiredEndpoints({ table: state, sagemaker, autoscaling }, serving, 600, nowMs) : [];
    };
    expect(await look(NOW + 599_000)).toEqual([]);
    expect(await look(NOW + 600_000)).toEqual([FIRST]);
    expect(await look(NOW + 600_000)).toEqual([]);
    expect([deleted, await retiring()]).toEqual([[FIRST], {}]);
    expect(deregistered).toEqual([`endpoint/${FIRST}/variant/model`]);
  });
});
