import type { Time } from '../../calls/pace.ts';
import { type BackfillRun, takeBackfill } from '../../state/backfill/run.ts';
import type { StateTable } from '../../state/table.ts';

/** How long nobody else may work on a backfill whose worker is not heard of, and how often it is heard, in milliseconds. */
export const LEASE_MS = 30_000;
export const LEASE_RENEWAL_MS = 5_000;
/** How often it is tried whether the worker before has gone, in milliseconds. */
const LEASE_LOOK_MS = 1_000;

/** Who holds a backfill, and for how long unless it is heard of again, in milliseconds. */
export interface Holder {
  readonly table: StateTable;
  readonly time: Time;
  readonly owner: string;
  readonly leaseMs?: number;
  /** Whether only who has it already may have it. */
  readonly onlyKeeps?: boolean;
}

/** Keeps the backfill for oneself, when it is time to, or at once. @throws Error when it is somebody else's, or over. */
export type KeepLease = (now: boolean) => Promise<void>;

export function leaseKeeper(
  { runId }: Pick<BackfillRun, 'runId'>,
  { table, time, owner, leaseMs = LEASE_MS, onlyKeeps = false }: Holder,
): KeepLease {
  let keptMs = 0;
  return async (now) => {
    const nowMs = time.now();
    if (!now && nowMs - keptMs < LEASE_RENEWAL_MS) return;
    if (await takeBackfill(table, { runId, owner, nowMs, leaseMs: nowMs + leaseMs, onlyKeeps })) keptMs = nowMs;
    else {
      throw new Error('Somebody else works on this backfill, or it was ended: see --status, and try --resume later.');
    }
  };
}

/** Takes the backfill, as soon as a worker that is not heard of any more would have been. */
export async function taken(keepLease: KeepLease, time: Time): Promise<void> {
  const untilMs = time.now() + LEASE_MS + LEASE_LOOK_MS;
  for (;;) {
    try {
      return await keepLease(true);
    } catch (error) {
      if (time.now() >= untilMs) throw error;
      await time.sleep(LEASE_LOOK_MS);
    }
  }
}
