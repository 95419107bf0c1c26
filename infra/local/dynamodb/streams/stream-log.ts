import { createHash, randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { ACCOUNT, REGION } from '../back-end.ts';
import { type Image, imageBytes, sameImage } from './image.ts';

/** How long a stream keeps its records. Source: DynamoDB developer guide, "data retention limit". */
export const RETENTION_MILLIS = 24 * 3_600_000;

/** Sequence numbers are this far apart, which gives them AWS's shape: 21 digits and more, of varying length. */
const SEQUENCE_UNIT = 10n ** 20n;

export type StreamViewType = 'NEW_AND_OLD_IMAGES' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'KEYS_ONLY';

/** A stream, which has one shard. A table's stream that is enabled again is another stream. */
export interface Stream {
  readonly arn: string;
  readonly tableName: string;
  readonly label: string;
  readonly viewType: StreamViewType;
  readonly shardId: string;
  readonly keySchema: readonly { AttributeName: string; KeyType: string }[];
  readonly createdMillis: number;
  /** When it was disabled, and its shard closed. */
  readonly closedMillis: number | undefined;
  /** Position before its first record. */
  readonly start: number;
  /** Position of the last record that was trimmed, or its start. */
  readonly trimmed: number;
}

/** A write about to be made: what the item was, remembered before it changes. */
export interface Intent {
  readonly id: number;
  readonly stream: Stream;
  readonly keys: Image;
  readonly before: Image | undefined;
  readonly byTimeToLive: boolean;
}

/** Position of the record with a sequence number: `after` the record itself, `at` just before it. */
export function positionOf(sequenceNumber: string, where: 'at' | 'after'): number {
  const number = BigInt(sequenceNumber);
  return Number(where === 'after' ? number / SEQUENCE_UNIT : (number - 1n) / SEQUENCE_UNIT);
}

export function sequenceNumberOf(position: number): string {
  return (BigInt(position) * SEQUENCE_UNIT).toString();
}

/**
 * Streams and their records in SQLite. A record is written in two steps, around the write it tells of: the intent with
 * the before-image, then the record with the after-image. An intent left by a crash is settled at the next start by
 * looking at the item, so that no change goes without its record.
 */
export class StreamLog {
  readonly #db: DatabaseSync;
  /** Enabled streams by table. */
  readonly #enabled = new Map<string, Stream>();
  readonly #insertIntent;
  readonly #finish;
  readonly #drop;
  readonly #select;

  constructor(db: DatabaseSync) {
    this.#db = db;
    // Loses nothing when the process dies; the operating system's crash may cost the last writes, as with LevelDB.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    db.exec(`
      CREATE TABLE IF NOT EXISTS dynamodb_streams (
        arn TEXT PRIMARY KEY, table_name TEXT, label TEXT, view_type TEXT, shard_id TEXT, key_schema TEXT,
        created_millis INTEGER, closed_millis INTEGER, start INTEGER, trimmed INTEGER);
      CREATE TABLE IF NOT EXISTS dynamodb_stream_records (
        id INTEGER PRIMARY KEY AUTOINCREMENT, stream_arn TEXT, created_millis INTEGER, record TEXT,
        keys TEXT, before_image TEXT, by_time_to_live INTEGER);
      CREATE INDEX IF NOT EXISTS dynamodb_stream_records_by_stream ON dynamodb_stream_records (stream_arn, id);`);
    this.#insertIntent = db.prepare(
      'INSERT INTO dynamodb_stream_records (stream_arn, keys, before_image, by_time_to_live) VALUES (?, ?, ?, ?)',
    );
    this.#finish = db.prepare(
      'UPDATE dynamodb_stream_records SET record = ?, created_millis = ?, keys = NULL, before_image = NULL WHERE id = ?',
    );
    this.#drop = db.prepare('DELETE FROM dynamodb_stream_records WHERE id = ?');
    this.#select = db.prepare(
      'SELECT id, record FROM dynamodb_stream_records WHERE stream_arn = ? AND id > ? AND record IS NOT NULL ORDER BY id LIMIT ?',
    );
    for (const stream of this.streams()) {
      if (stream.closedMillis === undefined) this.#enabled.set(stream.tableName, stream);
    }
  }

  enabledOn(tableName: string): Stream | undefined {
    return this.#enabled.get(tableName);
  }

  /** Every stream whose records are still kept, in the order of their creation. */
  streams(): Stream[] {
    return this.#db.prepare('SELECT * FROM dynamodb_streams ORDER BY start, arn').all().map(toStream);
  }

  enable(tableName: string, viewType: StreamViewType, keySchema: Stream['keySchema']): Stream {
    const now = Date.now();
    const label = new Date(now).toISOString().slice(0, -1);
    const start = this.#lastPosition();
    const stream: Stream = {
      arn: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${tableName}/stream/${label}`,
      tableName,
      label,
      viewType,
      shardId: `shardId-${String(now).padStart(20, '0')}-${randomBytes(4).toString('hex')}`,
      keySchema,
      createdMillis: now,
      closedMillis: undefined,
      start,
      trimmed: start,
    };
    this.#db
      .prepare('INSERT INTO dynamodb_streams VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?)')
      .run(
        stream.arn,
        tableName,
        label,
        viewType,
        stream.shardId,
        JSON.stringify(keySchema),
        stream.createdMillis,
        start,
        start,
      );
    this.#enabled.set(tableName, stream);
    return stream;
  }

  /** Closes a table's stream. It can be read until its records are trimmed. */
  disable(tableName: string): void {
    const stream = this.#enabled.get(tableName);
    if (!stream) return;
    this.#db.prepare('UPDATE dynamodb_streams SET closed_millis = ? WHERE arn = ?').run(Date.now(), stream.arn);
    this.#enabled.delete(tableName);
  }

  intend(intents: readonly Omit<Intent, 'id'>[]): Intent[] {
    return this.#transaction(intents.length, () =>
      intents.map((intent) => {
        const { stream, keys, before, byTimeToLive } = intent;
        const { lastInsertRowid } = this.#insertIntent.run(
          stream.arn,
          JSON.stringify(keys),
          before ? JSON.stringify(before) : null,
          byTimeToLive ? 1 : 0,
        );
        return { ...intent, id: Number(lastInsertRowid) };
      }),
    );
  }

  /** Turns intents into records, given what the items are now; those that changed nothing leave no trace. */
  settle(outcomes: readonly { intent: Intent; after: Image | undefined }[]): void {
    const now = Date.now();
    this.#transaction(outcomes.length, () => {
      for (const { intent, after } of outcomes) {
        if (sameImage(intent.before, after)) this.#drop.run(intent.id);
        else this.#finish.run(JSON.stringify(toRecord(intent, after, now)), now, intent.id);
      }
    });
  }

  /** Intents that a crash left open. */
  open(): Intent[] {
    const streams = new Map(this.streams().map((stream) => [stream.arn, stream]));
    const rows = this.#db.prepare('SELECT * FROM dynamodb_stream_records WHERE record IS NULL ORDER BY id').all();
    return rows.flatMap((row) => {
      const stream = streams.get(String(row.stream_arn));
      if (!stream) return [];
      const before = row.before_image === null ? undefined : JSON.parse(String(row.before_image));
      const byTimeToLive = row.by_time_to_live === 1;
      return [{ id: Number(row.id), stream, keys: JSON.parse(String(row.keys)), before, byTimeToLive }];
    });
  }

  /** Records after a position, in order, each as the text of its JSON. */
  read(stream: Stream, position: number, limit: number): { position: number; text: string }[] {
    return this.#select
      .all(stream.arn, position, limit)
      .map((row) => ({ position: Number(row.id), text: String(row.record) }));
  }

  /** Position of a stream's newest record. */
  end(stream: Stream): number {
    const row = this.#db
      .prepare('SELECT max(id) AS id FROM dynamodb_stream_records WHERE stream_arn = ? AND record IS NOT NULL')
      .get(stream.arn);
    return Number(row?.id ?? stream.trimmed);
  }

  /** Forgets records older than the retention, and streams closed for as long. */
  trim(now = Date.now()): void {
    const horizon = now - RETENTION_MILLIS;
    this.#transaction(2, () => {
      this.#db
        .prepare(
          `UPDATE dynamodb_streams SET trimmed = max(trimmed, coalesce((SELECT max(id) FROM dynamodb_stream_records
           WHERE stream_arn = arn AND created_millis < ?), 0))`,
        )
        .run(horizon);
      this.#db.prepare('DELETE FROM dynamodb_stream_records WHERE created_millis < ?').run(horizon);
      this.#db.prepare('DELETE FROM dynamodb_streams WHERE closed_millis < ?').run(horizon);
    });
  }

  #lastPosition(): number {
    const row = this.#db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'dynamodb_stream_records'").get();
    return Number(row?.seq ?? 0);
  }

  #transaction<T>(statements: number, run: () => T): T {
    if (statements < 2) return run();
    this.#db.exec('BEGIN');
    try {
      const result = run();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}

