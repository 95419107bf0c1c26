/**
 * Bytes of one row in each form, as the project writes and reads them. test/contract/training/bytes-a-row.test.ts derives
 * them from rows of the worked example, whose identifiers no compression shortens, and fails when they are others.
 */
export const MEASURED = {
  /** An item as DynamoDB sizes it: names and values. */
  itemBytes: 277,
  /** A change in the change log, as text, which a query reads whole. */
  changeLogRowBytes: 220,
  /** A record in a snapshot, as compressed Parquet, all columns. */
  snapshotRowBytes: 38,
  /** Of a labeled record, the columns that the counts of a training read, and those that its rows are made from. */
  countsRowBytes: 35,
  trainingRowBytes: 35,
} as const;
