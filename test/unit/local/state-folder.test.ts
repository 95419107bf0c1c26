import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStateFolder } from '../../../infra/local/storage/state-folder.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'state-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

const make = async () => (await openStateFolder(dir)).close();
const wayOut = 'remove it to begin anew, or choose another with --dir\\.$';

describe('a state folder', () => {
  test('is opened again as it was left', async () => {
    await make();
    await make();
  });

  test('says which of its parts is gone', async () => {
    await make();
    await rm(join(dir, 'dynamodb'), { recursive: true });
    await expect(make()).rejects.toThrow(new RegExp(`lacks its dynamodb: ${wayOut}`));
  });

  test('says that its database is gone', async () => {
    await make();
    await rm(join(dir, 'cloud.sqlite'));
    await expect(make()).rejects.toThrow(/has s3 without the cloud\.sqlite that goes with it/);
  });

  test('says that a part is of another folder', async () => {
    await make();
    await writeFile(join(dir, 's3', '.state-folder'), 'another');
    await expect(make()).rejects.toThrow(/has the s3 of another folder/);
  });

  test('says which DynamoDB it is of', async () => {
    await make();
    await expect(openStateFolder(dir, { name: 'local', folder: 'dynamodb-local' })).rejects.toThrow(
      /holds the state of --dynamodb embedded: start with that, or choose another with --dir\.$/,
    );
  });

  test('says that its database is damaged', async () => {
    await make();
    await writeFile(join(dir, 'cloud.sqlite'), 'no database');
    await expect(make()).rejects.toThrow(new RegExp(`is damaged \\(.*\\): ${wayOut}`));
  });

  test('says that an earlier version made it', async () => {
    const db = new DatabaseSync(join(dir, 'cloud.sqlite'));
    db.exec('CREATE TABLE dynamodb_streams (arn TEXT)');
    db.close();
    await expect(make()).rejects.toThrow(/was made by an earlier version/);
  });

  test('that was cut off while it was being made is made whole', async () => {
    const db = await openStateFolder(dir);
    db.exec('UPDATE state_folder SET is_complete = 0');
    db.close();
    await rm(join(dir, 'dynamodb'), { recursive: true });
    await make();
    await make();
  });

  test('that another process has is not opened', async () => {
    const db = await openStateFolder(dir);
    await expect(openStateFolder(dir)).rejects.toThrow(/stop the local cloud that has it/);
    db.close();
  });

  test('that is a file is refused', async () => {
    await mkdir(join(dir, 'in'));
    await writeFile(join(dir, 'in', 'file'), '');
    await expect(openStateFolder(join(dir, 'in', 'file'))).rejects.toThrow(/cannot be written/);
  });
});
