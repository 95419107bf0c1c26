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
    db.exec(
      'CREATE TABLE IF NOT EXISTS glue_templates (database TEXT, name TEXT, input TEXT NOT NULL, PRIMARY KEY (database, name))',
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

  /**
   * Whether a template's table is as it was when the stack was last made. If not, that is remembered, and what was made
   * of it since is forgotten.
   */
  isDeployed(database: string, input: TableInput): boolean {
    const [name, text] = [input.Name.toLowerCase(), JSON.stringify(input)];
    const last = this.#db
      .prepare('SELECT input FROM glue_templates WHERE database = ? AND name = ?')
      .get(database, name);
    if (last?.input === text) return true;
    this.#db.prepare('INSERT OR REPLACE INTO glue_templates VALUES (?, ?, ?)').run(database, name, text);
    this.remove(database, name);
    return false;
  }

  remove(database: string, name: string): void {
    this.#db.prepare('DELETE FROM glue_tables WHERE database = ? AND name = ?').run(database, name);
  }
}
