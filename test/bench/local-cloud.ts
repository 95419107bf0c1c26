import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../../infra/demo/findings/percentile.ts';
import { newCommand, runCommand } from '../../infra/terminal/command.ts';
import { progressTo } from '../../infra/terminal/progress.ts';
import { batchAll, putAll, updateAll, type WriteAll } from './measure/load.ts';
import {
  measure,
  online,
  type RunningCloud,
  startCloudProcess,
  usageOf,
  writeMarker,
} from './measure/running-cloud.ts';

/** Changes of a run: 145,000 in all, by each of the ways in which an application writes. */
const PUTS = 20_000;
const BATCH_ITEMS = 100_000;
const UPDATES = 25_000;
const QUICK_SHARE = 0.1;

/** Single writes whose way to the online store is watched, milliseconds between them, and between two looks. */
const WATCHED = 60;
const WATCHED_EVERY_MS = 250;
const LOOK_MS = 10;

/** Milliseconds between two looks at the cloud's memory. */
const MEMORY_MS = 500;

export const command = newCommand(
  'local-cloud',
  'Measures the local cloud: writes a second, from the first write until the last is online, its lag and its memory.',
  'node test/bench/local-cloud.ts',
)
  .option('--quick', 'a tenth of the changes')
  .action(bench);

const progress = progressTo(process.stderr);

async function bench({ quick }: { readonly quick?: boolean | undefined }): Promise<void> {
  const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}`;
  process.stdout.write(`${new Date().toISOString().slice(0, 10)}, ${machine}\n`);
  const dir = await mkdtemp(join(tmpdir(), 'tributary-bench-'));
  const cloud = await startCloudProcess(dir);
  const memory = watchMemory(cloud);
  const share = quick ? QUICK_SHARE : 1;
  try {
    const rows: [string, number, WriteAll][] = [
      ['PutItem, 16 connections', PUTS, putAll],
      ['BatchWriteItem of 25, 4 connections', BATCH_ITEMS, batchAll],
      ['UpdateItem, 16 connections', UPDATES, updateAll],
    ];
    const measured: Record<string, object> = {};
    for (const [name, count, writeAll] of rows) {
      progress.step(name);
      const row = await measure(cloud, count * share, writeAll);
      progress.done(`${row['online/s']} a second`);
      measured[name] = row;
    }
    console.table(measured);
    console.table(await memory.stop());
    console.table(await lag(cloud));
  } finally {
    progress.close();
    await cloud.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Time from a write's answer until a reader of the online store sees it, by writes far apart. */
async function lag(cloud: RunningCloud) {
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
function watchMemory(cloud: RunningCloud) {
  const seen: number[] = [];
  const look = async () => seen.push(Math.round((await usageOf(cloud)).residentMb));
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

if (import.meta.main) await runCommand(command);
