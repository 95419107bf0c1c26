import type { ScanCommand, ScanCommandInput } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { plannedScan } from '../../../shared/history/run/plan.ts';
import { randomSegments } from '../../../shared/history/table/random-segments.ts';
import { scanPages } from '../../../shared/history/table/scan.ts';
import { pace, passingTime } from '../../given/pace.ts';

const START_MS = 1_760_000_000_000;

/** A table of five items that are read one by one, at 10 units each, and what was asked of it and when. */
function given({ throttledAt = [] as number[] } = {}) {
  const { time: passing, waitFor } = passingTime(START_MS);
  const asked: { atMs: number; input: ScanCommandInput }[] = [];
  let call = 0;
  const dynamodb = {
    async send(command: object) {
      const { input } = command as ScanCommand;
      asked.push({ atMs: passing.now() - START_MS, input });
      call += 1;
      waitFor(100);
      if (throttledAt.includes(call)) {
        throw Object.assign(new Error('slower'), { name: 'ProvisionedThroughputExceededException' });
      }
      const item = Number(input.ExclusiveStartKey?.pk?.S ?? 0) + 1;
      const Items = [{ pk: { S: String(item) } }];
      return { Items, ConsumedCapacity: { CapacityUnits: 10 }, ...(item < 5 && { LastEvaluatedKey: Items[0] }) };
    },
  } as unknown as Parameters<typeof scanPages>[0];
  const time = { ...passing, random: () => 1 };
  const read = async (readUnits: number, segment?: Parameters<typeof scanPages>[2]) => {
    const pages = [];
    for await (const page of scanPages(dynamodb, { table: 'things', consistent: true, readUnits, time }, segment)) {
      pages.push({ ids: page.items.map(({ pk }) => pk?.S), asOfMs: page.asOfMs - START_MS, next: page.next?.pk?.S });
    }
    return pages;
  };
  return { read, asked };
}

test('pages are as of when their calls were begun, and name where the next begins', async () => {
  const { read } = given();
  const pages = await read(1_000_000);
  expect(pages.map(({ ids }) => ids)).toEqual([['1'], ['2'], ['3'], ['4'], ['5']]);
  expect(pages.map(({ asOfMs }) => asOfMs)).toEqual([0, 100, 200, 300, 400]);
  expect(pages.map(({ next }) => next)).toEqual(['1', '2', '3', '4', undefined]);
});

test('a scan is taken up behind a key, in its segment', async () => {
  const { read, asked } = given();
  const pages = await read(1_000_000, { number: 2, of: 4, after: { pk: { S: '3' } } });
  expect(pages.map(({ ids }) => ids)).toEqual([['4'], ['5']]);
  expect(asked[0]?.input).toMatchObject({ Segment: 2, TotalSegments: 4, ConsistentRead: true });
});

test('a scan takes no more read units a second than it may', async () => {
  const { read, asked } = given();
  await read(20);
  expect(asked.map(({ atMs }) => atMs)).toEqual([0, 500, 1_000, 1_500, 2_000]);
});

test('a scan goes on at half its rate after a call that was throttled', async () => {
  const { read, asked } = given({ throttledAt: [2] });
  await read(20);
  // The pause of half a second, the page again, and then a second for each.
  expect(asked.map(({ atMs }) => atMs)).toEqual([0, 500, 1_100, 2_100, 3_100, 4_100]);
});

test('a scan begins two margins after the stream is read', () => {
  const scan = plannedScan({ segments: 4, readUnits: 100 }, 7, 60, START_MS);
  expect(scan).toEqual({ segments: 4, readUnits: 100, exportNumber: 7, notBeforeMs: START_MS + 120_000 });
});

/** A table whose segments hold one item each, and the segments that were asked for. */
function segmented(itemCount: number) {
  const asked: string[] = [];
  const dynamodb = {
    async send({ input }: { input: ScanCommandInput }) {
      if (input.Segment === undefined) return { Table: { ItemCount: itemCount } };
      asked.push(`${input.Segment} of ${input.TotalSegments}`);
      return { Items: [{ pk: { S: String(input.Segment) } }] };
    },
  } as unknown as Parameters<typeof randomSegments>[0];
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const scan = { table: 'things', consistent: true, readUnits: 1e6, time: { ...pace(), random } };
  return { asked, pages: () => randomSegments(dynamodb, scan) };
}

test('random segments are each read once, all of a table whose count is not known yet', async () => {
  const { pages } = segmented(0);
  const ids: unknown[] = [];
  for await (const { items } of pages()) ids.push(...items.map(({ pk }) => pk?.S));
  expect(ids.map(Number).sort((one, other) => one - other)).toEqual(Array.from({ length: 64 }, (_, index) => index));
  expect(ids.map(Number)).not.toEqual(ids.map(Number).sort((one, other) => one - other));
});

test('random segments are as small as the table is large, and no more are read than are asked for', async () => {
  for (const [count, of] of [
    [1e6, 20_000],
    [1e12, 1_000_000],
  ] as const) {
    const { asked, pages } = segmented(count);
    for await (const _ of pages()) if (asked.length === 3) break;
    expect(asked.map((it) => it.split(' of ')[1])).toEqual([of, of, of].map(String));
  }
});

test('random segments end after 2,000, however few records they have', async () => {
  const { asked, pages } = segmented(1e9);
  for await (const _ of pages());
  expect(asked).toHaveLength(2_000);
});
