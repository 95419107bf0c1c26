import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AthenaClient } from '@aws-sdk/client-athena';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { namesOf } from '../../../infra/aws/cloudformation/names.ts';
import { liveTest } from '../../../infra/aws/live-test/live-test.ts';
import { startCloud } from '../../../infra/local/cloud.ts';
import orders from '../../fixtures/feature-groups/orders.ts';

const TEMPLATE = 'infra/aws/pipeline.yml';
const text = readFileSync(TEMPLATE, 'utf8');

interface Action {
  readonly Name: string;
  readonly Configuration: { readonly EnvironmentVariables?: string };
}

describe('the delivery pipeline', () => {
  it('has no anchors and aliases, which CloudFormation’s YAML does not know', () => {
    expect(text.match(/[:-] +[&*]\w/g)).toBeNull();
  });

  it('goes from the source by a live test, its checks and an approval to production, and cleans up', () => {
    const { Resources } = parse(text, { logLevel: 'silent' });
    const stages: { Name: string; Actions: Action[] }[] = Resources.Pipeline.Properties.Stages;
    expect(stages.flatMap(({ Name, Actions }) => Actions.map((action) => `${Name}/${action.Name}`))).toEqual([
      'Source/Source',
      'BuildAndTest/BuildAndTest',
      'LiveTest/Deploy',
      'LiveTest/CompareRecordCounts',
      'Approval/Approve',
      'Production/Deploy',
      'CleanUp/RemoveLiveTest',
    ]);
    const variables = stages.flatMap(({ Actions }) =>
      Actions.flatMap(({ Configuration }) => JSON.parse(Configuration.EnvironmentVariables ?? '[]')),
    );
    const commands = variables.filter(({ name }) => name === 'COMMAND').map(({ value }): string => value);
    expect(commands.length).toBe(4);
    for (const [, file = ''] of commands.join(' ').matchAll(/(infra\/aws\/[\w.-]+)/g))
      expect(existsSync(file)).toBe(true);
  });
});

describe('the live test', () => {
  it('passes a stack whose table, online store and change log have the same records', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tributary-live-test-'));
    const featureGroup = new URL('../../fixtures/feature-groups/orders.ts', import.meta.url).pathname;
    const cloud = await startCloud({ dir, port: 0, featureGroup, params: { changeLogBufferSeconds: 1 } });
    const settings = {
      endpoint: cloud.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    };
    const clients = {
      dynamodb: new DynamoDBClient(settings),
      featureStore: new SageMakerFeatureStoreRuntimeClient(settings),
      athena: new AthenaClient(settings),
    };
    try {
      const options = { pollMs: 500, timeoutMs: 45_000 };
      expect(await liveTest(orders, namesOf(orders, 'dev'), clients, options)).toEqual({
        table: 80,
        onlineStore: 80,
        changeLog: 80,
      });
    } finally {
      await cloud.close();
      await rm(dir, { recursive: true, force: true });
    }
  });
});
