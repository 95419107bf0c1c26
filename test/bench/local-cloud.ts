import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { generateCustomers } from '../../infra/demo/customers/customers.ts';
import { itemOf } from '../../infra/demo/customers/item.ts';
import { percentile } from '../../infra/demo/findings/percentile.ts';
import type { CloudOptions } from '../../infra/local/cloud.ts';
import { stackNames } from '../../infra/local/stack/names.ts';
import { newCommand, runCommand } from '../../infra/terminal/command.ts';
import { progressTo } from '../../infra/terminal/progress.ts';
import group from '../../shared/feature-groups/bank-marketing.ts';
import type { Usage } from '../given/local/cloud-process.ts';
import { stackOf } from '../given/local/stacks.ts';

/** Changes of a run: 145,000 in all, by each of the ways in which an application writes. */
const PUTS = 20_000;
const BATCH_ITEMS = 100_000;
const UPDATES = 25_000;
const QUICK_SHARE = 0.1;

const PUT_CONNECTIONS = 16;
const BATCH_CONNECTIONS = 4;
/** Most items of a BatchWriteItem. */
const ITEMS_PER_BATCH = 25;

/** Single writes whose way to the online store is watched, milliseconds between them, and between two looks. */
const WATCHED = 60;
const WATCHED_EVERY_MS = 250;
const LOOK_MS = 10;

/** Milliseconds between two looks at the cloud's memory, and at a change that is awaited. */
const MEMORY_MS = 500;
const AWAIT_MS = 20;

/** As `npm run local` starts it. */
const COMPILE_CACHE = fileURLToPath(new URL('../../infra/terminal/compile-cache.cjs', import.meta.url));
const FLAGS = [`--require=${COMPILE_CACHE}`, '--max-semi-space-size=4', '--heap-growing-percent=30'];

const CLOUD = fileURLToPath(new URL('../given/local/cloud-process.ts', import.meta.url));
const OPTIONS = {
  featureGroup: group.name,
  params: { changeLogBufferSeconds: 1, labelsWindowSeconds: 1, endpointPollSeconds: 1, labelsThreshold: 1_000_000 },
};

export const command = newCommand(
  'local-cloud',
  'Measures the local cloud: writes a second, from the first write until the last is online, its lag and its memory.',
  'node test/bench/local-cloud.ts',
)
  .option('--quick', 'a tenth of the changes')
  .action(bench);

const progress = progressTo(process.stderr);

/** A cloud in a process of its own, and calls of it: unsigned and by plain HTTP, so that the caller costs little. */
interface Running {
  readonly process: ChildProcess;
  readonly table: string;
  call(target: string, path: string, body: string): Promise<string>;
}

