import { awaitCheck, driftedOf, readCheck } from '../state/checks.ts';
import type { RetrainDependencies } from './actions.ts';

const HOUR_MS = 3_600_000;

/** How the check of the online store stands. */
export interface ToldCheck {
  /** Since the last one ended, or since the first one is waited for. */
  readonly hours: number;
  /** Records that differed then; undefined before the first one. */
  readonly drifted: number | undefined;
}

/**
 * Tells how the check stands, at each run of the schedule. The check itself could not say that it does not run, and
 * differences stay an alarm until a later check finds none.
 */
export async function tellCheck({ table, now, reportCheck }: RetrainDependencies): Promise<void> {
  const { atMs, sinceMs, counts } = (await readCheck(table)) ?? (await awaitCheck(table, now()));
  reportCheck?.({ hours: (now() - (atMs ?? sinceMs)) / HOUR_MS, drifted: counts && driftedOf(counts) });
}
