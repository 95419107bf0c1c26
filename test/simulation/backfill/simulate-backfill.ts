import { checkCompared } from '../judge/reconciled.ts';
import { Violation, violationOf } from '../judge/violation.ts';
import type { RunResult } from '../simulate.ts';
import { BackfillWorld } from './backfill-world.ts';
import { checkBackfilled } from './judge.ts';

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
    const { table, featureStore, firehose, profile } = world;
    const left = { group: profile.group, table, featureStore, rows: [...ofHistory, ...firehose.delivered] };
    const found = await checkBackfilled(world).then(() => undefined, violationOf);
    // An item that is wrong is in no store as it is.
    await checkCompared(left, found, (id) => (table.items.get(id)?.quality ?? 'good') !== 'good');
    if (found) throw found;
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
