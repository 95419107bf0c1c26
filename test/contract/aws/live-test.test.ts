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

describe('the probe', () => {
  it('tells a fact a line of what it tried; here they are those of the local cloud, which no page contradicts', async () => {
    const group = { name: orders.name, recordIdentifier: 'order_id', eventTime: 'changed_at', feature: 'note' };
    const table = cloud.stack.outputs.StateTableName ?? '';
    const { dynamodb, featureStore } = clients;
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
