import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { happenings } from '../insight/live/happenings.ts';
import { type Look, watcher } from '../insight/live/look.ts';
import { countWaiting } from '../insight/quarantine.ts';
import type { ConsoleOptions } from './console-options.ts';

/** How far back the first look goes, in milliseconds: what the chart shows. */
const BACK_MS = 10 * 60_000;

/** Batches and lines that a page gets at its beginning. */
const KEPT_MAX = 600;

/** Objects of the quarantine bucket that are counted, and looks between two counts. */
const WAITING_MAX = 1_000;
const LOOKS_PER_COUNT = 5;

/** Server-sent events: what is seen of the stack, again and again, as long as a page is open. */
export interface LiveFeed {
  serve(response: ServerResponse, headers: Readonly<Record<string, string>>): void;
  close(): void;
}

/** One look, as the page gets it. */
interface Seen extends Look {
  readonly happened: readonly { readonly atMs: number; readonly kind: string; readonly text: string }[];
  readonly waiting: { readonly objects: number; readonly more: boolean };
}

/** Looks at a stack for all pages together, and only while one is open. */
export function liveFeed({ sources, lookMs }: Pick<ConsoleOptions, 'sources' | 'lookMs'>): LiveFeed {
  const pages = new Set<ServerResponse>();
  const stopping = new AbortController();
  const look = watcher(sources, Date.now() - BACK_MS);
  let last: Seen | undefined;
  let isLooking = false;

  async function seen(count: number): Promise<Seen> {
    const after = await look();
    const atMs = Date.now();
    const happened = happenings(last, after, sources.config.policy.labelsThreshold).map((it) => ({ atMs, ...it }));
    const isDue = count % LOOKS_PER_COUNT === 0 || !last;
    const waiting = isDue ? await countWaiting(sources, WAITING_MAX) : (last as Seen).waiting;
    return { ...after, happened, waiting };
  }

  async function lookOn(): Promise<void> {
    isLooking = true;
    for (let count = 0; pages.size > 0 && !stopping.signal.aborted; count += 1) {
      try {
        const now = await seen(count);
        for (const page of pages) write(page, 'look', now);
        const kept = <T>(old: readonly T[] | undefined, more: readonly T[]) =>
          [...(old ?? []), ...more].slice(-KEPT_MAX);
        last = {
          ...now,
          batches: kept(last?.batches, now.batches),
          rejected: kept(last?.rejected, now.rejected),
          happened: kept(last?.happened, now.happened),
        };
      } catch (error) {
        for (const page of pages) write(page, 'trouble', { message: (error as Error).message });
      }
      await sleep(lookMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    isLooking = false;
  }

  return {
    serve(response, headers) {
      response.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      if (last) write(response, 'look', last);
      else response.flushHeaders();
      pages.add(response);
      response.on('close', () => pages.delete(response));
      if (!isLooking) lookOn();
    },
    close() {
      stopping.abort();
      for (const page of pages) page.end();
    },
  };
}

function write(page: ServerResponse, event: string, data: object): void {
  page.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
