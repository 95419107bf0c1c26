import { type BackfillRun, endBackfill, readBackfill } from '../../state/backfill/run.ts';
import type { BackfillTotals } from '../run/backfill.ts';
import type { GivenExports } from '../run/exports.ts';
import { adaptiveRate } from '../run/rate.ts';
import { oldestOf, sweep, totalsOfFiles } from '../run/tail.ts';
import { type HistoryDependencies, held, type Invocation, planOf } from './dependencies.ts';
import type { Running } from './files.ts';

/** Time left of an invocation in which no page of the sweep is begun any more: one page's, and what it takes to say so. */
const LAST_PAGE_MS = 330_000;

/** How far the sweep of a state machine is. */
export interface SweepOrder {
  /** Key of the state table that it goes on behind; empty at its beginning. */
  readonly after: string;
  readonly deletes: number;
}

/** What a backfill came to, and as of when it is complete (epoch milliseconds); or how far its sweep is. */
export type Ended =
  | { readonly done: true; readonly totals: BackfillTotals & { readonly runId: string; readonly asOfMs: number } }
  | { readonly done: false; readonly sweep: SweepOrder };

/**
 * Sweeps, and ends the backfill. Idempotent: of one that is done it answers again what it came to.
 *
 * @throws Error in one sentence when something is not through, or the backfill is somebody else's.
 */
export async function ending(
  { execution, run: { runId, rate } }: Running,
  from: SweepOrder,
  invocation: Invocation,
  dependencies: HistoryDependencies,
): Promise<Ended> {
  const { table, time } = dependencies;
  const before = await readBackfill(table);
  if (before?.runId === runId && before.status === 'done') return endedAgain(before, dependencies);
  const { run, given, keepLease } = await held({ execution, runId }, dependencies);
  const plan = await planOf(run, given, dependencies);
  const { after, deletes } = await sweep(
    oldestOf(plan.files),
    { after: from.after === '' ? undefined : from.after, deletes: from.deletes },
    {
      ...{ table, time, keepLease, destinations: dependencies.destinations(adaptiveRate(rate, time)) },
      isTimeUp: () => invocation.remainingMs() < LAST_PAGE_MS,
    },
  );
  if (after !== undefined) return { done: false, sweep: { after, deletes } };
  const ended = await endedWith({ ...run, swept: deletes }, plan, dependencies);
  const isMine = await endBackfill(table, runId, 'done', time.now(), deletes);
  if (isMine) return ended;
  // A call of which the answer was lost may have ended it.
  const now = await readBackfill(table);
  if (now?.runId === runId && now.status === 'done') return endedWith(now, plan, dependencies);
  throw new Error('The backfill was ended by somebody else meanwhile.');
}

async function endedAgain(run: BackfillRun, dependencies: HistoryDependencies): Promise<Ended> {
  return endedWith(run, await planOf(run, JSON.parse(run.sources) as GivenExports, dependencies), dependencies);
}

async function endedWith(
  run: BackfillRun,
  { files, sources }: Awaited<ReturnType<typeof planOf>>,
  { table, time }: HistoryDependencies,
): Promise<Ended> {
  const totals = await totalsOfFiles(table, run.runId, files, time);
  const asOfMs = sources.at(-1)?.asOfMs ?? 0;
  return { done: true, totals: { ...totals, swept: run.swept, runId: run.runId, asOfMs } };
}
