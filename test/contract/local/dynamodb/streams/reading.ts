import {
  DeleteTableCommand,
  DescribeTableCommand,
  type StreamViewType,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import { DescribeStreamCommand, GetShardIteratorCommand, ListStreamsCommand } from '@aws-sdk/client-dynamodb-streams';
import { expect } from 'vitest';
import { pkOf, type StreamsUnderTest } from '../../../../given/local/streams-under-test.ts';

/** What streams there are, and how one is read. */
export function rulesOfReading({
  rule,
  table,
  send,
  sendToStreams,
  shardsOf,
  iteratorOf,
  read,
  recordsOf,
}: StreamsUnderTest): void {
  rule('a table says where its stream is, and the stream whose it is', async () => {
    const { TableName, StreamArn } = await table('NEW_IMAGE');
    const { Table } = await send(new DescribeTableCommand({ TableName }));
    expect(Table).toMatchObject({
      LatestStreamArn: StreamArn,
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
    });
    expect(StreamArn.endsWith(`${TableName}/stream/${Table?.LatestStreamLabel}`)).toBe(true);
    const { Streams } = await sendToStreams(new ListStreamsCommand({ TableName }));
    expect(Streams).toMatchObject([{ StreamArn, TableName }]);
    const { StreamDescription } = await sendToStreams(new DescribeStreamCommand({ StreamArn }));
    expect(StreamDescription).toMatchObject({ StreamStatus: 'ENABLED', StreamViewType: 'NEW_IMAGE', TableName });
    expect(StreamDescription?.KeySchema).toEqual([{ AttributeName: 'pk', KeyType: 'HASH' }]);
  });

  rule('an iterator begins where its type says', async () => {
    const { StreamArn, put } = await table();
    for (const pk of ['a', 'b', 'c']) await put(pk);
    const latest = await iteratorOf(StreamArn, 'LATEST');
    const second = (await recordsOf(StreamArn))[1]?.dynamodb?.SequenceNumber;
    await put('d');
    const from = async (iterator: string | undefined) => (await read(iterator)).Records?.map(pkOf);
    expect(await from(await iteratorOf(StreamArn, 'TRIM_HORIZON'))).toEqual(['a', 'b', 'c', 'd']);
    expect(await from(await iteratorOf(StreamArn, 'AT_SEQUENCE_NUMBER', second))).toEqual(['b', 'c', 'd']);
    expect(await from(await iteratorOf(StreamArn, 'AFTER_SEQUENCE_NUMBER', second))).toEqual(['c', 'd']);
    expect(await from(latest)).toEqual(['d']);
  });

  rule('records are read in pages, and an open shard goes on', async () => {
    const { StreamArn, put } = await table();
    for (let n = 0; n < 5; n += 1) await put(`item-${n}`);
    const first = await read(await iteratorOf(StreamArn, 'TRIM_HORIZON'), 3);
    const second = await read(first.NextShardIterator, 3);
    const empty = await read(second.NextShardIterator, 3);
    expect([first, second, empty].map((it) => it.Records?.length)).toEqual([3, 2, 0]);
    await put('late');
    expect((await read(empty.NextShardIterator)).Records?.map(pkOf)).toEqual(['late']);
  });

  rule('a page holds at most 1 MB', async () => {
    const { StreamArn, put } = await table('NEW_IMAGE');
    for (let n = 0; n < 4; n += 1) await put(`item-${n}`, { text: { S: 'x'.repeat(390_000) } });
    const page = await read(await iteratorOf(StreamArn, 'TRIM_HORIZON'));
    expect(page.Records?.length).toBeGreaterThan(0);
    expect(page.Records?.length).toBeLessThan(4);
    expect(await recordsOf(StreamArn)).toHaveLength(4);
  });

  rule('the stream of another table is another stream', async () => {
    const [one, two] = [await table(), await table()];
    await one.put('a');
    await two.put('b');
    expect((await recordsOf(one.StreamArn)).map(pkOf)).toEqual(['a']);
    expect((await recordsOf(two.StreamArn)).map(pkOf)).toEqual(['b']);
  });

  rule('a stream cannot be enabled twice, and one enabled anew is another stream', async () => {
    const { TableName, StreamArn, put } = await table();
    const update = (StreamSpecification: { StreamEnabled: boolean; StreamViewType?: StreamViewType }) =>
      send(new UpdateTableCommand({ TableName, StreamSpecification }));
    await expect(update({ StreamEnabled: true, StreamViewType: 'KEYS_ONLY' })).rejects.toThrow(
      /already has an enabled/,
    );
    await put('a');
    await update({ StreamEnabled: false });
    await put('unseen');
    const { TableDescription } = await update({ StreamEnabled: true, StreamViewType: 'KEYS_ONLY' });
    await put('b');
    const renewed = TableDescription?.LatestStreamArn ?? '';
    expect(renewed).not.toBe(StreamArn);
    expect((await recordsOf(renewed)).map(pkOf)).toEqual(['b']);
  });

  rule('the shard of a deleted table is closed, and can still be read', async () => {
    const { TableName, StreamArn, put } = await table();
    await put('a');
    await send(new DeleteTableCommand({ TableName }));
    const [shard] = await shardsOf(StreamArn);
    expect(shard?.SequenceNumberRange?.EndingSequenceNumber).toBeDefined();
    const page = await read(await iteratorOf(StreamArn, 'TRIM_HORIZON'));
    expect(page.Records?.map(pkOf)).toEqual(['a']);
    expect(page.NextShardIterator ?? undefined).toBeUndefined();
  });

  rule('a stream or shard that is not there is said to be not found', async () => {
    const { StreamArn } = await table();
    const missing = StreamArn.replace(/\d{4}-.*$/, '1999-01-01T00:00:00.000');
    const notFound = { name: 'ResourceNotFoundException' };
    await expect(sendToStreams(new DescribeStreamCommand({ StreamArn: missing }))).rejects.toMatchObject(notFound);
    const where = { StreamArn, ShardId: 'shardId-00000000000000000000-00000000', ShardIteratorType: 'LATEST' as const };
    await expect(sendToStreams(new GetShardIteratorCommand(where))).rejects.toMatchObject(notFound);
  });
}
