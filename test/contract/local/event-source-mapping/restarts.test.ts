import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failAt, pkOf, streamedTable } from '../../../given/local/streamed-table.ts';

let table: Awaited<ReturnType<typeof streamedTable>>;

beforeEach(async () => {
  table = await streamedTable();
});
afterEach(() => table.close());

describe('an event source mapping, stopped and started again,', () => {
  test('goes on after a restart where it was', async () => {
    await table.put('a', 'b');
    const first = table.start(() => null);
    await first.idle();
    await first.stop();
    await table.put('c');
    await table.start(() => null).idle();
    expect(table.invocations).toEqual([['a', 'b'], ['c']]);
  });

  test('delivers again after a restart what was not answered for', async () => {
    await table.put('a', 'b', 'c');
    const first = table.start((records) => failAt(records.find((it) => pkOf(it) === 'b')));
    await expect.poll(() => table.invocations.length).toBeGreaterThan(1);
    await first.stop();
    table.invocations.length = 0;
    await table.start(() => null).idle();
    expect(table.invocations).toEqual([['b', 'c']]);
  });

  test('begins at LATEST once, and misses nothing while it is stopped', async () => {
    await table.put('before');
    const first = table.start(() => null, { StartingPosition: 'LATEST' });
    await first.idle();
    await first.stop();
    await table.put('meanwhile');
    await table.start(() => null, { StartingPosition: 'LATEST' }).idle();
    expect(table.invocations).toEqual([['meanwhile']]);
  });

  test('gets over throttles, lost answers and expired iterators', async () => {
    await table.put('a');
    table.faults.inject({ service: 'dynamodbstreams', operation: 'DescribeStream', kind: 'before' });
    table.faults.inject({ service: 'dynamodbstreams', operation: 'GetShardIterator', kind: 'after' });
    table.faults.inject({
      service: 'dynamodbstreams',
      operation: 'GetRecords',
      kind: 'before',
      code: 'ExpiredIteratorException',
    });
    table.faults.inject({ service: 'dynamodbstreams', operation: 'GetRecords', kind: 'after', times: 2 });
    await table.start(() => null).idle();
    expect(table.invocations).toEqual([['a']]);
    expect(table.problems).toHaveLength(4);
  });
});
