import type { DatabaseSync } from 'node:sqlite';

/** Events kept of one log group; older ones go. A day of a busy table's ingest is some ten thousand. */
const EVENTS_MAX = 50_000;
/** How many events more than that may gather before the oldest go. */
const EVENTS_SLACK = 5_000;

/** One line of a log. Times are epoch milliseconds. */
export interface LogEvent {
  readonly id: number;
  readonly stream: string;
  readonly timeMs: number;
  readonly message: string;
}

export interface LogStream {
  readonly name: string;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** What is looked for among a group's events. */
export interface LogSearch {
  readonly streams?: readonly string[];
  readonly streamPrefix?: string;
  readonly fromMs?: number;
  /** Exclusive. */
  readonly toMs?: number;
  /** Ids greater than this, or less if newest come first. */
  readonly after?: number;
  readonly newestFirst?: boolean;
  readonly limit: number;
}

/** CloudWatch Logs' groups, streams and events in SQLite. */
export class LogStore {
  readonly #db: DatabaseSync;
  readonly #counts = new Map<string, number>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(`CREATE TABLE IF NOT EXISTS log_groups (name TEXT PRIMARY KEY, created_ms INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS log_events (
        id INTEGER PRIMARY KEY AUTOINCREMENT, log_group TEXT NOT NULL, stream TEXT NOT NULL,
        time_ms INTEGER NOT NULL, message TEXT NOT NULL);
      CREATE INDEX IF NOT EXISTS log_events_group ON log_events (log_group, id)`);
  }

  createGroup(name: string): void {
    this.#db.prepare('INSERT INTO log_groups VALUES (?, ?) ON CONFLICT DO NOTHING').run(name, Date.now());
  }

  groups(prefix = ''): { name: string; createdMs: number; bytes: number }[] {
    return this.#db
      .prepare(`SELECT name, created_ms, (SELECT total(length(message)) FROM log_events WHERE log_group = name) AS bytes
        FROM log_groups ORDER BY name`)
      .all()
      .map((row) => ({ name: String(row.name), createdMs: Number(row.created_ms), bytes: Number(row.bytes) }))
      .filter(({ name }) => name.startsWith(prefix));
  }

  hasGroup(name: string): boolean {
    return this.#db.prepare('SELECT 1 FROM log_groups WHERE name = ?').get(name) !== undefined;
  }

  /** Appends events to a stream, as one commit. */
  append(group: string, stream: string, events: readonly { timeMs: number; message: string }[]): void {
    this.#db.exec('SAVEPOINT log_events');
    try {
      const insert = this.#db.prepare(
        'INSERT INTO log_events (log_group, stream, time_ms, message) VALUES (?, ?, ?, ?)',
      );
      for (const { timeMs, message } of events) insert.run(group, stream, timeMs, message);
    } finally {
      this.#db.exec('RELEASE log_events');
    }
    const count = (this.#counts.get(group) ?? this.#count(group)) + events.length;
    this.#counts.set(group, count);
    if (count > EVENTS_MAX + EVENTS_SLACK) this.#forgetOldest(group);
  }

  streams(group: string): LogStream[] {
    return this.#db
      .prepare(`SELECT stream, min(time_ms) AS first, max(time_ms) AS last FROM log_events WHERE log_group = ?
        GROUP BY stream ORDER BY stream`)
      .all(group)
      .map((row) => ({ name: String(row.stream), firstMs: Number(row.first), lastMs: Number(row.last) }));
  }

  events(
    group: string,
    { streams, streamPrefix = '', fromMs = 0, toMs, after, newestFirst, limit }: LogSearch,
  ): LogEvent[] {
    const names = JSON.stringify(streams ?? []);
    const order = newestFirst
      ? { test: '<', by: 'DESC', from: Number.MAX_SAFE_INTEGER }
      : { test: '>', by: 'ASC', from: 0 };
    return this.#db
      .prepare(`SELECT id, stream, time_ms, message FROM log_events
        WHERE log_group = ? AND id ${order.test} ? AND time_ms >= ? AND time_ms < ?
          AND (? = '[]' OR stream IN (SELECT value FROM json_each(?))) AND substr(stream, 1, ?) = ?
        ORDER BY id ${order.by} LIMIT ?`)
      .all(
        ...[group, after ?? order.from, fromMs, toMs ?? Number.MAX_SAFE_INTEGER, names, names],
        ...[streamPrefix.length, streamPrefix, limit],
      )
      .map((row) => ({
        id: Number(row.id),
        stream: String(row.stream),
        timeMs: Number(row.time_ms),
        message: String(row.message),
      }));
  }

  #count(group: string): number {
    return Number(this.#db.prepare('SELECT count(*) AS count FROM log_events WHERE log_group = ?').get(group)?.count);
  }

  #forgetOldest(group: string): void {
    this.#db
      .prepare(`DELETE FROM log_events WHERE log_group = ? AND id <=
        (SELECT id FROM log_events WHERE log_group = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`)
      .run(group, group, EVENTS_MAX);
    this.#counts.set(group, this.#count(group));
  }
}
