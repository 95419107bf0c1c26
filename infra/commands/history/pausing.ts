import { setTimeout as sleep } from 'node:timers/promises';

/** Waits, unless somebody interrupts. @throws Error that says `interrupted` then. */
export async function pausing(ms: number, signal: AbortSignal, interrupted: string): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((cause: unknown) => {
    throw new Error(interrupted, { cause });
  });
}
