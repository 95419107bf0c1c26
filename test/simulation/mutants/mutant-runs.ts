import type { RunResult } from '../simulate.ts';
import { SimulationThread } from '../workers.ts';
import type { Mutant } from './mutants.ts';

/** Seeds a mutant may live through before it counts as not caught. */
const MUTANT_SEEDS_MAX = 600;
/** A seed takes a second: a mutant that runs for this long, in milliseconds, turns in a circle. */
const ENDLESS_MS = 60_000;
/** Changes of each of these seeds. */
const MUTANT_CHANGES = 400;

export interface MutantRun {
  readonly mutant: string;
  /** The invariant that caught it; undefined when none did. */
  readonly caughtBy: string | undefined;
  readonly seed: number;
  readonly steps: number;
}

/** Runs a mutant on one seed after the other until an invariant breaks. */
export async function runMutant(mutant: Mutant, seedsMax = MUTANT_SEEDS_MAX): Promise<MutantRun> {
  const thread = new SimulationThread(mutant);
  try {
    let steps = 0;
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const result = await withinTime(thread.run({ seed, changes: MUTANT_CHANGES, sql: mutant.sql === true }));
      if (!result) return { mutant: mutant.name, caughtBy: 'every invocation comes to an end', seed, steps };
      steps += result.steps;
      if (!result.violation) continue;
      await holdsWithout(seed, mutant);
      return { mutant: mutant.name, caughtBy: result.violation.invariant, seed, steps };
    }
    return { mutant: mutant.name, caughtBy: undefined, seed: seedsMax, steps };
  } finally {
    await thread.close();
  }
}

/** @throws Error when the code itself breaks on a seed: then the mutant is not what was caught there. */
async function holdsWithout(seed: number, mutant: Mutant): Promise<void> {
  const thread = new SimulationThread();
  try {
    const { violation } = await thread.run({ seed, changes: MUTANT_CHANGES, sql: mutant.sql === true });
    if (!violation) return;
    throw new Error(
      `Seed ${seed} with ${MUTANT_CHANGES} changes breaks "${violation.invariant}" without any mutant: mend that first.`,
    );
  } finally {
    await thread.close();
  }
}

/** @returns undefined when it took too long. */
async function withinTime(run: Promise<RunResult>): Promise<RunResult | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const endless = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ENDLESS_MS);
  });
  return Promise.race([run, endless]).finally(() => clearTimeout(timer));
}
