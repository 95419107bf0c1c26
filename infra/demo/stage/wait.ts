import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two looks. */
const POLL_MS = 200;

/** What a look found: whether it is over, and a text that changes as long as things move. */
export interface Look {
  readonly over: boolean;
  readonly seen: string;
}

/**
 * Looks until it is over, or until nothing has moved for `stallMs`: what takes longer the more there is to do has no
 * other sensible limit.
 *
 * @returns whether it was over.
 */
export async function waitUntil(stallMs: number, look: () => Promise<Look>): Promise<boolean> {
  let last: string | undefined;
  let movedAt = performance.now();
  for (;;) {
    const { over, seen } = await look();
    if (over) return true;
    if (seen !== last) movedAt = performance.now();
    else if (performance.now() - movedAt >= stallMs) return false;
    last = seen;
    await sleep(POLL_MS);
  }
}
