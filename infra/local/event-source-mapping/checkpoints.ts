import type { DatabaseSync } from 'node:sqlite';

/** How far a shard has been handled. */
export interface Checkpoint {
  /** Last sequence number handled; undefined: none, so it is read from the trim horizon. */
  readonly sequenceNumber: string | undefined;
  /** The shard was closed and everything in it is handled. */
  readonly done: boolean;
}

export interface Checkpoints {
  /** Whether this mapping has ever been started on this stream. */
  started(): boolean;
  get(shardId: string): Checkpoint | undefined;
  set(shardId: string, checkpoint: Checkpoint): void;
}

/**
 * Checkpoints of one mapping on one stream, kept in SQLite so that a restart goes on where it was. A stream that was
 * enabled anew has another ARN, and so is read from its start: a checkpoint never outlives the data it is about.
 */
export function checkpoints(db: DatabaseSync, mapping: string, streamArn: string): Checkpoints {
  db.exec(`CREATE TABLE IF NOT EXISTS event_source_checkpoints (
    mapping TEXT, stream_arn TEXT, shard_id TEXT, sequence_number TEXT, done INTEGER,
    PRIMARY KEY (mapping, stream_arn, shard_id))`);
  const select = db.prepare(
    'SELECT sequence_number, done FROM event_source_checkpoints WHERE mapping = ? AND stream_arn = ? AND shard_id = ?',
  );
  const any = db.prepare('SELECT 1 FROM event_source_checkpoints WHERE mapping = ? AND stream_arn = ? LIMIT 1');
  const replace = db.prepare('INSERT OR REPLACE INTO event_source_checkpoints VALUES (?, ?, ?, ?, ?)');
  return {
    started: () => any.get(mapping, streamArn) !== undefined,
    get(shardId) {
      const row = select.get(mapping, streamArn, shardId);
      if (!row) return undefined;
      const { sequence_number: sequenceNumber, done } = row;
      return { sequenceNumber: sequenceNumber === null ? undefined : String(sequenceNumber), done: done === 1 };
    },
    set(shardId, { sequenceNumber, done }) {
      replace.run(mapping, streamArn, shardId, sequenceNumber ?? null, done ? 1 : 0);
    },
  };
}
