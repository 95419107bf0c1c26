import { describe, expect, test } from 'vitest';
import { changeLogSink, SentBytes } from '../../../shared/sinks/change-log.ts';
import { accounts, timedChange } from '../../given/builders.ts';
import { pace } from '../../given/pace.ts';

/** The sink before a Firehose that answers what a test says. */

interface Sent {
  readonly Records: readonly { readonly Data: Uint8Array }[];
}

function sinkOver(answer: (input: Sent, nth: number) => unknown = () => ({ FailedPutCount: 0 })) {
  const calls: string[][] = [];
  const sent = new SentBytes();
  const send = async ({ input }: { input: Sent }) => {
    calls.push(input.Records.map(({ Data }) => Buffer.from(Data).toString()));
    return answer(input, calls.length);
  };
  return { calls, sent, sink: changeLogSink(accounts, 'change-log', { send } as never, sent) };
}

const note = (bytes: number) => ['3', '12.50', 'team', '1', 'x'.repeat(bytes), undefined, undefined] as const;
/** Changes whose rows fill a record of Firehose each. */
const changes = (count: number) =>
  Array.from({ length: count }, (_, n) => timedChange({ sequenceNumber: String(n + 1), values: [...note(900_000)] }));

describe('the change log sink', () => {
  test('sends the rows of a batch once, and none of an earlier batch with a later one', async () => {
    const { sink, calls } = sinkOver();
    await sink.write([timedChange({ sequenceNumber: '1' })], pace());
    await sink.write([timedChange({ sequenceNumber: '2' })], pace());
    expect(calls.map((call) => call.join('').split(',')[0])).toEqual(['1', '2']);
  });

  test('sends again only the records that were not taken, and counts each of them once', async () => {
    const { sink, calls, sent } = sinkOver((_, nth) =>
      nth === 1
        ? { FailedPutCount: 1, RequestResponses: [{ RecordId: '1' }, { ErrorCode: 'ServiceUnavailableException' }] }
        : { FailedPutCount: 0 },
    );
    expect(await sink.write(changes(2), pace())).toEqual({ failures: [], rejections: [] });
    expect(calls.map((call) => call.map((it) => it.split(',')[0]))).toEqual([['1', '2'], ['2']]);
    const bytes = calls.flat().slice(0, 2).join('').length;
    const { payload, billed } = sent.take();
    expect(payload).toBe(bytes);
    expect(billed % 5_120).toBe(0);
    expect(billed).toBeGreaterThanOrEqual(bytes);
    expect(sent.take()).toEqual({ payload: 0, billed: 0 });
  });

  test('holds a record for not taken whose answer is missing', async () => {
    const { sink, calls } = sinkOver((_, nth) =>
      nth === 1 ? { FailedPutCount: 1, RequestResponses: [{ RecordId: '1' }] } : { FailedPutCount: 0 },
    );
    await sink.write(changes(2), pace());
    expect(calls.map((call) => call.length)).toEqual([2, 1]);
  });

  test('answers every change of a record that was never taken as failed, with the service’s code', async () => {
    let looks = 0;
    const short = pace({ deadline: 1, now: () => (looks++ < 4 ? 0 : 1) });
    const { sink } = sinkOver(() => ({ FailedPutCount: 1, RequestResponses: [{ ErrorCode: 'InternalFailure' }] }));
    const { failures } = await sink.write(
      ['1', '2'].map((sequenceNumber) => timedChange({ sequenceNumber })),
      short,
    );
    expect(failures).toEqual([
      { sequenceNumber: '1', message: 'change-log: InternalFailure' },
      { sequenceNumber: '2', message: 'change-log: InternalFailure' },
    ]);
  });

  test('answers a call that throws as failed', async () => {
    let looks = 0;
    const short = pace({ deadline: 1, now: () => (looks++ < 4 ? 0 : 1) });
    const { sink } = sinkOver(() => {
      throw Object.assign(new Error('m'), { name: 'ServiceUnavailableException' });
    });
    const { failures } = await sink.write([timedChange({ sequenceNumber: '1' })], short);
    expect(failures).toEqual([{ sequenceNumber: '1', message: 'change-log: ServiceUnavailableException' }]);
  });
});
