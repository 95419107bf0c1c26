import type { DatabaseSync } from 'node:sqlite';
import { RETENTION_MILLIS } from './streams/stream-log.ts';

/** An answer of GetRecords, as far as its times go. */
interface Answer {
  readonly Records?: readonly { eventID?: string; dynamodb?: { ApproximateCreationDateTime?: number } }[];
}

/**
 * Gives records of DynamoDB Local, which cuts their time to the minute, a second as AWS's have: the one in which the
 * record was first read, within its minute. It is remembered by event id, so that a record that is read again has the
 * same one, and never goes back from one record of a stream to the next.
 *
 * @returns what completes an answer of GetRecords, given the iterator it was asked with.
 */
export function secondsRestored(db: DatabaseSync, now = Date.now): (iterator: string, answer: object) => object {
  db.exec(`
    CREATE TABLE IF NOT EXISTS dynamodb_local_seconds (event_id TEXT PRIMARY KEY, stream TEXT, second INTEGER);
    CREATE INDEX IF NOT EXISTS dynamodb_local_seconds_by_stream ON dynamodb_local_seconds (stream, second);`);
  const select = db.prepare('SELECT second FROM dynamodb_local_seconds WHERE event_id = ?');
  const latest = db.prepare('SELECT max(second) AS second FROM dynamodb_local_seconds WHERE stream = ?');
  const insert = db.prepare('INSERT INTO dynamodb_local_seconds VALUES (?, ?, ?)');
  db.prepare('DELETE FROM dynamodb_local_seconds WHERE second < ?').run((now() - RETENTION_MILLIS) / 1_000);

  function restored(stream: string, eventId: string, minute: number): number {
    const known = select.get(eventId);
    if (known) return Number(known.second);
    const last = Number(latest.get(stream)?.second ?? 0);
    const reading = Math.floor(now() / 1_000);
    const second = Math.max(minute, Math.min(reading, minute + 59), last);
    insert.run(eventId, stream, second);
    return second;
  }

  return (iterator, answer) => {
    const { Records = [] } = answer as Answer;
    if (Records.length === 0) return answer;
    // An iterator begins with its stream's ARN; a stream of DynamoDB Local has one shard.
    const stream = iterator.split('|')[0] ?? '';
    db.exec('BEGIN');
    try {
      const records = Records.map((record) => {
        const minute = Math.floor(record.dynamodb?.ApproximateCreationDateTime ?? 0);
        const second = restored(stream, record.eventID ?? '', minute);
        return { ...record, dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: second } };
      });
      return { ...answer, Records: records };
    } finally {
      db.exec('COMMIT');
    }
  };
}
