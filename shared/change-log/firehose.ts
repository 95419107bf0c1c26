import { type FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import { describeError } from '../calls/failure.ts';
import { type Pace, retryUntilDeadline } from '../calls/pace.ts';
import { groupIntoCalls, type PackedRecord } from './packing.ts';

/** A delivery stream, and how to reach it. */
export interface DeliveryStream {
  readonly name: string;
  readonly firehose: Pick<FirehoseClient, 'send'>;
}

/** What Firehose had not taken in time, and the last error. */
export interface Unsent<T> {
  readonly records: readonly PackedRecord<T>[];
  readonly error: string;
}

/**
 * Sends packed rows, again and again until the deadline, those alone that were not taken. Not idempotent: a call whose
 * answer was lost is sent again, so each row bears what tells its copies.
 *
 * @param taken told what Firehose has taken.
 */
export async function sendRows<T>(
  { name, firehose }: DeliveryStream,
  packed: readonly PackedRecord<T>[],
  pace: Pace,
  taken: (records: readonly PackedRecord<T>[]) => void = () => {},
): Promise<Unsent<T>> {
  let error = 'no time left';
  const records = await retryUntilDeadline(packed, pace, async (pending) => {
    const left: PackedRecord<T>[] = [];
    for (const call of groupIntoCalls(pending)) {
      const result = pace.now() < pace.deadline ? await put(call) : { records: call, error };
      left.push(...result.records);
      error = result.error ?? error;
    }
    return left;
  });
  return { records, error };

  async function put(
    call: readonly PackedRecord<T>[],
  ): Promise<{ records: readonly PackedRecord<T>[]; error?: string }> {
    try {
      const { FailedPutCount, RequestResponses } = await firehose.send(
        new PutRecordBatchCommand({ DeliveryStreamName: name, Records: call.map(({ data }) => ({ Data: data })) }),
        { abortSignal: pace.signal },
      );
      if (FailedPutCount === 0) {
        taken(call);
        return { records: [] };
      }
      // One answer per record, in order. An answer that is missing is not a success.
      const failed = call.filter((_, index) => RequestResponses?.[index]?.RecordId === undefined);
      taken(call.filter((record) => !failed.includes(record)));
      const first = RequestResponses?.find(({ ErrorCode }) => ErrorCode !== undefined);
      return { records: failed, error: String(first?.ErrorCode) };
    } catch (cause) {
      return { records: call, error: describeError(cause) };
    }
  }
}
