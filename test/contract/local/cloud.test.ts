import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetRecordCommand, SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { DescribeStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cloud, type CloudOptions, startCloud } from '../../../infra/local/cloud.ts';
import { stackOf } from '../../given/local/stacks.ts';

const ORDERS = new URL('../../fixtures/feature-groups/orders.ts', import.meta.url).pathname;

let dir: string;
let running: Cloud[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-cloud-'));
  running = [];
});

afterEach(async () => {
  for (const cloud of running) await cloud.close();
  await rm(dir, { recursive: true, force: true });
});

/** Starts a cloud of orders; one with other options reads its stack itself. */
async function start(options: Partial<CloudOptions> = {}): Promise<Cloud> {
  const isUsual = !options.params && !options.featureGroup;
  const stack = isUsual ? { stack: await stackOf({ featureGroup: ORDERS }) } : {};
  const cloud = await startCloud({ dir, port: 0, featureGroup: ORDERS, ...stack, ...options });
  running.push(cloud);
  return cloud;
}

const clientOf = (cloud: Cloud) => ({
  endpoint: cloud.endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});

const item = (order: string, size: string) => ({
  ...{ pk: { S: order }, sk: { S: '1' }, unitPrice: { N: '2.50' }, size: { S: size }, updatedAt: { N: '1795458220' } },
});

async function sizeOf(cloud: Cloud, order: string): Promise<string | undefined> {
  const client = new SageMakerFeatureStoreRuntimeClient(clientOf(cloud));
  const { Record = [] } = await client.send(
    new GetRecordCommand({ FeatureGroupName: 'Orders_v2', RecordIdentifierValueAsString: `${order}|1` }),
  );
  client.destroy();
  return Record.find((it) => it.FeatureName === 'size')?.ValueAsString;
}

describe('the local cloud', () => {
  it('deploys serverless.yml for any definition: what is written to its table is in its feature group', async () => {
    const cloud = await start();
    const dynamodb = new DynamoDBClient(clientOf(cloud));
    await dynamodb.send(new PutItemCommand({ TableName: 'shop.orders', Item: item('o-1', 'small') }));
    await cloud.idle();
    expect(await sizeOf(cloud, 'o-1')).toBe('small');

    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: cloud.stack.outputs.StateTableName }));
    expect(Table).toMatchObject({ TableStatus: 'ACTIVE', StreamSpecification: { StreamViewType: 'KEYS_ONLY' } });
    expect(Table?.GlobalSecondaryIndexes?.map((it) => it.IndexName)).toEqual(['labels-by-epoch']);
    dynamodb.destroy();

    const states = new SFNClient(clientOf(cloud));
    const { definition } = await states.send(
      new DescribeStateMachineCommand({ stateMachineArn: cloud.stack.outputs.RetrainingStateMachineArn }),
    );
    expect(definition).toContain('arn:aws:lambda:us-east-1:000000000000:function:tributary-orders-v2-dev-retrain');
    states.destroy();
  });

  it('keeps its state over a restart, and goes on where it stopped', async () => {
    const first = await start();
    await first.call('dynamodb', 'PutItem', { TableName: 'shop.orders', Item: item('o-1', 'small') });
    await first.idle();
    await first.close();
    running = [];

    const second = await start();
    expect(await sizeOf(second, 'o-1')).toBe('small');
    const changed = { ...item('o-1', 'large'), updatedAt: { N: '1795458221' } };
    await second.call('dynamodb', 'PutItem', { TableName: 'shop.orders', Item: changed });
    await second.idle();
    expect(await sizeOf(second, 'o-1')).toBe('large');
  });

  it('invokes no function by itself when told not to', async () => {
    const cloud = await start({ eventSourceMappings: false });
    await cloud.call('dynamodb', 'PutItem', { TableName: 'shop.orders', Item: item('o-1', 'small') });
    await cloud.idle();
    expect(await sizeOf(cloud, 'o-1')).toBeUndefined();
  });

  it('takes values for the params of serverless.yml, as a deployment does', async () => {
    const cloud = await start({ params: { labelsThreshold: 7 }, eventSourceMappings: false });
    const retrain = cloud.stack.functions.find((it) => it.handler === 'functions/retrain.handler');
    expect(retrain?.environment.LABELS_THRESHOLD).toBe('7');
  });
});

describe('starting the local cloud', () => {
  it('says what to do when the folder cannot be written', async () => {
    const file = join(dir, 'file');
    await writeFile(file, '');
    await expect(start({ dir: join(file, 'state') })).rejects.toThrow(
      /^The folder .*state cannot be written \(ENOTDIR\): make it writable, or choose another with --dir\.$/,
    );
  });

  it('refuses a folder that another local cloud has', async () => {
    await start({ eventSourceMappings: false });
    await expect(start()).rejects.toThrow(/stop the local cloud that has it, or choose another with --dir/);
  });

  it('leaves nothing running when the port is taken: the folder is free again', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    await expect(start({ port })).rejects.toThrow(/choose another with --port/);
    await new Promise((done) => server.close(done));
    expect((await start({ eventSourceMappings: false })).port).toBeGreaterThan(0);
  });

  it('says which definition is missing, in one sentence', async () => {
    await expect(start({ featureGroup: 'nobody' })).rejects.toThrow(/^Feature group "nobody" cannot be loaded/);
  });
});
