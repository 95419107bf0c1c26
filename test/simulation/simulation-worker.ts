import { registerHooks } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { BackfillResult } from './backfill/simulate-backfill.ts';
import type { Mutant } from './mutants/mutants.ts';
import type { RunResult, Telling } from './simulate.ts';

/** One thread of simulation: runs the seeds it is told, on the product's code or on a mutant of it. */
export interface WorkerOrder {
  readonly seed: number;
  readonly changes: number;
  readonly telling?: Telling;
  /** Whether the real SQL is run on what the seed leaves in the change log. */
  readonly sql?: boolean;
  /** Whether it is a world of a backfill. */
  readonly backfill?: boolean;
}
export type WorkerAnswer = { readonly result: RunResult | BackfillResult } | { readonly error: string };

const { mutant } = workerData as { mutant?: Mutant };
if (mutant) mutateAtLoad(mutant);
const { simulate } = await import('./simulate.ts');
const { simulateBackfill } = await import('./backfill/simulate-backfill.ts');

parentPort?.on('message', async ({ seed, changes, backfill, ...options }: WorkerOrder) => {
  try {
    const result = backfill ? await simulateBackfill(seed, changes) : await simulate(seed, changes, options);
    parentPort?.postMessage({ result } satisfies WorkerAnswer);
  } catch (error) {
    // What is thrown, and is no violation, is a fault of the simulation, or of a mutant too broken to run.
    parentPort?.postMessage({ error: (error as Error).stack ?? String(error) } satisfies WorkerAnswer);
  }
});

/** Changes one place of one source file when it is loaded. A place that is not there, or twice, is an error. */
function mutateAtLoad({ name, file, find, replace }: Mutant): void {
  const url = new URL(`../../${file}`, import.meta.url).href;
  registerHooks({
    load(loaded, context, nextLoad) {
      const result = nextLoad(loaded, context);
      if (loaded !== url) return result;
      const source = String(result.source);
      const places = source.split(find).length - 1;
      if (places !== 1) throw new Error(`mutant "${name}": its place occurs ${places} times in ${file}, expected once`);
      return { ...result, source: source.replace(find, () => replace) };
    },
  });
}
