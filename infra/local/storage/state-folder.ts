import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolder } from './make-folder.ts';

/** SQLite's result codes for a file that is damaged, or is none of its own. Source: https://sqlite.org/rescode.html */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** For the owner alone: the folder holds whole items, and personal ones among them. */
const PRIVATE = 0o700;

const DATABASE = 'cloud.sqlite';

/** Pages of 4 KiB that gather in the log before the database's file is written and synced, which all services wait for. */
const CHECKPOINT_PAGES = 4_000;

/** File in each part of the folder that says which folder it is part of. Buckets' names do not begin with a dot. */
const MARK = '.state-folder';

/**
 * Opens the folder that holds the local cloud's state, and its SQLite database, for this process alone.
 *
 * The folder has parts: the database, the objects of S3, the tables of a DynamoDB that keeps them here. Each bears the
 * folder's mark, so that a part that is gone, or another's, is noticed before anything is read.
 *
 * @param dynamodb name of the DynamoDB the state is of, and its folder here; no folder for one that is elsewhere.
 * @throws Error in one sentence with the way out, when the folder cannot be written, another process has it, or it is
 * not whole.
 */
export async function openStateFolder(
  dir: string,
  dynamodb: { readonly name: string; readonly folder?: string } = { name: 'embedded', folder: 'dynamodb' },
): Promise<DatabaseSync> {
  const parts = ['s3', ...(dynamodb.folder === undefined ? [] : [dynamodb.folder])];
  await makeWritable(dir);
  const db = openDatabase(dir);
  try {
    checkParts(db, dir, dynamodb.name, parts);
    for (const part of parts) await makeFolder(join(dir, part), PRIVATE);
    mark(db, dir, dynamodb.name, parts);
    return db;
  } catch (error) {
    db.close();
    throw damageOf(error, dir) ?? error;
  }
}

/** The sentence for an error that means that a file of the folder is damaged; undefined for any other error. */
export function damageOf(error: unknown, dir: string): Error | undefined {
  const { errcode, message = '' } = error as { errcode?: number; message?: string };
  const isDamage =
    errcode === SQLITE_CORRUPT || errcode === SQLITE_NOTADB || /image is malformed|not a database/.test(message);
  return isDamage ? notWhole(dir, `is damaged (${message})`, error) : undefined;
}

async function makeWritable(dir: string): Promise<void> {
  try {
    await makeFolder(dir, PRIVATE);
    const names = await readdir(dir);
    // A folder that an earlier version left readable. One that holds something else is not ours to close.
    if (names.length === 0 || names.includes(DATABASE)) await chmod(dir, PRIVATE);
    const probe = join(dir, '.writable');
    await writeFile(probe, '');
    await rm(probe);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`The folder ${dir} cannot be written (${code}): make it writable, or choose another with --dir.`, {
      cause,
    });
  }
}

function openDatabase(dir: string): DatabaseSync {
  const db = new DatabaseSync(join(dir, DATABASE));
  try {
    // The lock is taken by the first write and kept until the database is closed.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    db.exec('BEGIN EXCLUSIVE; COMMIT');
    return db;
  } catch (cause) {
    db.close();
    const inUse = `The folder ${dir} cannot be used (${(cause as Error).message}): stop the local cloud that has it, or choose another with --dir.`;
    throw damageOf(cause, dir) ?? new Error(inUse, { cause });
  }
}

interface Mark {
  readonly id: string;
  readonly dynamodb: string;
  /** Whether every part has been marked. */
  readonly isComplete: boolean;
}

function markIn(db: DatabaseSync): Mark | undefined {
  const isThere = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'state_folder'").get();
  const row = isThere && db.prepare('SELECT * FROM state_folder').get();
  return row && { id: String(row.id), dynamodb: String(row.dynamodb), isComplete: row.is_complete === 1 };
}

/** @throws Error when what is in the folder does not belong together, or is another DynamoDB's. */
function checkParts(db: DatabaseSync, dir: string, dynamodb: string, parts: readonly string[]): void {
  const found = markIn(db);
  if (!found) {
    if (db.prepare('SELECT 1 FROM sqlite_master').get()) throw notWhole(dir, 'was made by an earlier version');
    const left = parts.find((part) => existsSync(join(dir, part)));
    if (left !== undefined) throw notWhole(dir, `has ${left} without the cloud.sqlite that goes with it`);
    return;
  }
  if (found.dynamodb !== dynamodb) {
    throw new Error(
      `The folder ${dir} holds the state of --dynamodb ${found.dynamodb}: start with that, or choose another with --dir.`,
    );
  }
  if (!found.isComplete) return;
  for (const part of parts) {
    const file = join(dir, part, MARK);
    const id = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    if (id === found.id) continue;
    throw notWhole(dir, id === undefined ? `lacks its ${part}` : `has the ${part} of another folder`);
  }
}

/** Marks every part of a new folder. One that is cut off while it is being marked has nothing in it yet. */
function mark(db: DatabaseSync, dir: string, dynamodb: string, parts: readonly string[]): void {
  const found = markIn(db);
  if (found?.isComplete) return;
  const id = found?.id ?? randomUUID();
  if (!found) {
    db.exec('BEGIN; CREATE TABLE IF NOT EXISTS state_folder (id TEXT, dynamodb TEXT, is_complete INTEGER)');
    db.prepare('INSERT INTO state_folder VALUES (?, ?, 0)').run(id, dynamodb);
    db.exec('COMMIT');
  }
  for (const part of parts) writeFileSync(join(dir, part, MARK), id);
  db.exec('UPDATE state_folder SET is_complete = 1');
}

function notWhole(dir: string, problem: string, cause?: unknown): Error {
  return new Error(`The folder ${dir} ${problem}: remove it to begin anew, or choose another with --dir.`, { cause });
}
