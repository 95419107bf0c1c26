import {
  CreateEndpointCommand,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  type SageMakerClient,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { rollBack } from '../../../shared/promotion/rollback.ts';
import { writeEncoding } from '../../../shared/state/encodings.ts';
import { claimEpoch, closeEpoch, readEpochState, reopenEpoch } from '../../../shared/state/epochs.ts';
import { readEvidence } from '../../../shared/state/evidence.ts';
import { readServing } from '../../../shared/state/serving.ts';
import { noFleets } from '../../given/retraining/no-fleets.ts';
import { stateTable } from '../../given/state-table.ts';

const NOW = Date.UTC(2026, 0, 15);
const [A, B] = ['a'.repeat(16), 'b'.repeat(16)] as const;

interface Fleet {
  config: string;
  status?: string;
  instances?: number;
}

let state: Awaited<ReturnType<typeof stateTable>>;
let endpoints: Record<string, Fleet>;
let configs: Set<string>;
let updates: UpdateEndpointCommand['input'][];
/** Types of instances that are not the usual ones, by configuration. */
let types: Record<string, string>;

beforeEach(async () => {
  state = await stateTable();
  [endpoints, configs, updates, types] = [{}, new Set(), [], {}];
});
afterEach(() => state.close());

/** SageMaker's answers, with swaps that take no time. */
const sagemaker = {
  send: async (command: object) => {
    if (command instanceof DescribeEndpointConfigCommand) {
      const { EndpointConfigName = '' } = command.input;
      if (!configs.has(EndpointConfigName)) throw new Error('Could not find endpoint configuration "arn".');
      const InstanceType = types[EndpointConfigName] ?? 'ml.t2.medium';
      return { ProductionVariants: [{ InitialInstanceCount: 2, InstanceType }] };
    }
    const { EndpointName = '', EndpointConfigName = '' } = (command as UpdateEndpointCommand).input;
    if (command instanceof CreateEndpointCommand) endpoints[EndpointName] = { config: EndpointConfigName };
    if (command instanceof UpdateEndpointCommand) {
      updates.push(command.input);
      endpoints[EndpointName] = { ...endpoints[EndpointName], config: EndpointConfigName };
    }
    const found = endpoints[EndpointName];
    if (command instanceof DescribeEndpointCommand && !found) throw new Error('Could not find endpoint "arn".');
    const ProductionVariants = [{ DesiredInstanceCount: found?.instances ?? 2 }];
    return { EndpointStatus: found?.status ?? 'InService', EndpointConfigName: found?.config, ProductionVariants };
  },
} as unknown as SageMakerClient;

/** An epoch whose model serves, as its training leaves it. */
async function served(epoch: number, schemaHash: string): Promise<void> {
  const [name, endpointName] = [`m${epoch}`, `stack-${schemaHash}`];
  await claimEpoch(state, { epoch, attempt: 1, executionName: name, claimedAtMs: NOW, input: '{}' });
  const evidence = { decision: 'promote', reason: 'better', schemaHash, counts: {} };
  const serving = { epoch, attempt: 1, modelName: name, endpointConfigName: name, schemaHash, endpointName };
  await closeEpoch(state, { epoch, attempt: 1, evidence, serving }, NOW);
  endpoints[endpointName] = { config: name };
  configs.add(name);
}

const back = (to?: string, autoscaling = noFleets.autoscaling) =>
  rollBack(
    { table: state, sagemaker, autoscaling },
    { endpointName: 'stack', schemaHash: B, pollMs: 1, reason: 'odd', to },
    () => NOW,
  );

describe('a rollback', () => {
  test('within a schema swaps the model behind its endpoint, leaves it as it was scaled, and pauses the loop', async () => {
    await served(1, B);
    await served(2, B);
    endpoints[`stack-${B}`] = { config: 'm2', instances: 6 };
    expect(await back()).toMatchObject({ endpointName: `stack-${B}`, to: { modelName: 'm1' } });
    expect(updates).toEqual([
      { EndpointName: `stack-${B}`, EndpointConfigName: 'm1', RetainAllVariantProperties: true },
    ]);
    expect(await readEpochState(state)).toMatchObject({ paused: { reason: 'rolled back: odd' } });
  });

  test('to another type of instance of an endpoint that is scaled is refused before anything is changed', async () => {
    await served(1, B);
    await served(2, B);
    types = { m1: 'ml.m5.large' };
    const ScalableTargets = [{ ResourceId: `endpoint/stack-${B}/variant/model` }];
    const autoscaling = { send: async () => ({ ScalableTargets }) } as unknown as typeof noFleets.autoscaling;
    await expect(back(undefined, autoscaling)).rejects.toThrow(/deregister its scalable target/);
    expect([updates, (await readEpochState(state)).paused]).toEqual([[], undefined]);
  });

  test('to another schema moves predictions to its endpoint, which is made again if it is gone', async () => {
    await served(1, A);
    await served(2, B);
    await writeEncoding(state, { schemaHash: A, features: [] });
    delete endpoints[`stack-${A}`];
    await back();
    expect(endpoints[`stack-${A}`]).toEqual({ config: 'm1' });
    expect(await readServing(state)).toMatchObject({ modelName: 'm1', schemaHash: A, endpointName: `stack-${A}` });
    expect(Object.keys((await readServing(state))?.retiring ?? {})).toEqual([`stack-${B}`]);
    expect(updates).toEqual([]);
  });

  test('is refused in one sentence, and nothing changed, where it would stop predictions', async () => {
    await served(1, A);
    await served(2, B);
    await expect(back()).rejects.toThrow(
      `Model m1 is of schema ${A}, whose encoding is not kept: deploy the definition`,
    );
    await writeEncoding(state, { schemaHash: A, features: [] });
    configs.delete('m1');
    await expect(back()).rejects.toThrow('Endpoint configuration m1 of model m1 is gone: name another model by --to.');
    expect(await readServing(state)).toMatchObject({ modelName: 'm2' });
    expect((await readEpochState(state)).paused).toBeUndefined();
  });

  test('puts the recorded model back when a training has swapped and could not close', async () => {
    await served(1, B);
    await served(2, B);
    const training = { epoch: 3, attempt: 1, executionName: 'm3', claimedAtMs: NOW, input: '{}' };
    await claimEpoch(state, training);
    endpoints[`stack-${B}`] = { config: 'm3' };
    configs.add('m3');
    await expect(back('m2')).rejects.toThrow('a training is about to close');
    await reopenEpoch(state, { epoch: 3, attempt: 1, error: 'States.TaskFailed', cause: 'the close failed' }, NOW);
    expect(await back('m2')).toMatchObject({ to: { modelName: 'm2' } });
    expect(endpoints[`stack-${B}`]?.config).toBe('m2');
    expect((await readEvidence(state, 2))[0]?.rolledBackAt).toBeUndefined();
  });
});
