import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import {
  paginateListRecords,
  SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateCustomers } from '../../infra/demo/customers/customers.ts';
import { itemOf } from '../../infra/demo/customers/item.ts';
import { type Cloud, startCloud } from '../../infra/local/cloud.ts';
import { labelOf } from '../../shared/definition/feature-group.ts';
import group from '../../shared/feature-groups/bank-marketing.ts';
import { itemLine } from '../given/history/exports.ts';
import type { FileWork } from '../given/history/file-worker.ts';
import { reachCloud } from '../given/local/reached.ts';

const ROWS = 60_000;
const LABELED_EVERY = 10;
const KILLS = 100;
/** A worker lives for up to this long once it has begun, in milliseconds, and pauses for so long after each chunk. */
const LIFE_MS_MAX = 600;
const PAUSE_MS = 300;

const WORKER = fileURLToPath(new URL('../given/history/file-worker.ts', import.meta.url));

let dir: string;
let cloud: Cloud;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-backfill-kills-'));
  cloud = await startCloud({ dir: join(dir, 'cloud'), port: 0, featureGroup: group.name, params: {} });
  reachCloud(cloud);
});
afterAll(async () => {
  await cloud?.close();
  await rm(dir, { recursive: true, force: true });
});

/** Bytes of all objects of the change log in a folder, in the order of their names. */
async function rowsOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((it) => it.isFile() && /\.csv$/.test(it.name));
  const sorted = files.sort((one, other) => (one.name < other.name ? -1 : 1));
  const texts = await Promise.all(sorted.map(({ parentPath, name }) => readFile(join(parentPath, name), 'utf8')));
  return texts.join('');
}

test(`a file of a backfill whose worker is killed ${KILLS} times ends in the bytes of one that never is`, async () => {
  const label = labelOf(group).attribute;
  const lines = generateCustomers(ROWS, 5).map((customer, index) =>
    itemLine({ ...itemOf(customer, group), ...(index % LABELED_EVERY === 0 && { [label]: { N: '1' } }) }),
  );
  const key = 'items.json.gz';
  await writeFile(join(dir, key), gzipSync(lines.map((line) => `${line}\n`).join('')));
  const numbers = { exportNumber: 0, fileNumber: 0, eventTimeMs: Date.now() - 3_600_000, items: ROWS };
  const file = { key, name: key, form: 'full' as const, ...numbers };
  const begin = (runId: string, pauseMs: number) => {
    const work: FileWork = {
      ...{ runId, file, pauseMs, from: dir, to: join(dir, runId) },
      stateTable: cloud.stack.outputs.StateTableName ?? '',
    };
    return fork(WORKER, [JSON.stringify(work)], { execArgv: [] });
  };
  for (let kill = 0; kill < KILLS; kill += 1) {
    const worker = begin('killed', PAUSE_MS);
    await once(worker, 'message');
    await sleep(Math.random() * LIFE_MS_MAX);
    expect(worker.exitCode, `after ${kill} kills`).toBeNull();
    worker.kill('SIGKILL');
    await once(worker, 'exit');
  }
  for (const runId of ['killed', 'whole']) expect((await once(begin(runId, 0), 'exit'))[0]).toBe(0);

  const whole = await rowsOf(join(dir, 'whole'));
  expect(whole.split('\n')).toHaveLength(ROWS + 1);
  expect((await rowsOf(join(dir, 'killed'))) === whole).toBe(true);

  const online = new Set<string>();
  const client = new SageMakerFeatureStoreRuntimeClient();
  for await (const { RecordIdentifiers = [] } of paginateListRecords({ client }, { FeatureGroupName: group.name })) {
    for (const id of RecordIdentifiers) online.add(id);
  }
  expect(online.size).toBe(ROWS);
  let labels = 0;
  const scan = { TableName: cloud.stack.outputs.StateTableName ?? '', ProjectionExpression: 'pk' };
  for await (const { Items = [] } of paginateScan({ client: new DynamoDBClient() }, scan)) {
    labels += Items.filter(({ pk }) => pk?.S?.startsWith('label#')).length;
  }
  expect(labels).toBe(ROWS / LABELED_EVERY);
});
