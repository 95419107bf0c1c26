/** How far the clock of an export may differ from those of applications, stream and functions, in seconds, five times over. */
export const EXPORT_MARGIN_SECONDS = 300;

/**
 * How far the clock of who reads an item may differ from the stream's, in seconds: by so much a statement as of a
 * reading, or of a page of a scan, is dated before it.
 */
export const READING_MARGIN_SECONDS = 60;

/**
 * The event time of all that states how items were as of a moment: just before everything which that statement may not
 * have seen. A change it has not seen has a later second than τ − M by the stream's clock, so it wins, whenever either
 * is written; a change it has seen and is dated after is overwritten by something as new or newer.
 *
 * Never the time at which an item was written (`WriteTimestampMicros`): the stream has whole seconds, so a line of
 * 12.7 s would win over a change of 12.9 s, which is dated 12.001.
 *
 * @param asOfMs τ in epoch milliseconds.
 * @param marginSeconds M, at least by how much clocks may differ.
 * @returns epoch milliseconds.
 */
export function statementTime(asOfMs: number, marginSeconds: number): number {
  return (Math.floor(asOfMs / 1_000) - marginSeconds) * 1_000 - 1;
}
