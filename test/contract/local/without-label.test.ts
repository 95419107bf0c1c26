import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withStack, withTrainingStack } from '../../../infra/commands/stack.ts';
import { queryRows } from '../../../infra/insight/query.ts';
import { readOnline } from '../../../infra/insight/record.ts';
import { openSources, type Sources } from '../../../infra/insight/sources.ts';
import { type Cloud, startCloud } from '../../../infra/local/cloud.ts';
import { loadFeatureGroup } from '../../../shared/definition/load.ts';
import { readShownSnapshot, readSnapshot } from '../../../shared/state/snapshots.ts';
import { readStatus } from '../../../shared/training/status.ts';

const VISITS = new URL('../../fixtures/feature-groups/visits.ts', import.meta.url).pathname;
const TABLE = 'visits';

let dir: string;
let cloud: Cloud;
let sources: Sources;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-visits-'));
  cloud = await startCloud({ dir, port: 0, featureGroup: VISITS, params: { changeLogBufferSeconds: 0 } });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const settings = { endpoint: cloud.endpoint, region: 'us-east-1', credentials };
  sources = await openSources(await loadFeatureGroup(VISITS), cloud.stack.name, settings);
});

afterAll(async () => {
  sources.close();
  await cloud.close();
  await rm(dir, { recursive: true, force: true });
});

describe('a stack without a label', () => {
  test('has no function predict, and nothing that labels wake', () => {
    const functions = cloud.stack.functions.map(({ handler, streams }) => [handler, streams.length]);
    expect(functions).toEqual([
      ['functions/ingest.handler', 1],
      ['functions/retrain.handler', 0],
      ['functions/redrive.handler', 0],
      ['functions/compare.handler', 0],
      ['functions/history.handler', 0],
      ['functions/rehearse.handler', 0],
    ]);
  });

  test('fills the online store and the change log, and its views read a snapshot', async () => {
    const visit = (id: string, page: string) => ({ visit_id: { S: id }, page: { S: page }, at: { S: '2026-01-15' } });
    for (const item of [visit('v-1', 'home'), visit('v-2', 'cart'), visit('v-1', 'cart')]) {
      await cloud.call('dynamodb', 'PutItem', { TableName: TABLE, Item: item });
    }
    await cloud.call('dynamodb', 'DeleteItem', { TableName: TABLE, Key: { visit_id: { S: 'v-2' } } });
    await cloud.idle();
    expect((await readOnline(sources, 'v-1'))?.features).toEqual({ page: 'cart', at: '1768435200', referrer: null });
    expect(await readOnline(sources, 'v-2')).toBeUndefined();

    const retrain = `${cloud.stack.name}-retrain`;
    const answer = await cloud.call('lambda', 'Invoke', {
      FunctionName: retrain,
      Payload: '{"source":"aws.events"}',
    });
    expect(answer).not.toHaveProperty('FunctionError');
    const table = { name: sources.names.stateTable, dynamodb: sources.dynamodb };
    while ((await readShownSnapshot(table)) === undefined) await sleep(200);
    expect((await readSnapshot(table))?.base).toBeNull();
    const { rows } = await queryRows(sources, 'SELECT visit_id, page FROM latest', { rowsMax: 10 });
    expect(rows).toEqual([['v-1', 'cart']]);
  });

  test('says of its training that there is none, and why', async () => {
    const table = { name: sources.names.stateTable, dynamodb: sources.dynamodb };
    const policy = {} as Parameters<typeof readStatus>[2]['policy'];
    const status = await readStatus(table, sources.group, { policy, endpointName: '' }, Date.now());
    const none = 'The definition visits has no label, so no model is trained of it';
    expect(status.next).toMatchObject({
      decision: 'wait',
      reason: expect.stringContaining(none),
      missing: { labels: 0 },
    });
    expect(status.decisions).toEqual([]);

    const options = { definition: VISITS, stage: 'dev', region: 'us-east-1' };
    process.env.AWS_ENDPOINT_URL = cloud.endpoint;
    try {
      expect(await withStack(options, async ({ config }) => config.trainingRoleArn)).toBe('');
      await expect(withTrainingStack(options, async () => 'paused')).rejects.toThrow(none);
    } finally {
      delete process.env.AWS_ENDPOINT_URL;
    }
  });
});
