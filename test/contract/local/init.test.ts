import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchWriteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cloud, startCloud } from '../../../infra/local/cloud.ts';
import { replayEvents } from '../../../infra/replay/replay-events.ts';
import { streamOf } from '../../../infra/replay/stream-records.ts';
import { loadFeatureGroup } from '../../../shared/definition/load.ts';
import { runScript } from '../../given/command.ts';

const VISITS = new URL('../../fixtures/feature-groups/visits.ts', import.meta.url).pathname;

let dir: string;
let cloud: Cloud;
let before: NodeJS.ProcessEnv;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-init-'));
  cloud = await startCloud({ dir: join(dir, 'cloud'), port: 0, featureGroup: VISITS, eventSourceMappings: false });
  before = { ...process.env };
  const given = { AWS_ENDPOINT_URL: cloud.endpoint, AWS_REGION: 'us-east-1' };
  Object.assign(process.env, { ...given, AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' });
});

afterAll(async () => {
  process.env = before;
  await cloud.close();
  await rm(dir, { recursive: true, force: true });
});

test('npm run init drafts a definition from a table, with a test, and overwrites nothing', async () => {
  const items = Array.from({ length: 60 }, (_, n) => ({
    ...{ visit_id: `v-${n}`, page: ['home', 'cart', 'search'][n % 3], seconds: n, email: `${n}@example.org` },
    ...(n % 4 > 0 && { bought: n % 2 === 0 }),
  }));
  const dynamodb = new DynamoDBClient();
  for (let from = 0; from < items.length; from += 20) {
    const visits = items.slice(from, from + 20).map((it) => ({ PutRequest: { Item: marshall(it) } }));
    await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { visits } }));
  }
  dynamodb.destroy();

  const out = join(dir, 'visits.ts');
  const { code, stdout, stderr } = await runScript('init', ['--table', 'visits', '--out', out]);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: 'Table visits, region us-east-1: at most 1000 items are read\n',
  });
  expect(stdout).toContain('3 features, label bought, of 60 items, each of which it takes in.');
  expect(stdout).toContain('- Looks like personal data, by its name: email.');
  const group = await loadFeatureGroup(out);
  const stream = streamOf(group);
  const { counts, labels } = await replayEvents(group, [items.map((item) => stream.insert(item))]);
  expect(counts).toMatchObject({ recordsIn: 60, delivered: 60, quarantined: 0, skipped: 0 });
  expect(labels).toHaveLength(45);

  const written = await readFile(join(dir, 'visits.test.ts'), 'utf8');
  expect(written).not.toContain('example.org');
  const again = await runScript('init', ['--table', 'visits', '--out', out]);
  expect(again).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is there already, and nothing is overwritten'),
  });
  expect(await readFile(join(dir, 'visits.test.ts'), 'utf8')).toBe(written);
});

test('npm run init says what it lacks', async () => {
  const none = await runScript('init', []);
  expect(none).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Say where the items are: --table TABLE, or --items FILE.'),
  });
});
