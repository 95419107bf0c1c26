import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  type ScanCommandOutput,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import { expect, vi } from 'vitest';
import { generateCustomers } from '../../../infra/demo/customers/customers.ts';
import { itemOf } from '../../../infra/demo/customers/item.ts';
import { type Cloud, startCloud } from '../../../infra/local/cloud.ts';
import { labelOf } from '../../../shared/definition/feature-group.ts';
import group from '../../../shared/feature-groups/bank-marketing.ts';
import { labelKey } from '../../../shared/state/keys.ts';
import { runScript } from '../command.ts';
import { reachCloud } from '../local/reached.ts';
import { statusOf } from '../retraining/served-model.ts';

/**
 * The story of a backfill: items that are older than the stream, an application that writes and deletes all the while, a
 * backfill that is killed again and again, a comparison of everything, and one training.
 */
export interface Story {
  readonly items: number;
  readonly kills: number;
  /** Rows a second, and for how long a backfill works until it is killed, in milliseconds. */
  readonly rate: number;
  readonly lifeMs: number;
  /** How long the application pauses between two writes, in milliseconds. */
  readonly pauseMs: number;
}

const MAIN = 'infra/commands/history/backfill.ts';

const LABEL = labelOf(group).attribute;
/** One in so many items has a label. */
const LABELED_EVERY = 5;
/** How far the clocks of one machine differ, in seconds, and how long it takes until an export may be made, in milliseconds. */
const MARGIN = '2';
const COVERED_MS = 6_000;
/** How long until somebody works on it, and how often to look, in milliseconds. */
const ARRIVAL = { timeout: 120_000, interval: 200 };
/** How long a change takes to arrive here, in seconds: Firehose buffers for one, and the machine may be busy. */
const SETTLE = '15';

/** Writes that the application makes one right after the other, as applications do. */
const BURST = 20;

export type Item = Record<string, AttributeValue>;

/** What the story begins with: the items, and the arguments by which a backfill finds them. */
export type Sources = (items: readonly Item[], dir: string) => Promise<readonly string[]>;

/** The cloud of a story in which a backfill is to be made, and its arguments. */
export interface Scene {
  readonly cloud: Cloud;
  readonly dynamodb: DynamoDBClient;
  readonly stateTable: string;
  readonly args: readonly string[];
}

/** Has a backfill begun, interrupted, and taken up until it ends. @returns what the last command printed. */
export type Backfill = (scene: Scene, story: Story) => Promise<Awaited<ReturnType<typeof runScript>>>;

