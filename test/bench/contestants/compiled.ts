import { ByteWriter } from '../../../shared/bytes/writer.ts';
import { type PackedRecord, rowPacker } from '../../../shared/change-log/packing.ts';
import { changeLogRowWriter } from '../../../shared/change-log/row.ts';
import { isChange, isRejection, makeDecoder } from '../../../shared/changes/decode.ts';
import { assignEventTimes } from '../../../shared/changes/event-order.ts';
import { lastChangePerRecord } from '../../../shared/changes/last-change.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { batchWriteBodyWriter } from '../../../shared/online-store/body.ts';
import { ENTRIES_PER_CALL_MAX } from '../../../shared/sinks/feature-store.ts';

export interface Finished {
  readonly firehoseRecords: readonly PackedRecord<unknown>[];
  /** Sizes of the request bodies. Each is dropped once it is made, as when it is sent. */
  readonly bodyBytes: readonly number[];
  readonly writes: number;
  readonly rejected: number;
}

/** All of ingest's own work on a batch, and nothing else: from stream records to what goes over the wire. */
export function compiled(group: FeatureGroup): (event: { Records: readonly unknown[] }) => Finished {
  const decode = makeDecoder(group);
  const pack = rowPacker(changeLogRowWriter(group));
  const writeBody = batchWriteBodyWriter(group);
  const body = new ByteWriter();
  return ({ Records }) => {
    const decoded = Records.map((record) => ({ record, decoded: decode(record) }));
    const changes = decoded.map((it) => it.decoded).filter(isChange);
    const rejected = decoded.filter((it) => isRejection(it.decoded)).length;
    const timed = assignEventTimes(changes, new Map(), 0);
    const last = lastChangePerRecord(group, timed);
    const bodyBytes: number[] = [];
    for (let at = 0; at < last.length; at += ENTRIES_PER_CALL_MAX) {
      bodyBytes.push(writeBody(last.slice(at, at + ENTRIES_PER_CALL_MAX), body).length);
    }
    return { firehoseRecords: pack(timed), bodyBytes, writes: last.length, rejected };
  };
}
