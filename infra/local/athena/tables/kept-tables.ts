import type { DatabaseSync } from 'node:sqlite';
import type { TableInput } from '../catalog.ts';

/** Tables and views that statements made, in SQLite so that they survive a restart. The stack's are made from it again. */
export class KeptTables {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(
      'CREATE TABLE IF NOT EXISTS glue_tables (database TEXT, name TEXT, input TEXT NOT NULL, listed INTEGER NOT NULL, PRIMARY KEY (database, name))',
    );
  }

  all(): { database: string; input: TableInput; hasListedPartitions: boolean }[] {
    return this.#db
      .prepare('SELECT database, input, listed FROM glue_tables')
      .all()
      .map(({ database, input, listed }) => ({
        database: String(database),
        input: JSON.parse(String(input)),
        hasListedPartitions: listed === 1,
      }));
  }

  save(database: string, input: TableInput, hasListedPartitions: boolean): void {
    const values = [database, input.Name.toLowerCase(), JSON.stringify(input), hasListedPartitions ? 1 : 0];
    this.#db.prepare('INSERT OR REPLACE INTO glue_tables VALUES (?, ?, ?, ?)').run(...values);
  }

  remove(database: string, name: string): void {
    this.#db.prepare('DELETE FROM glue_tables WHERE database = ? AND name = ?').run(database, name);
  }
}
