import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { newCommand, runCommand } from '../../infra/terminal/command.ts';
import { progressTo } from '../../infra/terminal/progress.ts';
import type { DynamoDbProcess } from '../given/local/dynamodb-process.ts';
import { boto3 } from '../given/suites/boto3.ts';
import { conformance, TIERS } from '../given/suites/conformance.ts';
import { electroDb } from '../given/suites/electrodb.ts';
import { oneTable } from '../given/suites/onetable.ts';
import type { Suite, Tested } from '../given/suites/peers-suite.ts';
import { CONTESTANTS, type Contestant } from './contestants/dynamodbs.ts';
import { batchAll, callerOf, createTable, putAll, type WriteAll } from './measure/load.ts';
import { measure, startCloudProcess } from './measure/running-cloud.ts';

/** Items of a row of speed, and of those written before it: a program is slow at first. */
const PUTS = 4_000;
const BATCH_ITEMS = 10_000;
const WARM_UP_ITEMS = 500;
/** Times as many are written until the last is online, which takes the batching window of a second. */
const ONLINE_TIMES = 5;
const QUICK_SHARE = 0.1;

const SUITES: Readonly<Record<string, Suite>> = { conformance, electrodb: electroDb, onetable: oneTable, boto3 };
const SPEED = 'speed';
const PARTS = [...Object.keys(SUITES), SPEED];
const WRITES: readonly [string, WriteAll, number][] = [
  ['PutItem, 16 connections', putAll, PUTS],
  ['BatchWriteItem of 25, 4 connections', batchAll, BATCH_ITEMS],
];

/** Ticks of a process's CPU time a second, as Linux shows them in /proc. */
const TICKS_PER_SECOND = 100;

export const command = newCommand(
  'dynamodb-side-by-side',
  'Holds the local cloud, DynamoDB Local and dynoxide to the same suites and loads, and prints one table.',
  'node test/bench/dynamodb-side-by-side.ts',
)
  .option('--only <PARTS>', `some of ${PARTS.join(', ')}, with commas between; without it, all`, partsOf)
  .option('--suites <DIR>', 'folder of clones of the suites, in place of GitHub')
  .option('--cache <DIR>', 'folder the others are installed in', join(tmpdir(), 'tributary-side-by-side'))
  .option('--quick', 'a tenth of the writes')
  .action(sideBySide);

interface Options {
  readonly only?: readonly string[] | undefined;
  readonly suites?: string | undefined;
  readonly cache: string;
  readonly quick?: boolean | undefined;
}

/** Cells by row, then by contestant. */
type Table = Record<string, Record<string, string | number>>;

type Started = Pick<DynamoDbProcess, 'endpoint' | 'pid'>;

const progress = progressTo(process.stderr);

function partsOf(text: string): string[] {
  const parts = text.split(',');
  const unknown = parts.find((it) => !PARTS.includes(it));
  if (unknown === undefined) return parts;
  throw new Error(`--only: found "${unknown}", expected some of ${PARTS.join(', ')}.`);
}

