import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetRecordCommand, SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { generateCustomers } from '../../infra/demo/customers/customers.ts';
import { itemOf } from '../../infra/demo/customers/item.ts';
import group from '../../shared/feature-groups/bank-marketing.ts';
import { runScript } from '../given/command.ts';

const MAIN = fileURLToPath(new URL('../../infra/commands/local.ts', import.meta.url));

/** How long to wait for what a put item brings about, and how often to look, in milliseconds. */
const ARRIVAL = { timeout: 240_000, interval: 1_000 };

let dir: string;
let local: ChildProcess;
let printed = '';
/** The console's page, while the first training was still going on. */
let pageMeanwhile: string | undefined;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-e2e-'));
  local = spawn(process.execPath, [MAIN, '--port', '0', '--dir', dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  local.stdout?.on('data', (text) => {
    printed += text;
  });
  while (!printed.includes('Ctrl-C')) {
    expect(local.exitCode).toBeNull();
    pageMeanwhile ??= await consolePage();
    await sleep(100);
  }
  vi.stubEnv('AWS_ENDPOINT_URL', exported('AWS_ENDPOINT_URL'));
  vi.stubEnv('AWS_REGION', exported('AWS_REGION'));
  vi.stubEnv('AWS_ACCESS_KEY_ID', exported('AWS_ACCESS_KEY_ID'));
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', exported('AWS_SECRET_ACCESS_KEY'));
});

afterAll(async () => {
  if (local.exitCode === null) {
    local.kill('SIGINT');
    await once(local, 'exit');
  }
  await rm(dir, { recursive: true, force: true });
});

/** The page at the address that was printed; undefined as long as there is none, or nobody answers as a console. */
async function consolePage(): Promise<string | undefined> {
  const [, address] = /The console: (\S+)\n/.exec(printed) ?? [];
  if (address === undefined || printed.includes('Serving')) return undefined;
  const answer = await fetch(address);
  return answer.ok ? answer.text() : undefined;
}

const exported = (name: string) => new RegExp(`${name}=(\\S+)`).exec(printed)?.[1] ?? '';

async function record(identifier: string): Promise<Record<string, string | undefined>> {
  const featureStore = new SageMakerFeatureStoreRuntimeClient();
  const deadline = Date.now() + ARRIVAL.timeout;
  for (;;) {
    const { Record } = await featureStore.send(
      new GetRecordCommand({ FeatureGroupName: group.name, RecordIdentifierValueAsString: identifier }),
    );
    if (Record) return Object.fromEntries(Record.map((it) => [it.FeatureName, it.ValueAsString]));
    expect(Date.now()).toBeLessThan(deadline);
    await sleep(200);
  }
}

