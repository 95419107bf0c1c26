import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packModel } from '../../../../infra/local/sagemaker/learner/model-artifact.ts';
import { sageMaker } from '../../../../infra/local/sagemaker/sagemaker.ts';
import { ObjectStore } from '../../../../infra/local/storage/object-store.ts';

const ROLE = 'arn:aws:iam::000000000000:role/training';
const IMAGE = '382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1';

let dir: string;
let local: ReturnType<typeof sageMaker>;
let db: DatabaseSync;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'variants-'));
  db = new DatabaseSync(':memory:');
  const objects = new ObjectStore(join(dir, 's3'));
  await objects.createBucket('data');
  await objects.put(
    'data',
    'model.tar.gz',
    packModel({ means: [0], scales: [1], weights: [1], bias: 0, threshold: 0.5 }),
  );
  local = sageMaker({ db, objects });
  const PrimaryContainer = { Image: IMAGE, ModelDataUrl: 's3://data/model.tar.gz' };
  await call('CreateModel', { ModelName: 'm', ExecutionRoleArn: ROLE, PrimaryContainer });
  for (const [EndpointConfigName, VariantName] of [
    ['first', 'model'],
    ['second', 'model'],
    ['renamed', 'schema-2'],
  ]) {
    const variant = { VariantName, ModelName: 'm', InstanceType: 'ml.t2.medium', InitialInstanceCount: 2 };
    await call('CreateEndpointConfig', { EndpointConfigName, ProductionVariants: [variant] });
  }
  await call('CreateEndpoint', { EndpointName: 'e', EndpointConfigName: 'first' });
  await inService();
});
afterEach(async () => {
  await local.close();
  db.close();
  rmSync(dir, { recursive: true });
});

async function call(operation: string, input: object): Promise<Record<string, unknown>> {
  const run = local.services[0]?.operations?.[operation];
  return (await run?.(input as never, undefined)) as Record<string, unknown>;
}

async function inService(): Promise<Record<string, unknown>> {
  for (;;) {
    const found = await call('DescribeEndpoint', { EndpointName: 'e' });
    if (found.EndpointStatus === 'InService') return found;
    await sleep(20);
  }
}

const TrafficRoutingConfiguration = { Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 0 };
const blueGreen = { DeploymentConfig: { BlueGreenUpdatePolicy: { TrafficRoutingConfiguration } } };

test('a blue/green update cannot rename the variant', async () => {
  const update = (EndpointConfigName: string) =>
    call('UpdateEndpoint', { EndpointName: 'e', EndpointConfigName, ...blueGreen });
  await expect(update('renamed')).rejects.toMatchObject({
    code: 'ValidationException',
    message: expect.stringMatching(/must have the same variant name .* first has model, renamed has schema-2/),
  });
  expect(await inService()).toMatchObject({ EndpointConfigName: 'first' });
  await update('second');
  expect(await inService()).toMatchObject({ EndpointConfigName: 'second' });
});
