import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  DeleteRecordCommand,
  GetRecordCommand,
  PutRecordCommand,
  SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateCustomers } from '../../../infra/demo/customers/customers.ts';
import { itemOf } from '../../../infra/demo/customers/item.ts';
import { type Cloud, startCloud } from '../../../infra/local/cloud.ts';
import { labelOf } from '../../../shared/definition/feature-group.ts';
import { REDRIVE_MARGIN_SECONDS } from '../../../shared/delivery/dating.ts';
import group from '../../../shared/feature-groups/bank-marketing.ts';
import { labelKey } from '../../../shared/state/keys.ts';
import { runScript } from '../../given/command.ts';
import { reachCloud } from '../../given/local/reached.ts';
import { stackOf } from '../../given/local/stacks.ts';

/** Reconcile over the local cloud: what is planted is found, all of it and nothing else, while an application writes. */

const COUNT = 400;
/** Seconds that a change takes to arrive in this cloud: Firehose buffers for one. */
const SETTLE = '8';

type Item = ReturnType<typeof itemOf>;

let dir: string;
let cloud: Cloud;
let dynamodb: DynamoDBClient;
let online: SageMakerFeatureStoreRuntimeClient;
let s3: S3Client;
let writer: { stop(): Promise<void> };
const items = generateCustomers(COUNT, 11).map((customer) => itemOf(customer, group));
const idOf = (item: Item | undefined) => item?.customer_id?.S ?? '';
/** Customers that the application leaves alone, for each to be spoilt in its own way. */
const spoilt = (index: number) => items[index] as Item;
const written = items.slice(50);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-reconcile-'));
  const options = { featureGroup: group.name, params: { changeLogBufferSeconds: 1 } };
  cloud = await startCloud({ dir, port: 0, ...options, stack: await stackOf(options) });
  reachCloud(cloud);
  dynamodb = new DynamoDBClient();
  online = new SageMakerFeatureStoreRuntimeClient();
  s3 = new S3Client({ forcePathStyle: true });
  for (let at = 0; at < items.length; at += 25) {
    const puts = items.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }));
    await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [group.table]: puts } }));
  }
  await cloud.idle();
  await cloud.flushDeliveryStreams();
});
afterAll(async () => {
  await writer?.stop();
  await cloud?.close();
  await rm(dir, { recursive: true, force: true });
});

/** An application that changes, deletes and makes items until it is stopped. */
function writeOn(): { stop(): Promise<void> } {
  let isOver = false;
  const done = (async () => {
    for (let turn = 0; !isOver; turn += 1) {
      const item = written[(turn * 37) % written.length] as Item;
      const { customer_id } = item;
      if (turn % 5 === 0) {
        await dynamodb.send(
          new DeleteItemCommand({ TableName: group.table, Key: { customer_id: customer_id as never } }),
        );
      } else {
        const age = { N: String(18 + (turn % 60)) };
        await dynamodb.send(new PutItemCommand({ TableName: group.table, Item: { ...item, age } }));
      }
      await sleep(100);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await done;
    },
  };
}

async function recordOf(id: string) {
  const key = { FeatureGroupName: group.name, RecordIdentifierValueAsString: id };
  return (await online.send(new GetRecordCommand(key))).Record ?? [];
}

/** Puts a record past every function, its features as they are but for some. */
async function putOnline(from: string, features: Readonly<Record<string, string>>): Promise<void> {
  const Record = (await recordOf(from)).map(({ FeatureName, ValueAsString }) => ({
    FeatureName,
    ValueAsString: features[FeatureName ?? ''] ?? ValueAsString,
  }));
  await online.send(new PutRecordCommand({ FeatureGroupName: group.name, Record }));
}

const takeOffline = (id: string) =>
  online.send(
    new DeleteRecordCommand({
      ...{ FeatureGroupName: group.name, RecordIdentifierValueAsString: id, DeletionMode: 'HardDelete' },
      EventTime: new Date().toISOString(),
    }),
  );

/** Writes the objects of the change log anew, each row as it is told; undefined leaves it out. */
async function rewriteLog(rewrite: (row: string, id: string) => string | undefined): Promise<void> {
  const Bucket = cloud.stack.outputs.DataBucketName ?? '';
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'change-log/' }));
  for (const { Key } of Contents) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const rows = ((await Body?.transformToString()) ?? '').split('\n').filter(Boolean);
    const kept = rows.flatMap((row) => rewrite(row, row.split(',')[4] ?? '') ?? []);
    if (kept.join() === rows.join()) continue;
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: kept.map((row) => `${row}\n`).join('') }));
  }
}

