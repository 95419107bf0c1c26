import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DeleteItemCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetRecordCommand, SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CloudOptions } from '../../infra/local/cloud.ts';
import shipments from '../fixtures/feature-groups/shipments.ts';
import { stackOf } from '../given/local/stacks.ts';

/** The local cloud, killed again and again while it is written to: what it has acknowledged is nowhere lost. */

const KILLS = 100;
const WRITERS = 8;
/** A cloud lives for up to this long under writes, in milliseconds: some die before a first delivery, some amid many. */
const LIFE_MS_MAX = 2_500;
/** Every third is killed within a second of its process's start: before it serves, as a rule, and so while it starts. */
const START_KILLED_EVERY = 3;
const START_MS_MAX = 1_000;
/** A writer deletes its shipment with every so many writes. */
const DELETED_EVERY = 7;

const PROCESS = fileURLToPath(new URL('../given/local/cloud-process.ts', import.meta.url));
const DEFINITION = fileURLToPath(new URL('../fixtures/feature-groups/shipments.ts', import.meta.url));
const OPTIONS = { featureGroup: DEFINITION, params: { changeLogBufferSeconds: 1 } };

let dir: string;
let cloud: ChildProcess;
let dynamodb: DynamoDBClient;
let featureStore: SageMakerFeatureStoreRuntimeClient;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-kills-'));
});
afterAll(async () => {
  await kill();
  await rm(dir, { recursive: true, force: true });
});

async function begin(): Promise<void> {
  const options = { ...OPTIONS, dir, port: 0, stack: await stackOf(OPTIONS) };
  cloud = fork(PROCESS, { execArgv: [] });
  cloud.send(options satisfies CloudOptions);
}

async function start(): Promise<void> {
  await begin();
  const [endpoint] = await Promise.race([once(cloud, 'message'), once(cloud, 'exit')]);
  expect(endpoint).toMatch(/^http:/);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const settings = { endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
  dynamodb = new DynamoDBClient(settings);
  featureStore = new SageMakerFeatureStoreRuntimeClient(settings);
}

async function kill(): Promise<void> {
  if (cloud.exitCode !== null || cloud.signalCode !== null) return;
  cloud.kill('SIGKILL');
  await once(cloud, 'exit');
}

/** What a writer knows of its shipment. Writes are numbered from 1; the one after the last acknowledged may be there too. */
interface Written {
  readonly id: string;
  tried: number;
  acknowledged: number[];
}

const isDelete = (write: number) => write % DELETED_EVERY === 0;

/** Writes a shipment again and again, until the cloud is dead. */
async function write(written: Written): Promise<void> {
  for (;;) {
    const number = ++written.tried;
    const key = { shipment_id: { S: written.id } };
    const features = { pieces: { N: String(number) }, weight_kg: { N: '1.5' }, carrier: { S: 'rail' } };
    const TableName = shipments.table;
    const command = isDelete(number)
      ? new DeleteItemCommand({ TableName, Key: key })
      : new PutItemCommand({ TableName, Item: { ...key, ...features } });
    try {
      await dynamodb.send(command as PutItemCommand);
    } catch {
      return;
    }
    written.acknowledged.push(number);
  }
}

/** Pieces of a shipment in the table; undefined when it is not there. */
async function inTable(id: string): Promise<string | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: shipments.table, Key: { shipment_id: { S: id } }, ConsistentRead: true }),
  );
  return Item?.pieces?.N;
}

async function inOnlineStore(id: string): Promise<string | undefined> {
  const { Record = [] } = await featureStore.send(
    new GetRecordCommand({ FeatureGroupName: shipments.name, RecordIdentifierValueAsString: id }),
  );
  return Record.find((it) => it.FeatureName === 'pieces')?.ValueAsString;
}

/** Rows of the change log, each sequence number once: what happened to which shipment, and its pieces. */
async function changeLog() {
  const files = await readdir(join(dir, 's3'), { recursive: true, withFileTypes: true });
  const rows = new Map<string, { event: string; id: string; pieces: string }>();
  for (const file of files.filter((it) => it.isFile() && it.parentPath.includes('/change-log/'))) {
    for (const line of (await readFile(join(file.parentPath, file.name), 'utf8')).split('\n')) {
      const [sequenceNumber = '', event = '', , , id = '', , pieces = ''] = line.split(',');
      rows.set(sequenceNumber, { event, id, pieces });
    }
  }
  return [...rows.values()];
}

test(`nothing that was acknowledged is lost by ${KILLS} kills`, async () => {
  const all = Array.from({ length: WRITERS }, (_, n): Written => ({ id: `s-${n}`, tried: 0, acknowledged: [] }));
  for (let round = 0; round < KILLS; round += 1) {
    if (round % START_KILLED_EVERY === 0) {
      await begin();
      await sleep(Math.random() * START_MS_MAX);
      await kill();
      continue;
    }
    await start();
    const writers = all.map(write);
    await sleep(Math.random() * LIFE_MS_MAX);
    await kill();
    await Promise.all(writers);
  }
  const acknowledged = all.reduce((sum, it) => sum + it.acknowledged.length, 0);
  console.log(`${KILLS} kills, ${acknowledged} writes acknowledged`);
  expect(acknowledged).toBeGreaterThan(KILLS);

  await start();
  for (const { id, tried, acknowledged } of all) {
    const stateAfter = (number: number) => (number === 0 || isDelete(number) ? undefined : String(number));
    const pieces = await inTable(id);
    // Writes that were never answered may have been made, each after all that were acknowledged before it.
    const last = acknowledged.at(-1) ?? 0;
    const possible = Array.from({ length: tried - last + 1 }, (_, n) => stateAfter(last + n));
    expect(possible, id).toContain(pieces);
    await expect.poll(() => inOnlineStore(id), { interval: 200, message: `${id} online` }).toBe(pieces);
  }
  await expect
    .poll(
      async () => {
        const rows = await changeLog();
        return all.flatMap(({ id, acknowledged }) => {
          const ofShipment = rows.filter((row) => row.id === id);
          const put = new Set(ofShipment.filter(({ event }) => event !== 'REMOVE').map((row) => row.pieces));
          const removed = ofShipment.filter(({ event }) => event === 'REMOVE').length;
          const lost = acknowledged.filter((number) => !isDelete(number) && !put.has(String(number)));
          return removed < acknowledged.filter(isDelete).length ? [...lost, `removals of ${id}`] : lost;
        });
      },
      { interval: 1_000, message: 'writes missing in the change log' },
    )
    .toEqual([]);
});
