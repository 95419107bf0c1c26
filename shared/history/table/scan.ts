import { type DynamoDBClient, ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import { errorCode, isThrottling } from '../../calls/failure.ts';
import type { Time } from '../../calls/pace.ts';
import type { Item } from '../../delivery/source-items.ts';

/** What a scan reads, and how fast. */
export interface Scan {
  readonly table: string;
  readonly consistent: boolean;
  /** Read units a second at most. */
  readonly readUnits: number;
  readonly time: Time;
}

/** A part of the table by the hash of its keys, and the key behind which it is read. Absent: the whole table. */
export interface Segment {
  readonly number: number;
  readonly of: number;
  readonly after: Item | undefined;
}

/** A page of a scan: up to 1 MB of items. */
export interface Page {
  readonly items: readonly Item[];
  /** When its call was begun, in epoch milliseconds: whatever was written by then is seen, or overwritten since. */
  readonly asOfMs: number;
  /** Where the next page begins; undefined at the end. */
  readonly next: Item | undefined;
}

/** Pauses after calls that were throttled, in milliseconds. */
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 30_000;
/** After how many pages without throttling the rate is what it was. */
const CALM_PAGES = 20;

/**
 * Reads a table, or a segment of it, page by page, no faster than so many read units a second. While the table throttles,
 * the rate is halved, so that applications have the table to themselves first.
 *
 * @throws whatever a scan throws that is no throttling.
 */
export async function* scanPages(
  dynamodb: Pick<DynamoDBClient, 'send'>,
  { table, consistent, readUnits, time }: Scan,
  segment?: Segment,
): AsyncGenerator<Page, void> {
  let after = segment?.after;
  let share = 1;
  let calm = 0;
  let backoffMs = BACKOFF_FIRST_MS;
  for (;;) {
    const asOfMs = time.now();
    let page: ScanCommandOutput;
    try {
      page = await dynamodb.send(
        new ScanCommand({
          TableName: table,
          ConsistentRead: consistent,
          ReturnConsumedCapacity: 'TOTAL',
          ExclusiveStartKey: after,
          ...(segment && { Segment: segment.number, TotalSegments: segment.of }),
        }),
      );
    } catch (error) {
      if (!isThrottling(errorCode(error))) throw error;
      share /= 2;
      calm = 0;
      await time.sleep(backoffMs * (0.5 + time.random() / 2));
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
      continue;
    }
    after = page.LastEvaluatedKey;
    yield { items: page.Items ?? [], asOfMs, next: after };
    if (after === undefined) return;
    backoffMs = BACKOFF_FIRST_MS;
    calm += 1;
    if (calm >= CALM_PAGES) share = 1;
    const dueMs = asOfMs + ((page.ConsumedCapacity?.CapacityUnits ?? 0) / (readUnits * share)) * 1_000;
    const waitMs = dueMs - time.now();
    if (waitMs > 0) await time.sleep(waitMs);
  }
}
