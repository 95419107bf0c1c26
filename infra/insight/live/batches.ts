import { type FilteredLogEvent, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import * as z from 'zod';
import type { LiveSources } from './live-sources.ts';

/** Milliseconds for which a line of a log may be on its way, and is looked for again. */
const LATE_MS_MAX = 15_000;

/** How one invocation of ingest ended. */
const batchSchema = z.object({
  RecordsIn: z.number(),
  Delivered: z.number(),
  Superseded: z.number(),
  Deleted: z.number(),
  Quarantined: z.number(),
  /** Of a definition that takes in some items only. */
  Skipped: z.number().default(0),
  Failed: z.number(),
  LabelEvents: z.number(),
  /** Seconds between now and the moment that the shard is complete through. */
  WatermarkLag: z.number().optional(),
});

const rejectedSchema = z.object({
  records: z.number(),
  examples: z.array(z.object({ reason: z.string(), path: z.string() })),
});

/** The outcome of a batch, in the names of ingest's metrics. */
export interface Batch extends z.output<typeof batchSchema> {
  readonly atMs: number;
}

/** Records of a batch that were put into quarantine, and up to five examples of why. */
export interface Rejected extends z.output<typeof rejectedSchema> {
  readonly atMs: number;
}

/** Reads what ingest logs, each line once. */
export interface BatchReader {
  read(): Promise<{ batches: Batch[]; rejected: Rejected[] }>;
}

/** @param sinceMs time of the first line that is wanted. */
export function batchReader(sources: Pick<LiveSources, 'logs' | 'stack'>, sinceMs: number): BatchReader {
  const batches = lineReader(sources, '"RecordsIn"', sinceMs);
  const rejected = lineReader(sources, '"put into quarantine"', sinceMs);
  return {
    async read() {
      const [ofBatches, ofRejected] = await Promise.all([batches(), rejected()]);
      return {
        batches: ofBatches.flatMap((line) => parsed(batchSchema, line)),
        rejected: ofRejected.flatMap((line) => parsed(rejectedSchema, line)),
      };
    },
  };
}

/** Lines that hold a phrase, in their order. A line that arrives late is read when it is there. */
function lineReader({ logs, stack }: Pick<LiveSources, 'logs' | 'stack'>, filterPattern: string, sinceMs: number) {
  const read = new Map<string, number>();
  let newestMs = sinceMs;
  return async (): Promise<FilteredLogEvent[]> => {
    const startTime = Math.max(sinceMs, newestMs - LATE_MS_MAX);
    const found: FilteredLogEvent[] = [];
    try {
      const request = { logGroupName: `/aws/lambda/${stack}-ingest`, filterPattern, startTime };
      for await (const page of paginateFilterLogEvents({ client: logs }, request)) found.push(...(page.events ?? []));
    } catch (error) {
      // Before its first invocation a function has no log.
      if ((error as Error).name !== 'ResourceNotFoundException') throw error;
    }
    const fresh = found.filter(({ eventId = '' }) => !read.has(eventId));
    for (const { eventId = '', timestamp = 0 } of fresh) {
      read.set(eventId, timestamp);
      newestMs = Math.max(newestMs, timestamp);
    }
    for (const [id, timestamp] of read) if (timestamp < newestMs - LATE_MS_MAX) read.delete(id);
    return fresh;
  };
}

function parsed<T extends object>(schema: z.ZodType<T>, { message = '', timestamp = 0 }: FilteredLogEvent) {
  try {
    return [{ ...schema.parse(JSON.parse(message)), atMs: timestamp }];
  } catch {
    // A line that only holds the phrase.
    return [];
  }
}