async function bench({ quick }: { readonly quick?: boolean | undefined }): Promise<void> {
  const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}`;
  process.stdout.write(`${new Date().toISOString().slice(0, 10)}, ${machine}\n`);
  const dir = await mkdtemp(join(tmpdir(), 'tributary-bench-'));
  const cloud = await start(dir);
  const memory = watchMemory(cloud);
  const share = quick ? QUICK_SHARE : 1;
  try {
    const rows = {
      ...(await measure('PutItem, 16 connections', cloud, PUTS * share, putAll)),
      ...(await measure('BatchWriteItem of 25, 4 connections', cloud, BATCH_ITEMS * share, batchAll)),
      ...(await measure('UpdateItem, 16 connections', cloud, UPDATES * share, updateAll)),
    };
    console.table(rows);
    console.table(await memory.stop());
    console.table(await lag(cloud));
  } finally {
    progress.close();
    const exited = once(cloud.process, 'exit');
    cloud.process.kill();
    await exited;
    await rm(dir, { recursive: true, force: true });
  }
}

async function start(dir: string): Promise<Running> {
  const stack = await stackOf(OPTIONS);
  const child = fork(CLOUD, { execArgv: FLAGS });
  child.send({ ...OPTIONS, dir, port: 0, stack } satisfies CloudOptions);
  const [endpoint] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  const { hostname, port } = new URL(String(endpoint));
  const agent = new Agent({ keepAlive: true });
  const call = (target: string, path: string, body: string) =>
    new Promise<string>((resolve, reject) => {
      const headers = { 'content-type': 'application/x-amz-json-1.0', ...(target && { 'x-amz-target': target }) };
      request({ hostname, port, path, method: 'POST', agent, headers }, async (response) => {
        const text = (await response.setEncoding('utf8').toArray()).join('');
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(text));
      })
        .on('error', reject)
        .end(body);
    });
  return { process: child, table: stackNames(stack).sourceTable, call };
}

type WriteAll = (cloud: Running, count: number) => Promise<void>;

/** Writes answered a second, and until what was written last is online; CPU of the cloud for all that. */
async function measure(name: string, cloud: Running, count: number, writeAll: WriteAll) {
  progress.step(name);
  const before = await usageOf(cloud.process);
  const began = performance.now();
  await writeAll(cloud, count);
  const answered = (performance.now() - began) / 1_000;
  await online(cloud, await writeMarker(cloud), AWAIT_MS);
  const seen = (performance.now() - began) / 1_000;
  const cpuMs = (await usageOf(cloud.process)).cpuMs - before.cpuMs;
  progress.done(`${Math.round(count / seen)} a second`);
  const rates = { 'answered/s': Math.round(count / answered), 'online/s': Math.round(count / seen) };
  return { [name]: { changes: count, ...rates, 'CPU, ms a change': Number((cpuMs / count).toPrecision(2)) } };
}

let markers = 0;

/** The table's stream has one shard: a change that is written last is handled last. */
async function writeMarker(cloud: Running): Promise<string> {
  const id = `marker-${++markers}`;
  await dynamodb(cloud, 'PutItem', { Item: { ...customers[0], ...keyOf(id) } });
  return id;
}

/** Waits until a record is online. */
async function online({ call }: Running, id: string, everyMs: number): Promise<void> {
  const identifiers = { FeatureGroupName: group.name, RecordIdentifiersValueAsString: [id] };
  const body = JSON.stringify({ Identifiers: [{ ...identifiers, FeatureNames: [group.recordIdentifier.name] }] });
  while (!(await call('', '/BatchGetRecord', body)).includes(`"${id}"`)) await sleep(everyMs);
}

const customers = generateCustomers(1_000, 1).map((it) => itemOf(it, group));
const keyOf = (id: string) => ({ [group.recordIdentifier.attributes[0] ?? '']: { S: id } });
const itemAt = (n: number, prefix: string) => ({ ...customers[n % customers.length], ...keyOf(`${prefix}-${n}`) });
const dynamodb = ({ call, table }: Running, operation: string, input: object) =>
  call(`DynamoDB_20120810.${operation}`, '/', JSON.stringify({ TableName: table, ...input }));

/** Calls `write` with each number below `count`, so many at a time. */
async function concurrently(connections: number, count: number, write: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const writer = async () => {
    while (next < count) await write(next++);
  };
  await Promise.all(Array.from({ length: connections }, writer));
}

const putAll: WriteAll = (cloud, count) =>
  concurrently(PUT_CONNECTIONS, count, (n) => dynamodb(cloud, 'PutItem', { Item: itemAt(n, 'put') }));

const updateAll: WriteAll = (cloud, count) =>
  concurrently(PUT_CONNECTIONS, count, (n) =>
    dynamodb(cloud, 'UpdateItem', {
      Key: keyOf(`batch-${n % (count / 2)}`),
      UpdateExpression: 'SET #d = :d',
      ExpressionAttributeNames: { '#d': 'duration' },
      ExpressionAttributeValues: { ':d': { N: String(10_000 + n) } },
    }),
  );

const batchAll: WriteAll = ({ call, table }, count) =>
  concurrently(BATCH_CONNECTIONS, count / ITEMS_PER_BATCH, async (n) => {
    const requests = Array.from({ length: ITEMS_PER_BATCH }, (_, at) => ({
      PutRequest: { Item: itemAt(n * ITEMS_PER_BATCH + at, 'batch') },
    }));
    await call('DynamoDB_20120810.BatchWriteItem', '/', JSON.stringify({ RequestItems: { [table]: requests } }));
  });

/** Time from a write's answer until a reader of the online store sees it, by writes far apart. */
async function lag(cloud: Running) {
  progress.step('Lag');
  const lags: number[] = [];
  for (let n = 0; n < WATCHED; n += 1) {
    const id = await writeMarker(cloud);
    const began = performance.now();
    await online(cloud, id, LOOK_MS);
    lags.push(performance.now() - began);
    await sleep(WATCHED_EVERY_MS * Math.random());
  }
  progress.done('measured');
  const at = (share: number) => Math.round(percentile(lags, share) ?? Number.NaN);
  return { 'lag of a single write, ms': { p50: at(0.5), p90: at(0.9), p99: at(0.99) } };
}

/** Watches the resident memory of a cloud until stopped: the most there was in each third of the time, and at last. */
function watchMemory({ process }: Running) {
  const seen: number[] = [];
  const look = async () => seen.push(Math.round((await usageOf(process)).residentMb));
  const timer = setInterval(look, MEMORY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await look();
      const third = Math.ceil(seen.length / 3);
      const most = (from: number) => Math.max(...seen.slice(from, from + third));
      const thirds = { 'first third': most(0), 'second third': most(third), 'last third': most(2 * third) };
      return { 'resident memory at most, MB': { ...thirds, 'in the end': seen.at(-1) } };
    },
  };
}

async function usageOf(process: ChildProcess): Promise<Usage> {
  process.send('usage');
  const [usage] = await once(process, 'message');
  return usage;
}

if (import.meta.main) await runCommand(command);
