import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Page, type Scan, scanPages } from './scan.ts';

/** Items of a segment, as far as DynamoDB's count of them is right: it is renewed every six hours or so. */
const ITEMS_PER_SEGMENT = 50;

/** Fewest segments, so that a table whose count is not known yet is not always read from its beginning. */
const SEGMENTS_MIN = 64;
/** Source: Scan, TotalSegments. */
const SEGMENTS_MAX = 1_000_000;

/** Segments that are read at most: a table may have few items that are any record. */
const SEGMENTS_READ_MAX = 2_000;

/**
 * Reads segments of a table at random, each once, until nobody asks for more or {@link SEGMENTS_READ_MAX} are read.
 * Segments are ranges of the hash of the partition key, so each partition key is as likely as any other.
 *
 * @throws whatever a scan throws that is no throttling.
 */
export async function* randomSegments(dynamodb: Pick<DynamoDBClient, 'send'>, scan: Scan): AsyncGenerator<Page, void> {
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: scan.table }));
  const wanted = Math.ceil((Table?.ItemCount ?? 0) / ITEMS_PER_SEGMENT);
  const of = Math.min(Math.max(wanted, SEGMENTS_MIN), SEGMENTS_MAX);
  const drawn = new Set<number>();
  while (drawn.size < Math.min(of, SEGMENTS_READ_MAX)) {
    const number = Math.floor(scan.time.random() * of);
    if (drawn.has(number)) continue;
    drawn.add(number);
    yield* scanPages(dynamodb, scan, { number, of, after: undefined });
  }
}
