import type { FaultKind } from './aws/faults.ts';
import { shrink } from './judge/shrink.ts';
import { checkSql } from './judge/sql.ts';
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

/** How a violation is told: not at all, as the seed has it, or with as few steps as still break the promise. */
export type Telling = 'none' | 'whole' | 'shrunk';

/** Runs one seed, and if `sql` is set the real SQL on what it leaves in the change log. The story of a violation costs more runs, of which the last goes exactly as it is told. */
export async function simulate(
  seed: number,
  changes: number,
  { telling = 'none', sql = false }: { telling?: Telling; sql?: boolean } = {},
): Promise<RunResult> {
  const world = new World(seed, changes);
  const startedAt = world.scheduler.now;
  let violation: RunResult['violation'];
  try {
    await world.run();
    if (sql) await checkSql(world.profile.group, world.firehose.delivered);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    const { invariant, message } = error;
    violation = { invariant, message, story: await storyOf(seed, changes, error, telling) };
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

async function storyOf(seed: number, changes: number, violation: Violation, telling: Telling): Promise<string[]> {
  if (telling === 'none') return [];
  const shrunk = telling === 'shrunk' ? await shrink(seed, changes, violation) : undefined;
  return tellStory(seed, changes, shrunk?.violation ?? violation, shrunk);
}