describe('npm run local', () => {
  test('shows in Feature Store what was put in DynamoDB, every value as written', async () => {
    const [customer] = generateCustomers(1, 99);
    const features = { ...customer?.features, euribor3m: '4.8571234567890123456789', emp_var_rate: '-1.7' };
    const item = itemOf({ id: 'sdk', features, label: '0' }, group);
    await new DynamoDBClient().send(new PutItemCommand({ TableName: group.table, Item: item }));
    expect(await record('sdk')).toEqual({
      ...features,
      customer_id: 'sdk',
      event_time: expect.stringMatching(/\.000Z$/),
    });
  });

  test('says how many labels start a training, and how to change that', () => {
    expect(printed).toContain('400 new labels (y), 10 of each class, start a training. --param labelsThreshold=N');
  });

  test('serves the console, and says where, from the first training on', async () => {
    expect(pageMeanwhile).toContain('<title>Tributary</title>');
    const [, address = ''] = /The console: (\S+)/.exec(printed) ?? [];
    expect(await (await fetch(address)).text()).toContain('<title>Tributary</title>');
  });

  test('tells of a batch in one line', async () => {
    await vi.waitFor(() => expect(printed).toMatch(/\d\d:\d\d:\d\d {2}1 batch of 1 record: 1 delivered/), ARRIVAL);
  });

  test.skipIf(!hasAwsCli())('prints commands that run as they are', async () => {
    const commands = printed.split('\n').filter((line) => /^(export|aws|npm) /.test(line));
    expect(commands).toHaveLength(5);
    const run = (script: string[]) => execFileSync('sh', ['-ec', script.join('\n')], { encoding: 'utf8' });
    run(commands.slice(0, 3));
    const put = JSON.parse(/--item '(.*)'$/.exec(commands[2] ?? '')?.[1] ?? '{}');
    expect((await record('me')).euribor3m).toBe(put.euribor3m.N);
    const answers = run([...commands.slice(0, 2), ...commands.slice(3)]);
    expect(answers).toContain(`"ValueAsString": "${put.euribor3m.N}"`);
    expect(answers).toMatch(/score +predicted_label +threshold/);
  });

  test('lists a record that was wrong, and puts it right once the application has mended it', async () => {
    const dynamodb = new DynamoDBClient();
    const [customer] = generateCustomers(1, 98);
    const item = itemOf({ id: 'spoiled', features: customer?.features ?? {}, label: '0' }, group);
    const put = (age: { N: string } | { S: string }) =>
      dynamodb.send(new PutItemCommand({ TableName: group.table, Item: { ...item, age } }));
    const redrive = async (...options: string[]) =>
      JSON.parse((await runScript('redrive', ['--json', ...options])).stdout) as {
        redriven: string[];
        waiting: { reason: string }[];
      };
    await put({ S: 'young' });
    await vi.waitFor(async () => expect((await redrive('--list')).waiting).toHaveLength(1), ARRIVAL);
    await vi.waitFor(() => expect(printed).toContain('1 record put into quarantine: wrong-type at'), ARRIVAL);
    expect((await redrive('--list')).waiting[0]?.reason).toBe(
      'wrong-type at dynamodb.NewImage.age: Expected N, found S.',
    );
    await vi.waitFor(
      async () => expect((await redrive()).waiting[0]?.reason).toMatch(/^the item is still wrong: wrong-type/),
      ARRIVAL,
    );
    await put({ N: '33' });
    // It waits for as long as what ingest makes of the mended item is dated later than the repair.
    await vi.waitFor(
      async () => expect(await redrive()).toEqual({ redriven: [expect.stringContaining('quarantine/')], waiting: [] }),
      ARRIVAL,
    );
    expect((await record('spoiled')).age).toBe('33');
  });

  test('refuses a port and a folder that are in use, in one sentence each', async () => {
    const port = new URL(exported('AWS_ENDPOINT_URL')).port;
    const elsewhere = join(dir, 'elsewhere');
    const samePort = await runScript('local', ['--port', port, '--dir', elsewhere]);
    expect([samePort.code, samePort.stderr.trim().split('\n')[1]]).toEqual([
      1,
      `Error: Port ${port} on 127.0.0.1 is in use: stop what is listening there, or choose another with --port N.`,
    ]);
    const sameFolder = await runScript('local', ['--port', '0', '--dir', dir]);
    expect(sameFolder.code).toBe(1);
    expect(sameFolder.stderr.trim().split('\n').slice(1)).toEqual([
      expect.stringContaining(`The folder ${dir} cannot be used`),
    ]);
  });

  test('stops at Ctrl-C, and says nothing is wrong', async () => {
    local.kill('SIGINT');
    expect(await once(local, 'exit')).toEqual([0, null]);
  });
});

function hasAwsCli(): boolean {
  try {
    // Older versions do not honor AWS_ENDPOINT_URL.
    const [, major, minor] =
      /aws-cli\/(\d+)\.(\d+)/.exec(execFileSync('aws', ['--version'], { encoding: 'utf8' })) ?? [];
    const honors = major === '1' ? Number(minor) >= 29 : Number(minor) >= 13;
    if (!honors) console.log('Skipped: the AWS CLI here does not honor AWS_ENDPOINT_URL.');
    return honors;
  } catch {
    console.log('Skipped: the AWS CLI is not on this machine.');
    return false;
  }
}
