import type { DatabaseSync } from 'node:sqlite';

/** Records taken together, of one stream, in the order they came. */
export interface Buffered {
  readonly lastId: number;
  readonly oldestMs: number;
  readonly records: readonly Uint8Array[];
}

/** What delivery streams have taken and not yet delivered, in SQLite so that it survives a restart. */
export class Spool {
  readonly #db: DatabaseSync;
  readonly #insert;
  readonly #select;
  readonly #size;
  readonly #remove;

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(`CREATE TABLE IF NOT EXISTS firehose_spool (
      id INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, arrived_ms INTEGER NOT NULL, data BLOB NOT NULL
    ); CREATE INDEX IF NOT EXISTS firehose_spool_stream ON firehose_spool (stream, id)`);
    this.#insert = db.prepare('INSERT INTO firehose_spool (stream, arrived_ms, data) VALUES (?, ?, ?)');
    this.#select = db.prepare('SELECT id, arrived_ms, data FROM firehose_spool WHERE stream = ? ORDER BY id');
    this.#size = db.prepare(
      'SELECT total(length(data)) AS bytes, min(arrived_ms) AS oldest FROM firehose_spool WHERE stream = ?',
    );
    this.#remove = db.prepare('DELETE FROM firehose_spool WHERE stream = ? AND id <= ?');
  }

  /** One commit for all: an accepted batch is on disk before it is answered. */
  add(stream: string, records: readonly Uint8Array[], nowMs: number): void {
    this.#db.exec('SAVEPOINT firehose_spool');
    try {
      for (const data of records) this.#insert.run(stream, nowMs, data);
    } finally {
      this.#db.exec('RELEASE firehose_spool');
    }
  }

  all(stream: string): Buffered | undefined {
    const rows = this.#select.all(stream) as unknown as { id: number; arrived_ms: number; data: Uint8Array }[];
    const [first] = rows;
    const last = rows.at(-1);
    if (!first || !last) return undefined;
    return { lastId: last.id, oldestMs: first.arrived_ms, records: rows.map((row) => row.data) };
  }

  /** Bytes waiting, and when the oldest record came. `undefined` when nothing waits. */
  waiting(stream: string): { bytes: number; oldestMs: number } | undefined {
    const { bytes, oldest } = this.#size.get(stream) as unknown as { bytes: number; oldest: number | null };
    return oldest === null ? undefined : { bytes, oldestMs: oldest };
  }

  /** Forgets everything up to a record that has been delivered. */
  removeThrough(stream: string, lastId: number): void {
    this.#remove.run(stream, lastId);
  }
}
