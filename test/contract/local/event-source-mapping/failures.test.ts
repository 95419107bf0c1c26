import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  failAt,
  items,
  type LambdaRecord,
  OnFailure,
  pkOf,
  streamedTable,
} from '../../../given/local/streamed-table.ts';

let table: Awaited<ReturnType<typeof streamedTable>>;

beforeEach(async () => {
  table = await streamedTable();
});
afterEach(() => table.close());

describe('an event source mapping, when a batch fails,', () => {
  test('retries from the lowest failed record on, those after it included', async () => {
    await table.put(...items(6));
    let failures = 0;
    const mapping = table.start((records) => {
      const [first, second] = [
        records.find((it) => pkOf(it) === 'item-4'),
        records.find((it) => pkOf(it) === 'item-2'),
      ];
      failures += 1;
      if (failures > 1 || !first || !second) return null;
      return { batchItemFailures: [first, second].map((it) => ({ itemIdentifier: it.dynamodb.SequenceNumber })) };
    });
    await mapping.idle();
    expect(table.invocations).toEqual([items(6), items(6).slice(2)]);
  });

  test('ignores the answer where the response type is not configured', async () => {
    await table.put(...items(3));
    await table.start((records) => failAt(records[0]), { FunctionResponseTypes: [] }).idle();
    expect(table.invocations).toEqual([items(3)]);
  });

  test('retries the whole batch when the function throws or names a record that is not there', async () => {
    await table.put(...items(3));
    const mapping = table.start(() => {
      if (table.invocations.length === 1) throw new Error('the world is wrong');
      return table.invocations.length === 2 ? { batchItemFailures: [{ itemIdentifier: '1' }] } : null;
    });
    await mapping.idle();
    expect(table.invocations).toEqual([items(3), items(3), items(3)]);
  });

  test('gives the whole batch up after its retries, sends it on, and goes on with the next', async () => {
    await table.put(...items(4));
    const mapping = table.start(
      (records) => {
        if (records.some((it) => pkOf(it) === 'item-1')) throw new Error('poison');
      },
      { BatchSize: 2, MaximumRetryAttempts: 2, ...OnFailure },
    );
    await mapping.idle();
    const poisoned = ['item-0', 'item-1'];
    expect(table.invocations).toEqual([poisoned, poisoned, poisoned, ['item-2', 'item-3']]);
    expect(mapping.status().discarded).toBe(2);
    const [failed, ...others] = await table.failedBatches();
    expect(others).toEqual([]);
    expect(failed?.record.requestContext).toMatchObject({
      condition: 'RetryAttemptsExhausted',
      approximateInvokeCount: 3,
    });
  });

  test.each([0, 3, 7])('isolates poison record %i by bisecting, and loses no other', async (poison) => {
    await table.put(...items(8));
    const done: string[] = [];
    const mapping = table.start(
      (records) => {
        if (records.some((it) => pkOf(it) === `item-${poison}`)) throw new Error('poison');
        done.push(...records.map(pkOf));
      },
      { BisectBatchOnFunctionError: true, MaximumRetryAttempts: 1, ...OnFailure },
    );
    await mapping.idle();
    expect(done).toEqual(items(8).filter((it) => it !== `item-${poison}`));
    const failed = await table.failedBatches();
    expect(failed.map((it) => JSON.parse(it.record.payload).Records.map(pkOf))).toEqual([[`item-${poison}`]]);
  });

  test('sends the whole invocation record to S3, under the documented key', async () => {
    await table.put('a', 'b');
    const mapping = table.start(
      () => {
        throw new Error('always');
      },
      { MaximumRetryAttempts: 0, ...OnFailure },
    );
    await mapping.idle();
    const [failed] = await table.failedBatches();
    const shardId = mapping.status().shards[0]?.shardId;
    expect(failed?.key).toMatch(
      new RegExp(
        `^aws/lambda/11111111-2222-3333-4444-555555555555/${shardId}/\\d{4}/\\d\\d/\\d\\d/\\d{4}-\\d\\d-\\d\\dT\\d\\d\\.\\d\\d\\.\\d\\d-[0-9a-f-]{36}$`,
      ),
    );
    const { payload, ...record } = failed?.record ?? {};
    const event = JSON.parse(payload) as { Records: LambdaRecord[] };
    expect(event.Records.map(pkOf)).toEqual(['a', 'b']);
    const arrival = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(record).toEqual({
      requestContext: {
        requestId: 'request-1',
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:ingest',
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 1,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp: expect.any(String),
      DDBStreamBatchInfo: {
        shardId,
        startSequenceNumber: event.Records[0]?.dynamodb.SequenceNumber,
        endSequenceNumber: event.Records[1]?.dynamodb.SequenceNumber,
        approximateArrivalOfFirstRecord: arrival,
        approximateArrivalOfLastRecord: arrival,
        batchSize: 2,
        streamArn: table.streamArn,
      },
    });
  });

  test('passes over records that are too old, and sends them on', async () => {
    await table.put('old');
    await table.put('young');
    const aged: typeof table.call = async (service, operation, request) => {
      const answer = (await table.call(service, operation, request)) as { Records?: LambdaRecord[] };
      const old = answer.Records?.find((record) => pkOf(record) === 'old');
      if (old) Object.assign(old.dynamodb, { ApproximateCreationDateTime: Math.floor(Date.now() / 1_000) - 120 });
      return answer;
    };
    await table.start(() => null, { MaximumRecordAgeInSeconds: 60, ...OnFailure }, { call: aged }).idle();
    expect(table.invocations).toEqual([['young']]);
    const [failed] = await table.failedBatches();
    expect(failed?.record.requestContext.condition).toBe('RecordAgeExceeded');
    expect(JSON.parse(failed?.record.payload).Records.map(pkOf)).toEqual(['old']);
  });

  test('does not count an invocation that was refused as an attempt', async () => {
    await table.put('a');
    let refused = 0;
    const invoke = async () => {
      refused += 1;
      if (refused < 4) throw new Error('TooManyRequestsException');
      return { requestId: 'request', payload: 'null' };
    };
    const mapping = table.start(() => null, { MaximumRetryAttempts: 0 }, { invoke, retryMillis: { first: 1, max: 1 } });
    await mapping.idle();
    expect(refused).toBe(4);
    expect(mapping.status().discarded).toBe(0);
  });
});
