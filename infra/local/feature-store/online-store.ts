import type { DatabaseSync } from 'node:sqlite';
import { AwsError } from '../protocol/aws-error.ts';
import { eventTimeNs } from './event-time.ts';
import type { FeatureGroup } from './feature-group.ts';
import type { ValidRecord } from './record.ts';

/**
 * AWS's pages disagree on a put whose event time equals the stored one: PutRecord's reference takes only a *greater* one,
 * the developer guide says *equal or later*.
 */
export type TieRule = 'greater' | 'greater-or-equal';

/** A record of the online store, or the tombstone a soft delete leaves. */
export interface OnlineRecord {
  readonly recordIdentifier: string;
  readonly eventTime: string;
  /** When the store took it, in milliseconds since 1970. */
  readonly writeTimeMs: number;
  readonly deleted: boolean;
  readonly values: Readonly<Record<string, string>>;
}

interface Row {
  record_identifier: string;
  event_time: string;
  write_time_ms: number;
  deleted: number;
  feature_values: string;
}

/** The online stores of all feature groups in one table, with Feature Store's event-time rules for every write. */
export class OnlineStore {
  readonly #db: DatabaseSync;
  readonly #tieRule: TieRule;
  readonly #select;
  readonly #upsert;
  readonly #remove;
  readonly #page;

  constructor(db: DatabaseSync, tieRule: TieRule) {
    this.#db = db;
    this.#tieRule = tieRule;
    db.exec(`CREATE TABLE IF NOT EXISTS online_store (
      feature_group TEXT, record_identifier TEXT, event_time TEXT NOT NULL, write_time_ms INTEGER NOT NULL,
      deleted INTEGER NOT NULL, feature_values TEXT NOT NULL, PRIMARY KEY (feature_group, record_identifier)
    ) WITHOUT ROWID`);
    this.#select = db.prepare('SELECT * FROM online_store WHERE feature_group = ? AND record_identifier = ?');
    this.#upsert = db.prepare('INSERT OR REPLACE INTO online_store VALUES (?, ?, ?, ?, ?, ?)');
    this.#remove = db.prepare('DELETE FROM online_store WHERE feature_group = ? AND record_identifier = ?');
    this.#page = db.prepare(
      `SELECT * FROM online_store WHERE feature_group = ? AND record_identifier > ? AND deleted <= ?
       ORDER BY record_identifier LIMIT ?`,
    );
  }

  /** Full overwrite, if the event time says so; otherwise the record is history and the online store keeps what it has. */
  put(group: FeatureGroup, record: ValidRecord): void {
    if (this.#supersedes(group, record.recordIdentifier, record.eventTimeNs)) this.#write(group, record, false);
  }

  /**
   * Leaves a tombstone with the delete's event time, so that an older put cannot resurrect the record. A soft delete of
   * a record that is not there leaves one, too: its values are null but for identifier and event time.
   */
  softDelete(group: FeatureGroup, record: ValidRecord): void {
    if (this.#supersedes(group, record.recordIdentifier, record.eventTimeNs)) this.#write(group, record, true);
  }

  /**
   * Removes record and event time, so an older put does resurrect the record.
   *
   * @throws AwsError ValidationException when the event time is not later than the stored one (DeleteRecord).
   */
  hardDelete(group: FeatureGroup, record: ValidRecord): void {
    if (!this.#supersedes(group, record.recordIdentifier, record.eventTimeNs)) {
      throw new AwsError(
        'ValidationException',
        `EventTime: ${record.eventTime} is not later than that of the record ${record.recordIdentifier}`,
      );
    }
    this.#remove.run(group.name, record.recordIdentifier);
  }

  /** The live record; `undefined` when there is none or it is deleted. */
  get(group: FeatureGroup, recordIdentifier: string): OnlineRecord | undefined {
    const stored = this.#stored(group, recordIdentifier);
    return stored?.deleted ? undefined : stored;
  }

  /** At most `limit` records in the order of their identifiers, after the identifier `after`. */
  page(group: string, after: string, limit: number, includeDeleted: boolean): OnlineRecord[] {
    return (this.#page.all(group, after, includeDeleted ? 1 : 0, limit) as unknown as Row[]).map(recordOf);
  }

  /** Runs writes as one commit. A savepoint nests in whatever transaction another service may hold. */
  together<T>(writes: () => T): T {
    this.#db.exec('SAVEPOINT online_store');
    try {
      return writes();
    } finally {
      this.#db.exec('RELEASE online_store');
    }
  }

  #supersedes(group: FeatureGroup, recordIdentifier: string, ns: bigint): boolean {
    const stored = this.#stored(group, recordIdentifier);
    if (!stored) return true;
    const storedNs = eventTimeNs(stored.eventTime, group.eventTimeType);
    return ns > storedNs || (ns === storedNs && this.#tieRule === 'greater-or-equal');
  }

  #stored(group: FeatureGroup, recordIdentifier: string): OnlineRecord | undefined {
    const row = this.#select.get(group.name, recordIdentifier) as unknown as Row | undefined;
    return row && recordOf(row);
  }

  #write(group: FeatureGroup, record: ValidRecord, deleted: boolean): void {
    const values = JSON.stringify(record.values);
    this.#upsert.run(group.name, record.recordIdentifier, record.eventTime, Date.now(), deleted ? 1 : 0, values);
  }
}

function recordOf(row: Row): OnlineRecord {
  return {
    recordIdentifier: row.record_identifier,
    eventTime: row.event_time,
    writeTimeMs: row.write_time_ms,
    deleted: row.deleted === 1,
    values: JSON.parse(row.feature_values),
  };
}
