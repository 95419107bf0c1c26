import type { RunResult } from '../simulate.ts';
import { SimulationThread } from '../workers.ts';
import { BACKFILL_MUTANTS } from './backfill-mutants.ts';
import { failsByUnitTests } from './mutant-unit-run.ts';
import type { Mutant } from './mutants.ts';

/** Seeds a mutant may live through before it counts as not caught. */
const MUTANT_SEEDS_MAX = 600;
/** A seed takes a second: a mutant that runs for this long, in milliseconds, turns in a circle. */
const ENDLESS_MS = 60_000;
/** Changes of each of these seeds. */
const MUTANT_CHANGES = 400;

export interface MutantRun {
  readonly mutant: string;
  /** The invariant, or the file of unit tests, that caught it; undefined when none did. */
  readonly caughtBy: string | undefined;
  readonly seed: number;
  readonly steps: number;
}

/** Runs a mutant on one seed after the other until an invariant breaks, or by the unit tests that it names. */
export async function runMutant(mutant: Mutant, firstSeed = 1): Promise<MutantRun> {
  if (mutant.unit !== undefined) {
    const caughtBy = (await failsByUnitTests(mutant, mutant.unit)) ? mutant.unit : undefined;
    return { mutant: mutant.name, caughtBy, seed: 0, steps: 0 };
  }
  const run = runOf(mutant);
  const thread = new SimulationThread(mutant);
  try {
    let steps = 0;
    for (let seed = firstSeed; seed < firstSeed + MUTANT_SEEDS_MAX; seed += 1) {
      const result = await withinTime(run(thread, seed));
      if (!result) return { mutant: mutant.name, caughtBy: 'every invocation comes to an end', seed, steps };
      steps += result.steps;
      if (!result.violation) continue;
      await holdsWithout(seed, mutant);
      return { mutant: mutant.name, caughtBy: result.violation.invariant, seed, steps };
    }
    return { mutant: mutant.name, caughtBy: undefined, seed: MUTANT_SEEDS_MAX, steps };
  } finally {
    await thread.close();
  }
}

let unmutated: SimulationThread | undefined;

/** @throws Error when the code itself breaks on a seed: then the mutant is not what was caught there. */
async function holdsWithout(seed: number, mutant: Mutant): Promise<void> {
  unmutated ??= new SimulationThread();
  const { violation } = await runOf(mutant)(unmutated, seed);
  if (!violation) return;
  throw new Error(
    `Seed ${seed} with ${MUTANT_CHANGES} changes breaks "${violation.invariant}" without any mutant: mend that first.`,
  );
}

type Seed = Pick<RunResult, 'steps'> & { readonly violation: { readonly invariant: string } | undefined };

/** How a seed of the world is run that the mutant belongs to. */
function runOf(mutant: Mutant): (thread: SimulationThread, seed: number) => Promise<Seed> {
  const changes = MUTANT_CHANGES;
  return BACKFILL_MUTANTS.includes(mutant)
    ? (thread, seed) => thread.runBackfill({ seed, changes })
    : (thread, seed) => thread.run({ seed, changes, sql: mutant.sql === true });
}

/** @returns undefined when it took too long. */
async function withinTime(run: Promise<Seed>): Promise<Seed | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const endless = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ENDLESS_MS);
  });
  return Promise.race([run, endless]).finally(() => clearTimeout(timer));
}
