import { type FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import { describeError } from '../calls/failure.ts';
import { retryUntilDeadline } from '../calls/pace.ts';
import { billedBytes, groupIntoCalls, type PackedRecord, rowPacker } from '../change-log/packing.ts';
import { changeLogRowWriter } from '../change-log/row.ts';
import type { TimedChange } from '../changes/change.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import type { Sink } from './sink.ts';

/** Bytes that Firehose has taken: what they are, and what they are billed as. */
export class SentBytes {
  #payload = 0;
  #billed = 0;

  add(records: readonly PackedRecord<unknown>[]): void {
    this.#payload += records.reduce((bytes, { data }) => bytes + data.length, 0);
    this.#billed += billedBytes(records);
  }

  /** @returns the bytes since the last time it was asked. */
  take(): { readonly payload: number; readonly billed: number } {
    const taken = { payload: this.#payload, billed: this.#billed };
    this.#payload = 0;
    this.#billed = 0;
    return taken;
  }
}

/**
 * The change log: every change as a CSV row, through Firehose into S3.
 *
 * Idempotent by the reader: a row carries its change's sequence number, and the same change written twice (a batch
 * delivered again, a call whose answer was lost, Firehose's own at-least-once delivery) is the same row twice, of which
 * the view keeps one.
 */
export function changeLogSink(
  group: FeatureGroup,
  deliveryStreamName: string,
  firehose: Pick<FirehoseClient, 'send'>,
  sent?: SentBytes,
): Sink {
  const pack = rowPacker(changeLogRowWriter(group));
  return {
    name: 'change-log',
    async write(changes, pace) {
      const packed = pack(changes);
      let lastError = 'no time left';
      const failed = await retryUntilDeadline(packed, pace, async (records) => {
        const left: PackedRecord<TimedChange>[] = [];
        for (const call of groupIntoCalls(records)) {
          const result = pace.now() < pace.deadline ? await put(call, pace.signal) : { failed: call };
          left.push(...result.failed);
          if ('error' in result) lastError = result.error;
        }
        return left;
      });
      return {
        failures: failed.flatMap(({ changes: unwritten }) =>
          unwritten.map(({ sequenceNumber }) => ({ sequenceNumber, message: `change-log: ${lastError}` })),
        ),
        rejections: [],
      };
    },
  };

  async function put(
    call: readonly PackedRecord<TimedChange>[],
    abortSignal: AbortSignal,
  ): Promise<{ failed: readonly PackedRecord<TimedChange>[]; error: string } | { failed: readonly never[] }> {
    try {
      const { FailedPutCount, RequestResponses } = await firehose.send(
        new PutRecordBatchCommand({
          DeliveryStreamName: deliveryStreamName,
          Records: call.map(({ data }) => ({ Data: data })),
        }),
        { abortSignal },
      );
      if (FailedPutCount === 0) {
        sent?.add(call);
        return { failed: [] };
      }
      // One answer per record, in order. An answer that is missing is not a success.
      const failed = call.filter((_, index) => RequestResponses?.[index]?.RecordId === undefined);
      sent?.add(call.filter((record) => !failed.includes(record)));
      const first = RequestResponses?.find(({ ErrorCode }) => ErrorCode !== undefined);
      return { failed, error: String(first?.ErrorCode) };
    } catch (error) {
      return { failed: call, error: describeError(error) };
    }
  }
}
