import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEmbedded } from '../../../given/local/embedded-dynamodb.ts';

/** What the writer told of before it was killed: the table is there, and which writes were acknowledged. */
type Told = { readonly created: string } | { readonly acknowledged: string };

const WRITER = fileURLToPath(new URL('../../../given/dynamodb-writer.ts', import.meta.url));

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crash-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

/** Runs the writer until it has told `after` times, and kills it as a crash would. */
async function killedAfter(after: number): Promise<Told[]> {
  const told: Told[] = [];
  const writer = fork(WRITER, [dir], { execArgv: [] });
  writer.on('message', (message: Told) => {
    told.push(message);
    if (told.length === after) writer.kill('SIGKILL');
  });
  await once(writer, 'exit');
  return told;
}

test('what was acknowledged before a crash is there after it, whole and with its records', async () => {
  const told = await killedAfter(200);
  const acknowledged = told.flatMap((it) => ('acknowledged' in it ? [it.acknowledged] : []));
  const dynamodb = await openEmbedded(dir);
  try {
    const { Items } = await dynamodb.run<{ Items: Record<string, { S: string }>[] }>('Scan', { TableName: 'written' });
    const pairs = Map.groupBy(Items, (item) => String(item.pk?.S.split('/')[0]));
    expect([...pairs.keys()]).toEqual(expect.arrayContaining(acknowledged));
    // Each transaction wrote two items: a crash leaves both or none.
    expect([...pairs.values()].filter((pair) => pair.length !== 2)).toEqual([]);
    const [created] = told;
    const records = await dynamodb.recordsOf(created && 'created' in created ? created.created : '');
    expect(records.map((it) => it.dynamodb.Keys.pk?.S).sort()).toEqual(Items.map((item) => item.pk?.S).sort());
  } finally {
    await dynamodb.close();
  }
});

test('a table whose creation a crash cut off is there and ready, or can be made', async () => {
  await killedAfter(1);
  const dynamodb = await openEmbedded(dir);
  try {
    const { Table } = await dynamodb.run<{ Table: object }>('DescribeTable', { TableName: 'written' });
    expect(Table).toMatchObject({ TableStatus: 'ACTIVE' });
    await dynamodb.run('DeleteTable', { TableName: 'written' });
    await dynamodb.createTable('written');
  } finally {
    await dynamodb.close();
  }
});