function toStream(row: Record<string, unknown>): Stream {
  return {
    arn: String(row.arn),
    tableName: String(row.table_name),
    label: String(row.label),
    viewType: row.view_type as StreamViewType,
    shardId: String(row.shard_id),
    keySchema: JSON.parse(String(row.key_schema)),
    createdMillis: Number(row.created_millis),
    closedMillis: row.closed_millis === null ? undefined : Number(row.closed_millis),
    start: Number(row.start),
    trimmed: Number(row.trimmed),
  };
}

function toRecord({ id, stream, before, byTimeToLive }: Intent, after: Image | undefined, now: number): object {
  const { viewType } = stream;
  // Keys are taken from the item, as it is stored, not from the request: its numbers may be written otherwise.
  const item = after ?? before ?? {};
  const keys = Object.fromEntries(stream.keySchema.map(({ AttributeName: name }) => [name, item[name] ?? {}]));
  const newImage = viewType === 'NEW_AND_OLD_IMAGES' || viewType === 'NEW_IMAGE' ? after : undefined;
  const oldImage = viewType === 'NEW_AND_OLD_IMAGES' || viewType === 'OLD_IMAGE' ? before : undefined;
  return {
    eventID: createHash('md5').update(`${stream.arn}/${id}`).digest('hex'),
    eventName: before ? (after ? 'MODIFY' : 'REMOVE') : 'INSERT',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: REGION,
    dynamodb: {
      // AWS rounds down to the second; nothing finer is on a stream.
      ApproximateCreationDateTime: Math.floor(now / 1_000),
      Keys: keys,
      ...(newImage && { NewImage: newImage }),
      ...(oldImage && { OldImage: oldImage }),
      SequenceNumber: sequenceNumberOf(id),
      SizeBytes: imageBytes(keys) + imageBytes(newImage) + imageBytes(oldImage),
      StreamViewType: viewType,
    },
    ...(byTimeToLive && { userIdentity: { PrincipalId: 'dynamodb.amazonaws.com', Type: 'Service' } }),
  };
}
