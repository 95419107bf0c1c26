import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AthenaClient } from '@aws-sdk/client-athena';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { namesOf } from '../../../infra/aws/cloudformation/names.ts';
import { liveTest } from '../../../infra/aws/live-test/live-test.ts';
import { type Cloud, startCloud } from '../../../infra/local/cloud.ts';
import orders from '../../fixtures/feature-groups/orders.ts';

const DEFINITION = new URL('../../fixtures/feature-groups/orders.ts', import.meta.url).pathname;

/** Longest waits here, in milliseconds: long enough for a busy machine, short enough to hear what was waited for. */
const LIMITS = { pollMs: 500, storesMs: 90_000, modelMs: 150_000 };

let dir: string;
let cloud: Cloud;
let clients: Parameters<typeof liveTest>[1];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-live-test-'));
  // The stage's own params, save those that only say how long things take.
  const { params } = parse(readFileSync('serverless.yml', 'utf8'), { logLevel: 'silent' });
  const sooner = { changeLogBufferSeconds: 1, labelsWindowSeconds: 1, endpointPollSeconds: 1 };
  cloud = await startCloud({ dir, port: 0, featureGroup: DEFINITION, params: { ...params['live-test'], ...sooner } });
  const settings = {
    endpoint: cloud.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  clients = {
    dynamodb: new DynamoDBClient(settings),
    featureStore: new SageMakerFeatureStoreRuntimeClient(settings),
    athena: new AthenaClient(settings),
    lambda: new LambdaClient(settings),
  };
});

afterAll(async () => {
  for (const client of Object.values(clients)) client.destroy();
  await cloud.close();
  await rm(dir, { recursive: true, force: true });
});

it('passes a stack that has every record everywhere, trains a model by the stage’s params, promotes it and predicts', async () => {
  const outcome = await liveTest({ group: orders, names: namesOf(orders, 'dev') }, clients, LIMITS);
  expect(outcome).toEqual({
    records: 360,
    model: expect.stringContaining('tributary-orders-v2-dev-'),
    scores: [expect.any(Number), expect.any(Number), expect.any(Number)],
  });
});