async function sideBySide({ only = PARTS, suites, cache: folder, quick }: Options): Promise<void> {
  const cache = resolve(folder);
  const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}`;
  process.stdout.write(`${new Date().toISOString().slice(0, 10)}, ${machine}\n`);
  const contestants = await prepared(cache);
  const table: Table = {};
  const failures: string[] = [];
  for (const part of only) {
    const suite = SUITES[part];
    if (suite) await runSuite(suite, suites, contestants, cache, { table, failures });
  }
  if (only.includes(SPEED)) await runLoads(contestants, cache, quick ? QUICK_SHARE : 1, table);
  progress.close();
  console.table(table);
  process.stdout.write(failures.map((it) => `${it}\n`).join(''));
}

/** The contestants that can be run here; it is said why one cannot. */
async function prepared(cache: string): Promise<readonly Contestant[]> {
  const missing = await Promise.all(CONTESTANTS.map((it) => it.prepare(cache)));
  for (const [at, reason] of missing.entries()) {
    if (reason !== undefined) process.stdout.write(`SKIPPED: ${CONTESTANTS[at]?.name}: ${reason}\n`);
  }
  return CONTESTANTS.filter((_, at) => missing[at] === undefined);
}

async function runSuite(
  suite: Suite,
  from: string | undefined,
  contestants: readonly Contestant[],
  cache: string,
  { table, failures }: { table: Table; failures: string[] },
): Promise<void> {
  progress.step(`${suite.name}: getting it`);
  const own = await suite.prepare(from);
  try {
    if (own.missing !== undefined) process.stdout.write(`SKIPPED: ${suite.name}: ${own.missing}\n`);
    for (const contestant of own.missing === undefined ? contestants : []) {
      progress.step(`${suite.name}: ${contestant.name}`);
      const isOnDisk = contestant.isAlwaysOnDisk ?? false;
      const tested = await running(contestant, cache, isOnDisk, ({ endpoint }) => own.run(endpoint));
      progress.done(passedOf(tested));
      cell(table, suite.name, contestant.name, passedOf(tested));
      for (const [at, tier] of suite === conformance ? TIERS.entries() : []) {
        const ofTier = tested.filter(({ name }) => tier.test(name));
        cell(table, `${suite.name}, tier ${at + 1}`, contestant.name, passedOf(ofTier));
      }
      const failed = tested.filter((it) => it.problem !== undefined);
      failures.push(...failed.map((it) => `${contestant.name}: ${suite.name}: ${it.name}: ${it.problem}`));
    }
  } finally {
    await own.remove();
  }
}

function cell(table: Table, row: string, contestant: string, value: string | number): void {
  table[row] = { ...table[row], [contestant]: value };
}

function passedOf(tested: readonly Tested[]): string {
  return `${tested.filter((it) => it.problem === undefined).length} of ${tested.length}`;
}

/** What a run says of a contestant that is started for it alone, on disk or in memory. */
async function running<T>(
  contestant: Contestant,
  cache: string,
  isOnDisk: boolean,
  run: (started: Started) => Promise<T>,
): Promise<T> {
  return inFolder(async (dir) => {
    const started = await contestant.start(cache, isOnDisk ? dir : undefined);
    try {
      return await run(started);
    } finally {
      await started.close();
    }
  });
}

async function inFolder<T>(run: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'side-by-side-'));
  try {
    return await run(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Items answered a second, by a table whose stream nothing reads; then the local cloud's own feature store. */
async function runLoads(contestants: readonly Contestant[], cache: string, share: number, table: Table): Promise<void> {
  for (const isOnDisk of [true, false]) {
    for (const contestant of contestants) {
      if (isOnDisk || !contestant.isAlwaysOnDisk) {
        await running(contestant, cache, isOnDisk, (it) => load(contestant.name, it, { isOnDisk, share, table }));
      }
    }
  }
  await inFolder(async (dir) => {
    const cloud = await startCloudProcess(dir);
    try {
      for (const [name, writeAll, count] of WRITES) {
        const row = `${name}: online a second`;
        progress.step(row);
        const { 'online/s': online } = await measure(cloud, ONLINE_TIMES * count * share, writeAll);
        for (const contestant of contestants) {
          cell(table, row, contestant.name, contestant.isAlwaysOnDisk ? online : 'no feature store');
        }
        progress.done(String(online));
      }
    } finally {
      await cloud.close();
    }
  });
}

async function load(
  contestant: string,
  { endpoint, pid }: Started,
  { isOnDisk, share, table }: { isOnDisk: boolean; share: number; table: Table },
): Promise<void> {
  const target = { table: 'side-by-side', call: callerOf(endpoint) };
  await createTable(target);
  await putAll(target, WARM_UP_ITEMS);
  for (const [name, writeAll, count] of WRITES) {
    const row = `${name}, ${isOnDisk ? 'on disk' : 'in memory'}`;
    progress.step(`${row}: ${contestant}`);
    const items = count * share;
    const cpuBefore = cpuMsOf(pid);
    const began = performance.now();
    await writeAll(target, items);
    const answered = Math.round(items / ((performance.now() - began) / 1_000));
    cell(table, `${row}: answered a second`, contestant, answered);
    cell(table, `${row}: CPU, ms an item`, contestant, Number(((cpuMsOf(pid) - cpuBefore) / items).toPrecision(2)));
    progress.done(`${answered} a second`);
  }
}

/** CPU time of a process so far, all threads, user and system; not a number where there is no /proc. */
function cpuMsOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Its second field is the program's name in brackets, which may hold spaces; user and system time are 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1_000;
  } catch {
    return Number.NaN;
  }
}

if (import.meta.main) await runCommand(command);
