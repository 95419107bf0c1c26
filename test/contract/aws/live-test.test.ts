import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AthenaClient } from '@aws-sdk/client-athena';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { namesOf } from '../../../infra/aws/cloudformation/names.ts';
import { factsOf } from '../../../infra/aws/live-test/facts.ts';
import { liveTest } from '../../../infra/aws/live-test/live-test.ts';
import { withThrowawayGroup } from '../../../infra/aws/live-test/probe.ts';
import { differencesOf } from '../../../infra/aws/live-test/stores.ts';
import { type Cloud, startCloud } from '../../../infra/local/cloud.ts';
import orders from '../../fixtures/feature-groups/orders.ts';

const DEFINITION = new URL('../../fixtures/feature-groups/orders.ts', import.meta.url).pathname;

/** Longest waits here, in milliseconds: long enough for a busy machine, short enough to hear what was waited for. */
const LIMITS = { pollMs: 500, storesMs: 90_000, modelMs: 150_000 };

interface World {
  readonly cloud: Cloud;
  readonly clients: Parameters<typeof liveTest>[1];
  close(): Promise<void>;
}

/** A local cloud with the stage's own params, save those that only say how long things take. */
async function startWorld(given: Record<string, number> = {}): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'tributary-live-test-'));
  const { params } = parse(readFileSync('serverless.yml', 'utf8'), { logLevel: 'silent' });
  const sooner = { changeLogBufferSeconds: 1, labelsWindowSeconds: 1, endpointPollSeconds: 1 };
  const options = { featureGroup: DEFINITION, params: { ...params['live-test'], ...sooner, ...given } };
  const cloud = await startCloud({ dir, port: 0, ...options });
  const settings = {
    endpoint: cloud.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  const clients = {
    dynamodb: new DynamoDBClient(settings),
    featureStore: new SageMakerFeatureStoreRuntimeClient(settings),
    athena: new AthenaClient(settings),
    lambda: new LambdaClient(settings),
  };
  return {
    ...{ cloud, clients },
    async close() {
      for (const client of Object.values(clients)) client.destroy();
      await cloud.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

// With the same keys, the same rows are judged by.
const stack = { group: orders, names: namesOf(orders, 'dev'), run: 1_795_000_000_000 };

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

describe('the live test', () => {
  it('passes a stack that has every record everywhere, trains a model by the stage’s params, promotes it and predicts', async () => {
    const outcome = await liveTest(stack, world.clients, LIMITS);
    expect(outcome).toEqual({
      records: 540,
      prediction: {
        model: expect.stringContaining('tributary-orders-v2-dev-'),
        scores: [expect.any(Number), expect.any(Number), expect.any(Number)],
      },
    });
  });

  it('fails by the words of the gate when it refuses the model', async () => {
    // Labels have noise, so no model tells the classes apart without an error.
    const strict = await startWorld({ gateFloor: 1 });
    try {
      await expect(liveTest(stack, strict.clients, LIMITS)).rejects.toThrow(
        /^The training of epoch 1 was not promoted \(refuse\): /,
      );
    } finally {
      await strict.close();
    }
  });

  it('sees a record that is missing, one too many and one that differs, and no difference in how numbers are written', () => {
    const records = (entries: Record<string, Record<string, string>>) =>
      new Map(Object.entries(entries).map(([id, columns]) => [id, new Map(Object.entries(columns))]));
    const table = records({ a: { quantity: '1', size: 'small' }, b: { 'unit-price': '12' }, c: { size: 'small' } });
    const store = records({ a: { quantity: '2', size: 'small' }, b: { 'unit-price': '12.0' }, d: {} });
    expect(differencesOf(orders, table, store)).toEqual([
      'a has quantity 2 in place of 1',
      'c is missing',
      'd is there, and not in the table',
    ]);
  });
});

describe('the probe', () => {
  it('tells a fact a line of what it tried; here they are those of the local cloud, which no page contradicts', async () => {
    const group = { name: orders.name, recordIdentifier: 'order_id', eventTime: 'changed_at', feature: 'note' };
    const table = world.cloud.stack.outputs.StateTableName ?? '';
    const { dynamodb, featureStore } = world.clients;
    expect(await factsOf({ featureStore, dynamodb, group, table, settleMs: 0 })).toEqual([
      'a soft delete of a record that was never there is taken; a put with an earlier event time then does not show',
      'a put older than the soft delete of its record does not show; a newer one shows',
      'of two puts with one event time the first is kept',
      'a soft delete with the event time of the stored record is taken; the record shows',
      'of two entries of one record in a batch write, newer first, the newer one is kept; older first, the newer one',
      'of two entries of one record with one event time in a batch write the first is kept',
      'a batch write with one entry of an unknown feature is taken, with 1 errors (ValidationError) and 0 unprocessed entries; the other entry shows',
      'a batch write of 25 records of 100000 bytes is taken',
      'an event time with nine digits of a second is taken; the record shows',
      'a record that was soft deleted is not listed, and with IncludeSoftDeletedRecords is listed',
      'a statement of a batch that inserts a key which is there answers DuplicateItem',
      'a statement of a batch whose condition on an attribute that is no key fails answers ConditionalCheckFailed; one whose condition holds is done',
    ]);
    const { Count } = await dynamodb.send(
      new ScanCommand({
        TableName: table,
        FilterExpression: 'begins_with(pk, :p)',
        ExpressionAttributeValues: { ':p': { S: 'probe#' } },
      }),
    );
    expect(Count).toBe(0);
  });

  it.each([
    ['was used', ['Creating', 'Created'], async () => undefined, undefined],
    ['was of no use', ['Created'], async () => Promise.reject(new Error('no use')), 'no use'],
    ['could not be made', ['CreateFailed'], async () => undefined, 'is CreateFailed: no role'],
  ])('removes its feature group when it %s', async (_, statuses, use, expected) => {
    const sent: string[] = [];
    const left = [...statuses];
    const send = async (command: { input: { FeatureGroupName?: string } }) => {
      const { name } = command.constructor;
      sent.push(`${name} ${command.input.FeatureGroupName}`);
      return name.startsWith('Describe') ? { FeatureGroupStatus: left.shift(), FailureReason: 'no role' } : {};
    };
    const client = { send } as unknown as Parameters<typeof withThrowawayGroup>[0];
    const outcome = await withThrowawayGroup(client, 1, use).then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(outcome ?? '').toContain(expected ?? '');
    const [created = '', ...rest] = sent;
    expect(created).toMatch(/^CreateFeatureGroupCommand tributary-probe-/);
    expect(rest.at(-1)).toBe(created.replace('Create', 'Delete'));
  });
});
