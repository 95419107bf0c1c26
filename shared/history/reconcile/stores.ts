import type { DigestSums, RecordTexts } from '../../change-log/digests.ts';

/** An item of the table, as the definition reads it. */
export interface TableRecord {
  /** Its record identifier; undefined where its key makes none, which is a rejection. */
  readonly id: string | undefined;
  /** Undefined where the definition does not take the item: then `rejection` says why. */
  readonly texts: RecordTexts | undefined;
  readonly rejection?: string;
}

/** A record in the online store. */
export interface OnlineRecord {
  readonly texts: RecordTexts;
  readonly eventTime: string;
}

/** The latest change of a record in the change log. */
export interface LoggedRecord extends OnlineRecord {
  readonly eventName: string;
  readonly sequenceNumber: string;
  /** It says that the record is gone. */
  readonly isRemoved: boolean;
}

/** The table: what everything else is held against. All its reads are consistent. */
export interface TableReader {
  /** All records, page by page, in no order. Items that are none by the definition are left out. */
  scan(): AsyncIterable<readonly TableRecord[]>;
  /** Records of parts of the table, drawn at random, until nobody asks for more. */
  sample(): AsyncIterable<readonly TableRecord[]>;
  /** Records that are there, by identifier. */
  read(ids: readonly string[]): Promise<ReadonlyMap<string, TableRecord>>;
}

export interface OnlineReader {
  /** Records that are there, by identifier. */
  read(ids: readonly string[]): Promise<ReadonlyMap<string, OnlineRecord>>;
  /** Identifiers of some records, and where the next ones begin; undefined for the beginning, and at the end. */
  page(after: string | undefined): Promise<{ readonly ids: readonly string[]; readonly next: string | undefined }>;
}

export interface LogReader {
  /** Of the live rows. */
  sums(): Promise<DigestSums>;
  /** The identifiers of the live rows of some buckets, and each row's digest. */
  digests(buckets: readonly number[]): AsyncIterable<readonly (readonly [id: string, digest: string])[]>;
  /** The latest change of each of these records that has any. */
  latest(ids: readonly string[]): Promise<ReadonlyMap<string, LoggedRecord>>;
}

/** The places that are held against each other. A store that is not there is not looked at. */
export interface Stores {
  readonly table: TableReader;
  readonly online: OnlineReader;
  readonly log: LogReader | undefined;
}
