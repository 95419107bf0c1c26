import { ByteWriter } from '../bytes/writer.ts';
import type { RowWriter } from './row.ts';

/**
 * Packing of rows into Firehose records. Firehose bills each record rounded up to 5 KB, so that one row per record of
 * 200 bytes costs 25 times what packed rows do.
 */

/** Largest record, in bytes before base64. Source: PutRecordBatch, `Data max 1024000`. */
export const RECORD_DATA_BYTES_MAX = 1_024_000;
/** Most records in one call. Source: PutRecordBatch. */
export const RECORDS_PER_CALL_MAX = 500;
/** Largest call, in bytes. Source: PutRecordBatch, 4 MiB. */
export const CALL_BYTES_MAX = 4 * 1024 * 1024;
/** What a record is billed as a multiple of, in bytes. Source: Firehose pricing, direct PUT: 5 KB, of 1,024 bytes. */
export const BILLING_UNIT_BYTES = 5 * 1024;

/** A Firehose record, and what its rows were made of, in order. */
export interface PackedRecord<T> {
  readonly data: Uint8Array;
  readonly rows: readonly T[];
}

/**
 * Makes the packer of rows (each ending with its newline: Firehose adds no separator) into as few records as their
 * limit allows. Rows are written one behind the other into one stretch of memory, which is kept for the next batch.
 *
 * @throws RangeError for a row larger than a record, which decoding makes impossible (350 KB doubled by escapes).
 */
export function rowPacker<T>(writeRow: RowWriter<T>): (rows: readonly T[]) => PackedRecord<T>[] {
  const open = new ByteWriter();
  return (rows) => {
    const packed: PackedRecord<T>[] = [];
    let first = 0;
    open.clear();
    for (const [index, row] of rows.entries()) {
      const start = open.length;
      writeRow(row, open);
      if (open.length <= RECORD_DATA_BYTES_MAX) continue;
      const rowBytes = open.length - start;
      if (rowBytes > RECORD_DATA_BYTES_MAX) {
        throw new RangeError(`A row has ${rowBytes} bytes; a Firehose record holds ${RECORD_DATA_BYTES_MAX}`);
      }
      packed.push({ data: open.copy(0, start), rows: rows.slice(first, index) });
      open.dropBefore(start);
      first = index;
    }
    if (open.length > 0) packed.push({ data: open.copy(0, open.length), rows: rows.slice(first) });
    return packed;
  };
}

/** What Firehose bills for records of these sizes, in bytes. */
export function billedBytes(records: readonly PackedRecord<unknown>[]): number {
  return records.reduce(
    (bytes, { data }) => bytes + Math.ceil(data.length / BILLING_UNIT_BYTES) * BILLING_UNIT_BYTES,
    0,
  );
}

/** Splits records, in order, into calls within PutRecordBatch's limits. */
export function groupIntoCalls<T>(records: readonly PackedRecord<T>[]): PackedRecord<T>[][] {
  const calls: PackedRecord<T>[][] = [];
  let bytes = 0;
  for (const record of records) {
    const call = calls.at(-1);
    if (!call || call.length === RECORDS_PER_CALL_MAX || bytes + record.data.length > CALL_BYTES_MAX) {
      calls.push([record]);
      bytes = record.data.length;
    } else {
      call.push(record);
      bytes += record.data.length;
    }
  }
  return calls;
}
