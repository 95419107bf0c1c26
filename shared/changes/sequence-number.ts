/**
 * Sequence numbers of stream records: digits only, 21 to 40 of them in AWS.
 * Source: DynamoDB Streams API, StreamRecord.
 */

/** Longest sequence number, in digits. Source: DynamoDB Streams API, SequenceNumber: 21 to 40. */
export const SEQUENCE_NUMBER_DIGITS_MAX = 40;

/** The record's sequence number, if it has one. */
export function sequenceNumberOf(record: unknown): string | undefined {
  const value = (record as { dynamodb?: { SequenceNumber?: unknown } } | null)?.dynamodb?.SequenceNumber;
  return typeof value === 'string' && value.length <= SEQUENCE_NUMBER_DIGITS_MAX && isDigits(value) ? value : undefined;
}

function isDigits(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text.length > 0;
}

/** Order of two sequence numbers. Their lengths vary, so text order is wrong. */
export function compareSequenceNumbers(a: string, b: string): number {
  if (a.length === b.length) return a < b ? -1 : a > b ? 1 : 0;
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** A sequence number of fixed width, for stores that can only compare text. */
export function paddedSequenceNumber(sequenceNumber: string): string {
  return sequenceNumber.padStart(SEQUENCE_NUMBER_DIGITS_MAX, '0');
}
