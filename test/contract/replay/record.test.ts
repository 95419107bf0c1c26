import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import orders from '../../../docs/examples/orders.ts';
import type { DynamoDbBackEnd } from '../../../infra/local/dynamodb/back-end.ts';
import { embeddedDynamoDb } from '../../../infra/local/dynamodb/embedded.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { callInProcess } from '../../../infra/local/protocol/server.ts';
import { replayEvents } from '../../../infra/replay/replay-events.ts';
import { served } from '../../given/served.ts';

/** `npm run record` over the stream of a table, as a person runs it. */

let backEnd: DynamoDbBackEnd;
let cloud: Awaited<ReturnType<typeof served>>;
let folder: string;
const call = (operation: string, input: object) =>
  callInProcess(backEnd.services, new Faults())('dynamodb', operation, input);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-record-'));
  backEnd = await embeddedDynamoDb();
  cloud = await served(backEnd.services);
  await call('CreateTable', {
    TableName: 'orders',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  });
});
afterAll(async () => {
  await cloud.close();
  await backEnd.close();
  await rm(folder, { recursive: true, force: true });
});

function record(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { AWS_ACCESS_KEY_ID, AWS_PROFILE, ...environment } = process.env;
  const argv = ['infra/commands/definitions/record.ts', '--definition', 'docs/examples/orders.ts', ...args];
  const env = { ...environment, AWS_ENDPOINT_URL: cloud.client.endpoint };
  return new Promise((resolve) =>
    execFile(process.execPath, argv, { env }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    ),
  );
}

test('a stream without records is said to have none, and nothing is written', async () => {
  const out = join(folder, 'none');
  const { code, stderr } = await record('--out', out);
  expect(code).toBe(1);
  expect(stderr).toContain('The stream holds no records: it keeps those of a day. Write to the table first.');
  expect(await readdir(folder)).toEqual([]);
});

test('records become files that replay to the same, with the texts of people masked', async () => {
  const item = { sk: { S: 'order-1' }, amount: { N: '59.5' }, itemCount: { N: '2' }, express: { BOOL: true } };
  for (const [pk, channel] of [
    ['Jane Roe', 'web'],
    ['Joe Doe', 'by Jane'],
  ] as const) {
    const Item = {
      ...item,
      pk: { S: pk },
      channel: { S: channel },
      note: { S: 'call Jane' },
      email: { S: 'jane@x.org' },
    };
    await call('PutItem', { TableName: 'orders', Item });
  }
  const out = join(folder, 'events');
  const { code, stdout } = await record('--out', out);
  expect([code, stdout]).toEqual([0, `${out}: 2 records in 1 files\n`]);
  const text = await readFile(join(out, 'event-0001.json'), 'utf8');
  expect(text).not.toMatch(/Jane|Joe|jane/);
  const { counts, online, rejections } = await replayEvents(orders, [JSON.parse(text)]);
  expect(counts).toMatchObject({ recordsIn: 2, delivered: 1, quarantined: 1 });
  expect([...online.values()]).toMatchObject([{ amount: '59.5', items: '2', channel: 'web', express: '1' }]);
  expect(rejections).toMatchObject([{ reason: 'unknown-category', path: 'dynamodb.NewImage.channel' }]);

  const again = await record('--out', out);
  expect(again.stderr).toContain('events cannot be written: it is not empty; choose another folder with --out DIR.');
  expect(await readFile(join(out, 'event-0001.json'), 'utf8')).toBe(text);
});

test('a table without a stream is named', async () => {
  await call('CreateTable', {
    TableName: 'still',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  });
  const { stderr } = await record('--table', 'still', '--out', join(folder, 'still'));
  expect(stderr).toContain('The table still has no stream: enable one with both images, and write to the table.');
});
