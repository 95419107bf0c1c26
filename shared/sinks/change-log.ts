import type { FirehoseClient } from '@aws-sdk/client-firehose';
import { sendRows } from '../change-log/firehose.ts';
import { billedBytes, type PackedRecord, rowPacker } from '../change-log/packing.ts';
import { changeLogRowWriter } from '../change-log/row.ts';
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
      const stream = { name: deliveryStreamName, firehose };
      const { records, error } = await sendRows(stream, pack(changes), pace, (taken) => sent?.add(taken));
      return {
        failures: records.flatMap(({ rows }) =>
          rows.map(({ sequenceNumber }) => ({ sequenceNumber, message: `change-log: ${error}` })),
        ),
        rejections: [],
      };
    },
  };
}
