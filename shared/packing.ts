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

/** A Firehose record, and the changes whose rows it holds, in stream order. */
export interface PackedRecord<T> {
  readonly data: Uint8Array;
  readonly changes: readonly T[];
}

/**
 * Packs rows (each ending with its newline: Firehose adds no separator) into as few records as their limit allows.
 *
 * @throws RangeError for a row larger than a record, which decoding makes impossible (350 KB doubled by escapes).
 */
export function packRows<T>(rows: readonly { readonly change: T; readonly row: string }[]): PackedRecord<T>[] {
  const packed: PackedRecord<T>[] = [];
  let open: { parts: Buffer[]; changes: T[]; bytes: number } = { parts: [], changes: [], bytes: 0 };
  const seal = () => {
    if (open.changes.length > 0) packed.push({ data: Buffer.concat(open.parts, open.bytes), changes: open.changes });
    open = { parts: [], changes: [], bytes: 0 };
  };
  for (const { change, row } of rows) {
    const bytes = Buffer.from(row);
    if (bytes.length > RECORD_DATA_BYTES_MAX) {
      throw new RangeError(
        `A change log row has ${bytes.length} bytes; a Firehose record holds ${RECORD_DATA_BYTES_MAX}`,
      );
    }
    if (open.bytes + bytes.length > RECORD_DATA_BYTES_MAX) seal();
    open.parts.push(bytes);
    open.changes.push(change);
    open.bytes += bytes.length;
  }
  seal();
  return packed;
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