/** A command that is killed again and again. */
const byCommand: Backfill = async ({ dynamodb, stateTable, args }, { kills, rate, lifeMs }) => {
  const all = [...args, '--clock-margin', MARGIN, '--rate', String(rate)];
  for (let kill = 0; kill < kills; kill += 1) {
    const before = await workerOf(dynamodb, stateTable);
    const child = backfill(kill === 0 ? all : ['--resume', '--rate', String(rate)]);
    // One that was killed is heard of for a while, and the next waits for that.
    await expect.poll(() => workerOf(dynamodb, stateTable), ARRIVAL).not.toBe(before);
    await sleep(lifeMs);
    expect(child.exitCode).toBeNull();
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  return runScript('backfill', ['--resume']);
};

/**
 * Tells the story, and expects its end.
 *
 * @param sources writes what the backfill reads.
 */
export async function tellBackfill(story: Story, sources: Sources, work: Backfill = byCommand): Promise<void> {
  const { items: count, pauseMs } = story;
  const dir = await mkdtemp(join(tmpdir(), 'tributary-backfill-'));
  const labeled = Math.ceil(count / LABELED_EVERY);
  const params = {
    ...{ labelsThreshold: Math.floor(labeled / 2), labelsPerClassMin: 0, coolDownSeconds: 86_400 },
    ...{ changeLogBufferSeconds: 1, judgeRowsPerClassMin: 1, gateFloor: 0, endpointPollSeconds: 1 },
    ...{ canarySeconds: 1, terminationSeconds: 0, backfillMarginSeconds: Number(MARGIN) },
  };
  let cloud = await startCloud({ dir: join(dir, 'cloud'), port: 0, featureGroup: group.name, params });
  const reached = (it: Cloud) => {
    reachCloud(it);
    vi.stubEnv('TRIBUTARY_CLOCKS_AGREE', '1');
    return new DynamoDBClient();
  };
  try {
    const items = generateCustomers(count, 5).map((customer, index): Item => {
      const isOld = Number(customer.features.age) >= 40;
      const label: Item = index % LABELED_EVERY === 0 ? { [LABEL]: { N: isOld ? '1' : '0' } } : {};
      return { ...(itemOf(customer, group) as Item), ...label };
    });
    let dynamodb = reached(cloud);
    await writeUnseen(dynamodb, items);
    // The stream that it has now is another, which is read from its beginning.
    await cloud.close();
    cloud = await startCloud({ dir: join(dir, 'cloud'), port: 0, featureGroup: group.name, params });
    dynamodb = reached(cloud);
    await sleep(COVERED_MS);
    const TableName = cloud.stack.outputs.StateTableName ?? '';
    const args = await sources(items, dir);

    const writing = writeOn(dynamodb, items, pauseMs);
    await sleep(3_000);
    const { code, stdout, stderr } = await work({ cloud, dynamodb, stateTable: TableName, args }, story);
    expect(stderr).not.toContain('Error');
    expect(stdout).toMatch(/^[\d,]+ rows: [\d,]+ written, 0 rejected, 0 skipped, [\d,]+ already deleted, /);
    expect(code).toBe(0);
    const whileWriting = await runScript('reconcile', ['--settle', SETTLE]);
    expect(whileWriting.stdout).toMatch(/\nequal: [\d,]+ records\n$/);
    await writing.stop();
    await cloud.idle();
    await cloud.flushDeliveryStreams();

    const left = await allItems(dynamodb);
    expect(left.length).toBeLessThan(count);
    const whole = await runScript('reconcile', ['--settle', SETTLE, '--online', 'all']);
    expect(whole.stdout).toMatch(new RegExp(`\nequal: ${left.length.toLocaleString('en-US')} records\n$`));
    expect(whole.code).toBe(0);

    const labels = items.filter((it) => it[LABEL] !== undefined);
    for (const item of labels) {
      const Key = { pk: { S: labelKey(item.customer_id?.S ?? '') } };
      const { Item } = await dynamodb.send(new GetItemCommand({ TableName, Key }));
      // A backfill may come after the application has deleted the item, or before.
      if (Item || left.some((it) => it.customer_id?.S === item.customer_id?.S)) {
        expect(Item?.label?.S).toBe(item[LABEL]?.N);
      }
    }
    await cloud.call('lambda', 'Invoke', { FunctionName: functionOf(cloud, 'retrain'), Payload: '{}' });
    const trained = async () => (await statusOf({ cloud }, group)).trainings.length;
    await expect.poll(trained, { timeout: 240_000, interval: 3_000 }).toBe(1);
    await cloud.call('lambda', 'Invoke', { FunctionName: functionOf(cloud, 'retrain'), Payload: '{}' });
    const status = JSON.parse((await runScript('status', ['--json'])).stdout);
    expect([status.trainings.length, status.inFlight, status.epoch]).toEqual([1, null, 2]);
    expect((await runScript('backfill', ['--status'])).stdout).toMatch(/: done at /);
    expect((await runScript('backfill', ['--resume'])).stderr).toContain('No backfill is under way');
  } finally {
    await cloud.close();
    await rm(dir, { recursive: true, force: true });
  }
}

const functionOf = (cloud: Cloud, name: string) =>
  (cloud.stack.outputs.RetrainingStateMachineArn ?? '').split(':').at(-1)?.replace('-retraining', `-${name}`) ?? '';

/** Writes items while the table has no stream. */
async function writeUnseen(dynamodb: DynamoDBClient, items: readonly Item[]): Promise<void> {
  const TableName = group.table;
  await dynamodb.send(new UpdateTableCommand({ TableName, StreamSpecification: { StreamEnabled: false } }));
  for (let at = 0; at < items.length; at += 25) {
    const puts = items.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }));
    await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: puts } }));
  }
  const StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' as const };
  await dynamodb.send(new UpdateTableCommand({ TableName, StreamSpecification }));
}

async function allItems(dynamodb: DynamoDBClient): Promise<Item[]> {
  const items: Item[] = [];
  let ExclusiveStartKey: ScanCommandOutput['LastEvaluatedKey'];
  do {
    const page: ScanCommandOutput = await dynamodb.send(
      new ScanCommand({ TableName: group.table, ConsistentRead: true, ExclusiveStartKey }),
    );
    items.push(...(page.Items ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return items;
}

/** Who has worked on the backfill last. */
export async function workerOf(dynamodb: DynamoDBClient, TableName: string): Promise<string> {
  const { Item } = await dynamodb.send(new GetItemCommand({ TableName, Key: { pk: { S: 'backfill' } } }));
  return Item?.owner?.S ?? '';
}

export function backfill(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** An application that changes, deletes and makes items until it is stopped. */
function writeOn(dynamodb: DynamoDBClient, items: readonly Item[], pauseMs: number) {
  let isOver = false;
  const done = (async () => {
    for (let turn = 0; !isOver; turn += 1) {
      const item = items[(turn * 37) % items.length] as Item;
      const { customer_id } = item;
      if (turn % 3 === 0) {
        await dynamodb.send(new DeleteItemCommand({ TableName: group.table, Key: { customer_id } as Item }));
      } else {
        const Item = { ...item, age: { N: String(18 + (turn % 60)) } };
        await dynamodb.send(new PutItemCommand({ TableName: group.table, Item }));
      }
      if (turn % BURST === 0) await sleep(pauseMs * BURST);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await done;
    },
  };
}
