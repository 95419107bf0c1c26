import { chmod, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolder } from './make-folder.ts';

/** For the owner alone: the folder holds whole items, and personal ones among them. */
const PRIVATE = 0o700;

const DATABASE = 'cloud.sqlite';

/**
 * Opens the folder that holds the local cloud's state, and its SQLite database, for this process alone.
 *
 * @throws Error in one sentence with the way out, when the folder cannot be written or another process has it.
 */
export async function openStateFolder(dir: string): Promise<DatabaseSync> {
  try {
    await makeFolder(dir, PRIVATE);
    const names = await readdir(dir);
    // A folder that an earlier version left readable. One that holds something else is not ours to close.
    if (names.length === 0 || names.includes(DATABASE)) await chmod(dir, PRIVATE);
    await makeFolder(join(dir, 's3'), PRIVATE);
    const probe = join(dir, '.writable');
    await writeFile(probe, '');
    await rm(probe);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`The folder ${dir} cannot be written (${code}): make it writable, or choose another with --dir.`, {
      cause,
    });
  }
  const db = new DatabaseSync(join(dir, DATABASE));
  try {
    // The lock is taken by the first write and kept until the database is closed.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    db.exec('BEGIN EXCLUSIVE; COMMIT');
    return db;
  } catch (cause) {
    db.close();
    throw new Error(
      `The folder ${dir} cannot be used (${(cause as Error).message}): stop the local cloud that has it, or choose another with --dir.`,
      { cause },
    );
  }
}
