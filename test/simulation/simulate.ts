import type { FaultKind } from './aws/faults.ts';
import { checkCompared, type Left } from './judge/reconciled.ts';
import { shrink } from './judge/shrink.ts';
import { checkSql } from './judge/sql.ts';
import { tellStory } from './judge/story.ts';
import { Violation, violationOf } from './judge/violation.ts';
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
    const found = await world.run().then(() => undefined, violationOf);
    await checkCompared(leftOf(world), found, (id) => isUnsaid(world, id));
    if (found) throw found;
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

/** What a world has left behind, for a comparison. */
export const leftOf = ({ profile: { group }, table, featureStore, firehose }: World): Left => ({
  ...{ group, table, featureStore, rows: firehose.delivered },
});

/** Whether the judge says nothing of a record: changes of it were lost by age, or it is wrong in the table. */
function isUnsaid({ table, witness }: World, id: string): boolean {
  const history = table.histories.get(id) ?? [];
  const isWrong = (it: { quality: string } | undefined) => it !== undefined && it.quality !== 'good';
  const last = history.filter((it) => witness.touchesOnline(it)).at(-1);
  return history.some((it) => it.trimmed) || isWrong(last) || isWrong(table.items.get(id));
}

async function storyOf(seed: number, changes: number, violation: Violation, telling: Telling): Promise<string[]> {
  if (telling === 'none') return [];
  const shrunk = telling === 'shrunk' ? await shrink(seed, changes, violation) : undefined;
  return tellStory(seed, changes, shrunk?.violation ?? violation, shrunk);
}
