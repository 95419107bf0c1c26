import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { CloudOptions } from '../../../infra/local/cloud.ts';
import { stackNames } from '../../../infra/local/stack/names.ts';
import group from '../../../shared/feature-groups/bank-marketing.ts';
import type { Usage } from '../../given/local/cloud-process.ts';
import { stackOf } from '../../given/local/stacks.ts';
import { callerOf, putOne, type Target, type WriteAll } from './load.ts';

/** As `npm run local` starts it. */
const COMPILE_CACHE = fileURLToPath(new URL('../../../infra/terminal/compile-cache.cjs', import.meta.url));
const FLAGS = [`--require=${COMPILE_CACHE}`, '--max-semi-space-size=8', '--heap-growing-percent=30'];

const CLOUD = fileURLToPath(new URL('../../given/local/cloud-process.ts', import.meta.url));
const OPTIONS = {
  featureGroup: group.name,
  params: { changeLogBufferSeconds: 1, labelsWindowSeconds: 1, endpointPollSeconds: 1, labelsThreshold: 1_000_000 },
};

/** Milliseconds between two looks at a change that is awaited. */
const AWAIT_MS = 20;

/** A cloud in a process of its own, and the table of its stack. */
export interface RunningCloud extends Target {
  readonly endpoint: string;
  readonly process: ChildProcess;
  close(): Promise<void>;
}

export async function startCloudProcess(dir: string): Promise<RunningCloud> {
  const stack = await stackOf(OPTIONS);
  const child = fork(CLOUD, { execArgv: FLAGS });
  child.send({ ...OPTIONS, dir, port: 0, stack } satisfies CloudOptions);
  const [first] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  const endpoint = String(first);
  return {
    process: child,
    endpoint,
    table: stackNames(stack).sourceTable,
    call: callerOf(endpoint),
    async close() {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}

/** Writes answered a second, and until what was written last is online; CPU of the cloud for all that. */
export async function measure(cloud: RunningCloud, count: number, writeAll: WriteAll) {
  const before = await usageOf(cloud);
  const began = performance.now();
  await writeAll(cloud, count);
  const answered = (performance.now() - began) / 1_000;
  await online(cloud, await writeMarker(cloud), AWAIT_MS);
  const seen = (performance.now() - began) / 1_000;
  const cpuMs = (await usageOf(cloud)).cpuMs - before.cpuMs;
  const rates = { 'answered/s': Math.round(count / answered), 'online/s': Math.round(count / seen) };
  return { changes: count, ...rates, 'CPU, ms a change': Number((cpuMs / count).toPrecision(2)) };
}

let markers = 0;

/** The table's stream has one shard: a change that is written last is handled last. @returns its record's id. */
export async function writeMarker(cloud: RunningCloud): Promise<string> {
  const id = `marker-${++markers}`;
  await putOne(cloud, id);
  return id;
}

/** Waits until a record is online. */
export async function online({ call }: RunningCloud, id: string, everyMs: number): Promise<void> {
  const identifiers = { FeatureGroupName: group.name, RecordIdentifiersValueAsString: [id] };
  const body = JSON.stringify({ Identifiers: [{ ...identifiers, FeatureNames: [group.recordIdentifier.name] }] });
  while (!(await call('', '/BatchGetRecord', body)).includes(`"${id}"`)) await sleep(everyMs);
}

export async function usageOf({ process }: RunningCloud): Promise<Usage> {
  process.send('usage');
  const [usage] = await once(process, 'message');
  return usage;
}
