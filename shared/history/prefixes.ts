/** Prefixes of the data bucket: exports of the table, and lists of files that a backfill's state machine works. */
export const EXPORTS_PREFIX = 'exports/';
export const BACKFILLS_PREFIX = 'backfills/';
