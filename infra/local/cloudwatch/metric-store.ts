import type { DatabaseSync } from 'node:sqlite';

export type Dimensions = Readonly<Record<string, string>>;

export interface MetricName {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Dimensions;
}

/** One measured value, or several equal ones. */
export interface Datum extends MetricName {
  readonly value: number;
  readonly count?: number;
  /** Epoch milliseconds. Default: now. */
  readonly timeMs?: number;
}

/** Takes what a service measures. */
export type RecordDatum = (datum: Datum) => void;

/** What was measured in one period. */
export interface Sample {
  readonly startMs: number;
  /** Values in ascending order, each with how often it was measured. */
  readonly values: readonly { readonly value: number; readonly count: number }[];
}

/** The finest grain kept, in milliseconds: CloudWatch's standard resolution. */
export const MINUTE_MS = 60_000;

/** How long values are kept, in milliseconds. Source: CloudWatch keeps data points of a minute for 15 days. */
const RETENTION_MS = 15 * 24 * 60 * MINUTE_MS;

interface Row {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: string;
}

/** Metrics in SQLite, by the minute. Every value is kept, so that percentiles are exact. */
export class MetricStore {
  readonly #db: DatabaseSync;
  readonly #ids = new Map<string, number>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(`CREATE TABLE IF NOT EXISTS cloudwatch_metrics (
      id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL,
      UNIQUE (namespace, name, dimensions));
    CREATE TABLE IF NOT EXISTS cloudwatch_values (
      metric INTEGER NOT NULL, minute INTEGER NOT NULL, value REAL NOT NULL, count REAL NOT NULL,
      PRIMARY KEY (metric, minute, value)) WITHOUT ROWID`);
    db.prepare('DELETE FROM cloudwatch_values WHERE minute < ?').run(minuteOf(Date.now() - RETENTION_MS));
  }

  readonly record: RecordDatum = ({ value, count = 1, timeMs = Date.now(), ...metric }) => {
    this.#db
      .prepare(`INSERT INTO cloudwatch_values VALUES (?, ?, ?, ?)
        ON CONFLICT (metric, minute, value) DO UPDATE SET count = count + excluded.count`)
      .run(this.#idOf(metric), minuteOf(timeMs), value, count);
  };

  /** Metrics in the order of their names; `activeSinceMs` leaves out those without a value since then. */
  list(activeSinceMs?: number): MetricName[] {
    const active = 'WHERE EXISTS (SELECT 1 FROM cloudwatch_values WHERE metric = id AND minute >= ?)';
    return this.#db
      .prepare(
        `SELECT namespace, name, dimensions FROM cloudwatch_metrics ${activeSinceMs === undefined ? '' : active} ORDER BY 1, 2, 3`,
      )
      .all(...(activeSinceMs === undefined ? [] : [minuteOf(activeSinceMs)]))
      .map((row) => metricOf(row as unknown as Row));
  }

  /**
   * What was measured from `fromMs` until before `toMs`, by periods counted from `fromMs`. Periods without a value
   * are left out. Dimensions have to be the metric's own, all of them, as in AWS.
   */
  read(metric: MetricName, { fromMs, toMs, periodMs }: { fromMs: number; toMs: number; periodMs: number }): Sample[] {
    const rows = this.#db
      .prepare(`SELECT minute, value, count FROM cloudwatch_values
        WHERE metric = (SELECT id FROM cloudwatch_metrics WHERE namespace = ? AND name = ? AND dimensions = ?)
        AND minute >= ? AND minute < ? ORDER BY minute, value`)
      .all(metric.namespace, metric.name, textOf(metric.dimensions), minuteOf(fromMs), minuteOf(toMs + MINUTE_MS - 1));
    const periods = new Map<number, { value: number; count: number }[]>();
    for (const { minute, value, count } of rows) {
      const offset = Math.max(0, Number(minute) * MINUTE_MS - fromMs);
      const startMs = fromMs + Math.floor(offset / periodMs) * periodMs;
      periods.set(startMs, [...(periods.get(startMs) ?? []), { value: Number(value), count: Number(count) }]);
    }
    return [...periods].map(([startMs, values]) => ({ startMs, values: values.sort((a, b) => a.value - b.value) }));
  }

  #idOf({ namespace, name, dimensions }: MetricName): number {
    const key = [namespace, name, textOf(dimensions)] as const;
    const known = this.#ids.get(key.join('\0'));
    if (known !== undefined) return known;
    this.#db
      .prepare('INSERT INTO cloudwatch_metrics (namespace, name, dimensions) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
      .run(...key);
    const id = Number(
      this.#db
        .prepare('SELECT id FROM cloudwatch_metrics WHERE namespace = ? AND name = ? AND dimensions = ?')
        .get(...key)?.id,
    );
    this.#ids.set(key.join('\0'), id);
    return id;
  }
}

function minuteOf(timeMs: number): number {
  return Math.floor(timeMs / MINUTE_MS);
}

/** The same dimensions in any order are the same text. */
function textOf(dimensions: Dimensions): string {
  return JSON.stringify(Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function metricOf({ namespace, name, dimensions }: Row): MetricName {
  return { namespace, name, dimensions: Object.fromEntries(JSON.parse(dimensions)) };
}
