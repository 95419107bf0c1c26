import type { FaultKind } from './aws/faults.ts';
import { tellStory } from './judge/story.ts';
import { Violation } from './judge/violation.ts';
import type { Measures } from './judge/witness.ts';
import { World } from './world/world.ts';

/** What a seed's run came to. */
export interface RunResult {
  readonly seed: number;
  readonly changes: number;
  readonly batches: number;
  readonly redelivered: number;
  readonly discarded: number;
  readonly quarantined: number;
  readonly calls: number;
  readonly steps: number;
  readonly simulatedMinutes: number;
  readonly shards: number;
  readonly trainings: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly measures: Measures;
  readonly violation:
    | { readonly invariant: string; readonly message: string; readonly story: readonly string[] }
    | undefined;
}

/** Runs one seed. The story of a violation costs a second run, which goes exactly as the first. */
export async function simulate(seed: number, changes: number, options: { story: boolean }): Promise<RunResult> {
  const world = new World(seed, changes);
  const startedAt = world.scheduler.now;
  let violation: RunResult['violation'];
  try {
    await world.run();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    const { invariant, message } = error;
    violation = { invariant, message, story: options.story ? await tellStory(seed, changes, error) : [] };
  }
  return {
    seed,
    changes: world.table.changes.length,
    batches: world.mapping.batches,
    redelivered: world.mapping.redelivered,
    discarded: world.table.changes.filter((it) => it.discarded).length,
    quarantined: world.bucket.quarantined.size,
    calls: world.network.calls,
    steps: world.scheduler.steps,
    simulatedMinutes: Math.round((world.scheduler.now - startedAt) / 60_000),
    shards: world.table.shards.length,
    trainings: world.retraining.started,
    faults: Object.fromEntries(world.faults.counts),
    measures: world.witness.measures,
    violation,
  };
}
