import { hash, randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { ACCOUNT, REGION } from '../../protocol/arn.ts';
import { type Image, imageBytes, sameImage } from '../engine/image.ts';

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

/** An item before or after a write, its size, and its JSON text, which records are put together from. */
export interface ImageText {
  readonly item: Image;
  readonly text: string;
  readonly bytes: number;
}

/** Position of the record with a sequence number: `after` the record itself, `at` just before it. */
export function positionOf(sequenceNumber: string, where: 'at' | 'after'): number {
  const number = BigInt(sequenceNumber);
  return Number(where === 'after' ? number / SEQUENCE_UNIT : (number - 1n) / SEQUENCE_UNIT);
}

export function sequenceNumberOf(position: number): string {
  return (BigInt(position) * SEQUENCE_UNIT).toString();
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS streams (
    id INTEGER PRIMARY KEY, arn TEXT UNIQUE, table_name TEXT, label TEXT, view_type TEXT, shard_id TEXT, key_schema TEXT,
    created_millis INTEGER, closed_millis INTEGER, start INTEGER, trimmed INTEGER);
  CREATE TABLE IF NOT EXISTS stream_records (
    id INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER, created_millis INTEGER, record TEXT);
  CREATE INDEX IF NOT EXISTS stream_records_by_stream ON stream_records (stream, id);`;

/**
 * Streams and their records in SQLite. A record is written in the transaction of the write it tells of: there is never
 * one without the other.
 */
export class StreamLog {
  readonly #db: DatabaseSync;
  /** Streams whose records are still kept, in the order of their creation, and their numbers. */
  readonly #streams = new Map<Stream, number>();
  /** Enabled streams by table. */
  readonly #enabled = new Map<string, Stream>();
  readonly #insert;
  readonly #select;
  #position = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(SCHEMA);
    this.#insert = db.prepare('INSERT INTO stream_records VALUES (?, ?, ?, ?)');
    this.#select = db.prepare('SELECT id, record FROM stream_records WHERE stream = ? AND id > ? ORDER BY id LIMIT ?');
    this.reload();
  }

  /** Forgets what is remembered beside the database, as after a rollback. */
  reload(): void {
    this.#streams.clear();
    this.#enabled.clear();
    for (const row of this.#db.prepare('SELECT * FROM streams ORDER BY id').all()) {
      const stream = toStream(row);
      this.#streams.set(stream, Number(row.id));
      if (stream.closedMillis === undefined) this.#enabled.set(stream.tableName, stream);
    }
    const row = this.#db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'stream_records'").get();
    this.#position = Number(row?.seq ?? 0);
  }

  enabledOn(tableName: string): Stream | undefined {
    return this.#enabled.get(tableName);
  }

  /** Every stream whose records are still kept, in the order of their creation. */
  streams(): Stream[] {
    return [...this.#streams.keys()];
  }

  enable(tableName: string, viewType: StreamViewType, keySchema: Stream['keySchema']): Stream {
    const now = Date.now();
    const label = new Date(now).toISOString().slice(0, -1);
    const arn = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${tableName}/stream/${label}`;
    const shardId = `shardId-${String(now).padStart(20, '0')}-${randomBytes(4).toString('hex')}`;
    this.#db
      .prepare('INSERT INTO streams VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?)')
      .run(arn, tableName, label, viewType, shardId, JSON.stringify(keySchema), now, this.#position, this.#position);
    this.reload();
    return this.enabledOn(tableName) as Stream;
  }

  /** Closes a table's stream. It can be read until its records are trimmed. */
  disable(tableName: string): void {
    this.#db
      .prepare('UPDATE streams SET closed_millis = ? WHERE table_name = ? AND closed_millis IS NULL')
      .run(Date.now(), tableName);
    this.reload();
  }

  /** Puts a record of a write on the table's stream, if it has one; a write that changed nothing leaves no trace. */
  record(tableName: string, before?: ImageText, after?: ImageText, byTimeToLive = false): void {
    const stream = this.#enabled.get(tableName);
    if (!stream || before?.text === after?.text || sameImage(before?.item, after?.item)) return;
    const now = Date.now();
    this.#position += 1;
    const text = recordText(stream, this.#position, now, before, after, byTimeToLive);
    this.#insert.run(this.#position, this.#streams.get(stream) ?? 0, now, text);
  }

  /** Records after a position, in order, each as the text of its JSON. */
  *read(stream: Stream, position: number, limit: number): Generator<{ position: number; text: string }> {
    for (const row of this.#select.iterate(this.#streams.get(stream) ?? 0, position, limit)) {
      yield { position: Number(row.id), text: String(row.record) };
    }
  }

  /** Position of a stream's newest record. */
  end(stream: Stream): number {
    const row = this.#db
      .prepare('SELECT max(id) AS id FROM stream_records WHERE stream = ?')
      .get(this.#streams.get(stream) ?? 0);
    return Number(row?.id ?? stream.trimmed);
  }

  /** Forgets records older than the retention, and streams closed for as long. */
  trim(now = Date.now()): void {
    const horizon = now - RETENTION_MILLIS;
    // Records are in the order of their time: the first that is young enough ends the search.
    const oldest = this.#db.prepare('SELECT created_millis FROM stream_records ORDER BY id LIMIT 1').get();
    if (oldest && Number(oldest.created_millis) < horizon) {
      this.#db
        .prepare(
          `UPDATE streams SET trimmed = max(trimmed, coalesce((SELECT max(stream_records.id) FROM stream_records
           WHERE stream = streams.id AND stream_records.created_millis < ?), 0))`,
        )
        .run(horizon);
      this.#db.prepare('DELETE FROM stream_records WHERE created_millis < ?').run(horizon);
    }
    this.#db.prepare('DELETE FROM streams WHERE closed_millis < ?').run(horizon);
    this.reload();
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

/** A record's JSON. Images are in it as the texts they are stored as: nothing is written as JSON twice. */
function recordText(
  stream: Stream,
  position: number,
  now: number,
  before: ImageText | undefined,
  after: ImageText | undefined,
  byTimeToLive: boolean,
): string {
  const { viewType } = stream;
  // Keys are taken from the item, as it is stored, not from the request: its numbers may be written otherwise.
  const item = (after ?? before)?.item ?? {};
  const keys = Object.fromEntries(stream.keySchema.map(({ AttributeName: name }) => [name, item[name] ?? {}]));
  const newImage = viewType === 'NEW_AND_OLD_IMAGES' || viewType === 'NEW_IMAGE' ? after : undefined;
  const oldImage = viewType === 'NEW_AND_OLD_IMAGES' || viewType === 'OLD_IMAGE' ? before : undefined;
  const head = {
    eventID: hash('md5', `${stream.arn}/${position}`),
    eventName: before ? (after ? 'MODIFY' : 'REMOVE') : 'INSERT',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: REGION,
  };
  const rest = {
    SequenceNumber: sequenceNumberOf(position),
    SizeBytes: imageBytes(keys) + (newImage?.bytes ?? 0) + (oldImage?.bytes ?? 0),
    StreamViewType: viewType,
  };
  const images = `${newImage ? `"NewImage":${newImage.text},` : ''}${oldImage ? `"OldImage":${oldImage.text},` : ''}`;
  const identity = byTimeToLive ? ',"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}' : '';
  // AWS rounds down to the second; nothing finer is on a stream.
  const second = Math.floor(now / 1_000);
  return `${JSON.stringify(head).slice(0, -1)},"dynamodb":{"ApproximateCreationDateTime":${second},"Keys":${JSON.stringify(keys)},${images}${JSON.stringify(rest).slice(1)}${identity}}`;
}