const reconcile = async (...args: string[]) => {
  const { code, stdout, stderr } = await runScript('reconcile', ['--settle', SETTLE, '--json', ...args]);
  expect(stderr).not.toContain('Error:');
  return { code, ...JSON.parse(stdout) };
};

interface Found {
  readonly store: string;
  readonly id: string;
  readonly fields: readonly { readonly name: string }[];
  readonly cause: string;
}

const listed = (differences: readonly Found[]) =>
  differences.map(({ store, id, fields, cause }) => [id, store, fields.map(({ name }) => name).join(), cause]).sort();

describe('npm run reconcile', () => {
  test('says that both stores are equal while an application writes', async () => {
    writer = writeOn();
    const told = await reconcile('--online', 'all');
    expect([told.code, told.equal, told.late, told.more]).toEqual([0, true, 0, false]);
    expect(listed(told.differences)).toEqual([]);
    expect(told.records).toBeGreaterThan(100);
  });

  test('names all differences that were planted, and only those, by field and cause', async () => {
    const ids = Array.from({ length: 12 }, (_, index) => idOf(spoilt(index)));
    const [ghost, offline, changed, older, unlogged, unseen, quarantined, wrong, both] = ids as string[];
    const yesterday = new Date(Date.now() - 86_400_000).toISOString();
    const now = () => new Date().toISOString();

    // A record without an item, in the online store alone.
    await putOnline(idOf(spoilt(11)), { customer_id: 'nobody', event_time: now() });
    // An item that was deleted, of which the change log has no row, and the online store still has the record.
    const before = await recordOf(ghost as string);
    await dynamodb.send(
      new DeleteItemCommand({ TableName: group.table, Key: { customer_id: { S: ghost as string } } }),
    );
    // An item that is wrong, and one that was.
    await dynamodb.send(new PutItemCommand({ TableName: group.table, Item: { ...spoilt(7), age: { S: 'old' } } }));
    await dynamodb.send(new PutItemCommand({ TableName: group.table, Item: { ...spoilt(6), age: { S: 'old' } } }));
    await dynamodb.send(new PutItemCommand({ TableName: group.table, Item: spoilt(6) }));
    await cloud.idle();
    await cloud.flushDeliveryStreams();

    const recordLater = before.map((it) => (it.FeatureName === 'event_time' ? { ...it, ValueAsString: now() } : it));
    await online.send(new PutRecordCommand({ FeatureGroupName: group.name, Record: recordLater }));
    await takeOffline(offline as string);
    await putOnline(changed as string, { age: '99', event_time: now() });
    await takeOffline(older as string);
    await putOnline(idOf(spoilt(11)), { customer_id: older as string, event_time: yesterday });
    await takeOffline(quarantined as string);
    await takeOffline(unseen as string);
    await putOnline(both as string, { campaign: '77', event_time: now() });
    await rewriteLog((row, id) => {
      if (id === unseen || id === unlogged) return undefined;
      if (id === ghost && row.includes(',REMOVE,')) return undefined;
      if (id === both) return row.replace(/,(\d+),([^,]*)$/, ',0,$2');
      return row;
    });

    const told = await reconcile('--online', 'all');
    expect(told.code).toBe(1);
    const differing = listed(told.differences);
    const at = (id: string | undefined, store: string, cause: string) => [id, store, expect.anything(), cause];
    expect(differing).toEqual(
      [
        ['nobody', 'online store', '', 'missed delete'],
        [ghost, 'online store', '', 'missed delete'],
        [ghost, 'change log', '', 'missed delete'],
        [offline, 'online store', '', 'not online'],
        [changed, 'online store', 'age', 'written by another'],
        at(older, 'online store', 'not online'),
        [unlogged, 'change log', '', 'not in the change log'],
        [unseen, 'online store', '', 'never seen'],
        [unseen, 'change log', '', 'never seen'],
        [quarantined, 'online store', '', 'waits in quarantine'],
        [wrong, 'table', '', 'wrong item'],
        [both, 'online store', 'campaign', 'lost change'],
        at(both, 'change log', 'lost change'),
      ].sort(),
    );
    expect(JSON.stringify(told)).not.toContain('"99"');
  });

  test('finds by a sample as large as the table what a comparison of all finds, but no record without an item', async () => {
    const told = await reconcile('--sample', '5000', '--no-change-log');
    const ids = told.differences.map(({ id }: Found) => id);
    expect(ids).toContain(idOf(spoilt(2)));
    expect(ids).not.toContain('nobody');
    expect(told.comparedOnline).toBeGreaterThan(100);
  });

  test('repairs all that can be, and then says that all is equal', async () => {
    const told = await reconcile('--online', 'all', '--repair');
    expect(told.unrepaired).toEqual([]);
    expect(listed(told.differences)).toEqual([[idOf(spoilt(7)), 'table', '', 'wrong item']]);
    expect(told.repaired).toBe(9);

    await dynamodb.send(new PutItemCommand({ TableName: group.table, Item: spoilt(7) }));
    await writer.stop();
    const { stdout, code } = await runScript('reconcile', ['--settle', SETTLE, '--online', 'all']);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^equal: [\d,]+ records$/);
    expect(code).toBe(0);
  });

  test('has a daily check beside it, which finds and keeps that records differ, and that none does', async () => {
    const check = async (request: object) => {
      const FunctionName = `${cloud.stack.name}-compare`;
      const answer = await cloud.call('lambda', 'Invoke', { FunctionName, Payload: JSON.stringify(request) });
      return JSON.parse(String((answer as { Payload: unknown }).Payload)) as { outcome: string; counts: object };
    };
    const status = async () => JSON.parse((await runScript('status', ['--json'])).stdout).check;
    const settleSeconds = Number(SETTLE);
    expect((await status()) ?? null).toBeNull();
    await takeOffline(idOf(spoilt(25)));
    await putOnline(idOf(spoilt(26)), { campaign: '77', event_time: new Date().toISOString() });
    await putOnline(idOf(spoilt(27)), { customer_id: 'nobody', event_time: new Date().toISOString() });
    expect(await check({ settleSeconds })).toMatchObject({
      outcome: 'different',
      counts: { missing: 1, differing: 1, extra: 1, wrong: 0 },
    });
    expect(await status()).toMatchObject({ drifted: 3, equalAt: null });
    expect((await runScript('status', [])).stdout).toMatch(/: 3 differ; no check has found none\. npm run reconcile/);

    expect(await reconcile('--online', 'all', '--repair')).toMatchObject({ equal: true, repaired: 3 });
    expect((await check({ settleSeconds })).outcome).toBe('equal');
    expect((await runScript('status', [])).stdout).toMatch(/Check .* records compared at .*: none differs/);
    expect(await check({ source: 'aws.events' })).toEqual({ outcome: 'not-due' });
    expect(await check({ settleSeconds: 'long' })).toMatchObject({
      errorMessage: expect.stringContaining('settleSeconds is "long": expected a whole number from 1 to 120'),
    });
    const TableName = cloud.stack.outputs.StateTableName ?? '';
    const key = { TableName, Key: { pk: { S: 'check' } } };
    await dynamodb.send(
      new UpdateItemCommand({
        ...key,
        UpdateExpression: 'SET atMs = :old',
        ExpressionAttributeValues: { ':old': { N: String(Date.now() - 86_400_000) } },
      }),
    );
    expect((await check({ source: 'aws.events' })).outcome).toBe('equal');
  });

  test('counts the label of a record that it repairs, and that nobody has counted', async () => {
    const item = { ...spoilt(20), [labelOf(group).attribute]: { N: '1' } };
    const Item = { ...item, age: { S: 'old' } };
    await dynamodb.send(new PutItemCommand({ TableName: group.table, Item }));
    await dynamodb.send(new PutItemCommand({ TableName: group.table, Item: item }));
    await cloud.idle();
    const TableName = cloud.stack.outputs.StateTableName ?? '';
    const Key = { pk: { S: labelKey(idOf(item)) } };
    const counted = async () =>
      (await dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item;
    expect(await counted()).toBeUndefined();
    await takeOffline(idOf(item));
    // A repair waits until what it repairs is older than this.
    await sleep(REDRIVE_MARGIN_SECONDS * 1_000);
    const told = await reconcile('--online', 'all', '--repair');
    expect([told.code, told.repaired, told.equal]).toEqual([0, 1, true]);
    expect((await counted())?.label?.S).toBe('1');
  });

  test('refuses to compare nothing, and an --online that is none of its words', async () => {
    expect((await runScript('reconcile', ['--online', 'none', '--no-change-log'])).stderr).toContain(
      'Nothing is to be compared',
    );
    expect((await runScript('reconcile', ['--online', 'some'])).stderr).toContain(
      '--online: found "some", expected one of sample, all, none.',
    );
  });
});
