import { namedDifferent } from '../judge/reconciled.ts';
import { Violation } from '../judge/violation.ts';
import type { RunResult } from '../simulate.ts';
import { BackfillWorld } from './backfill-world.ts';
import { checkBackfilled } from './judge.ts';

/** Promises that whoever operates a stack can hold it to by a comparison. */
const OF_STORES = ['the online store equals the table', 'the latest row equals the item'];

const isOfStores = (error: unknown): error is Violation =>
  error instanceof Violation && OF_STORES.includes(error.invariant);

/** What a seed of a backfill came to. */
export interface BackfillResult extends Pick<RunResult, 'seed' | 'changes' | 'calls' | 'steps' | 'simulatedMinutes'> {
  /** Statements that were read, and how often the backfill was taken up again. */
  readonly statements: number;
  readonly resumes: number;
  readonly deletesRemembered: number;
  readonly violation: { readonly invariant: string; readonly message: string } | undefined;
}

/** Runs one seed of a backfill beside an application that writes and deletes. */
export async function simulateBackfill(seed: number, changes: number): Promise<BackfillResult> {
  const world = new BackfillWorld(seed, changes);
  const startedAt = world.scheduler.now;
  let violation: BackfillResult['violation'];
  try {
    await world.run();
    const ofHistory = [...world.rows.values()].flatMap((bytes) => bytes.toString().split('\n').filter(Boolean));
    const { table, featureStore, firehose } = world;
    const named = await namedDifferent({
      ...{ group: world.profile.group, table, featureStore, rows: [...ofHistory, ...firehose.delivered] },
    });
    await checkBackfilled(world).catch((error: unknown) => {
      // A comparison by whoever operates the stack has to see what the judge sees.
      if (isOfStores(error) && !named.has(error.recordIdentifier ?? '')) {
        throw new Violation(
          'a comparison names what is different',
          `not ${error.recordIdentifier}`,
          error.recordIdentifier,
        );
      }
      throw error;
    });
    const [falsely] = named;
    if (falsely !== undefined) throw new Violation('a comparison names nothing that is equal', falsely, falsely);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = { invariant: error.invariant, message: error.message };
  }
  return {
    seed,
    changes: world.table.changes.length,
    calls: world.calls,
    steps: world.scheduler.steps,
    simulatedMinutes: Math.round((world.scheduler.now - startedAt) / 60_000),
    statements: world.files.reduce((sum, { file }) => sum + (file.items ?? 0), 0),
    resumes: world.resumes,
    deletesRemembered: [...world.dynamodb.state.keys()].filter((pk) => pk.startsWith('tombstone#')).length,
    violation,
  };
}
