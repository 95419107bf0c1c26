import { setTimeout as sleep } from 'node:timers/promises';
import { type Happening, happenings } from '../../insight/live/happenings.ts';
import type { LiveSources } from '../../insight/live/live-sources.ts';
import { type Look, watcher } from '../../insight/live/look.ts';
import type { Style } from '../../terminal/style.ts';

/** Milliseconds between two looks. */
const LOOK_MS = 1_000;

/** Kinds that somebody should look at, and those that are good news. */
const STYLES: Partial<Record<Happening['kind'], 'bad' | 'good'>> = { quarantine: 'bad', failure: 'bad', swap: 'good' };

/**
 * Tells what happens in a stack, a line each, until the signal ends it.
 *
 * @param write takes each line.
 */
export async function narrate(
  sources: LiveSources,
  { paint }: Style,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const look = watcher(sources, Date.now());
  let before: Look | undefined;
  while (!signal.aborted) {
    try {
      const after = await look();
      for (const { kind, text } of happenings(before, after, sources.config.policy.labelsThreshold)) {
        const style = STYLES[kind];
        write(`${paint('faint', clock(new Date()))}  ${style ? paint(style, text) : text}`);
      }
      before = after;
    } catch (error) {
      // A call that a test made fail, or the end of the local cloud: the next look tells what was missed.
      if (!signal.aborted) write(`${paint('faint', clock(new Date()))}  Not seen: ${(error as Error).message}`);
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** The time of day, `HH:MM:SS`, here. */
function clock(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((it) => String(it).padStart(2, '0')).join(':');
}
