import { mkdtemp, rm, stat } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cloud, startCloud } from '../../../../infra/local/cloud.ts';

/** What a page of somebody else's, or a hostile client, could do to the local cloud of a developer. */

const ORDERS = new URL('../../../fixtures/feature-groups/orders.ts', import.meta.url).pathname;
const GROUP = 'Orders_v2';
const STACK = 'tributary-orders-v2-dev';

let dir: string;
let cloud: Cloud;

beforeAll(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'tributary-safety-')), 'state');
  cloud = await startCloud({ dir, port: 0, featureGroup: ORDERS, eventSourceMappings: false });
});
afterAll(async () => {
  await cloud.close();
  await rm(join(dir, '..'), { recursive: true, force: true });
});

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A request with any headers, `Host` among them, which fetch would not send. */
function send(path: string, { method = 'GET', headers = {}, body }: Sent = {}) {
  return new Promise<{ status: number; text: string; headers: Record<string, unknown> }>((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port: cloud.port, path, method, headers }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk);
      resolve({
        status: answer.statusCode ?? 0,
        text: Buffer.concat(chunks).toString('utf8'),
        headers: answer.headers,
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const bucket = () => cloud.stack.outputs.DataBucketName ?? '';
const forged = JSON.stringify({
  Entries: [
    {
      FeatureGroupName: GROUP,
      Record: [
        { FeatureName: 'order_id', ValueAsString: 'forged|1' },
        { FeatureName: 'changed_at', ValueAsString: '2031-01-01T00:00:00.000Z' },
      ],
    },
  ],
});

/** What the browser of a reader of evil.example says of a request that needs no preflight. */
const PAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a page of another site': {
    origin: 'http://evil.example',
    'sec-fetch-site': 'cross-site',
    'content-type': 'text/plain',
  },
  'a page of an old browser': { origin: 'http://evil.example', 'content-type': 'text/plain' },
  'a page without an origin': { origin: 'null', 'content-type': 'text/plain' },
  'a form': { origin: 'http://evil.example', 'content-type': 'application/x-www-form-urlencoded' },
  'a page of another port of this machine': { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' },
  'an image or link of another site': { 'sec-fetch-site': 'cross-site' },
};

describe('pages of others', () => {
  const requests = (): [string, string][] => [
    ['/BatchWriteRecord', forged],
    [`/2015-03-31/functions/${STACK}-ingest/invocations`, '{"Records":[]}'],
    [`/2015-03-31/functions/${STACK}-redrive/invocations`, '{"action":"redrive"}'],
    [`/2015-03-31/functions/${STACK}-retrain/invocations`, '{"action":"clean-up","epoch":1,"attempt":1}'],
    [`/lambda-url/${STACK}-predict/`, '{}'],
    [`/${bucket()}?delete`, '<Delete><Object><Key>victim</Key></Object></Delete>'],
  ];

  test.each(Object.entries(PAGES))('%s can change nothing', async (_, headers) => {
    await cloud.objects.put(bucket(), 'victim', 'x');
    for (const [path, body] of requests()) {
      const answer = await send(path, { method: 'POST', headers, body });
      expect(answer.status, path).toBe(403);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
    expect((await cloud.objects.get(bucket(), 'victim')).toString()).toBe('x');
    const id = { FeatureGroupName: GROUP, RecordIdentifierValueAsString: 'forged|1' };
    expect(await cloud.call('featurestore', 'GetRecord', id)).toEqual({});
  });

  test('the same requests of a program get through, so that it is the page that is refused', async () => {
    for (const [path, body] of requests().filter(([path]) => !path.includes('invocations') && !path.includes('url'))) {
      expect((await send(path, { method: 'POST', body })).status, path).toBe(200);
    }
    const id = { FeatureGroupName: GROUP, RecordIdentifierValueAsString: 'forged|1' };
    expect(await cloud.call('featurestore', 'GetRecord', id)).toHaveProperty('Record');
    await expect(cloud.objects.get(bucket(), 'victim')).rejects.toMatchObject({ code: 'NoSuchKey' });
  });

  test('a name that was made to resolve to this machine reads and writes nothing', async () => {
    const target = { 'x-amz-target': 'DynamoDB_20120810.ListTables', 'content-type': 'application/x-amz-json-1.0' };
    for (const host of [
      'rebind.evil.example',
      `rebind.evil.example:${cloud.port}`,
      `localhost.evil.example:${cloud.port}`,
    ]) {
      const list = await send('/', { method: 'POST', headers: { ...target, host }, body: '{}' });
      expect(list.status).toBe(403);
      expect(list.text).not.toContain('TableNames');
      for (const method of ['GET', 'PUT', 'DELETE']) {
        expect((await send(`/${bucket()}/rebound`, { method, headers: { host } })).status).toBe(403);
      }
    }
    expect((await send('/', { headers: { host: '127.0.0.1:1' } })).status).toBe(403);
  });

  test('SDKs, curl, a bucket named by its host, and a link opened in the browser still get through', async () => {
    await cloud.objects.put(bucket(), 'seen', 'content');
    const { port } = cloud;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`]) {
      expect(await send(`/${bucket()}/seen`, { headers: { host } })).toMatchObject({ status: 200, text: 'content' });
    }
    expect(await send('/seen', { headers: { host: `${bucket()}.localhost:${port}` } })).toMatchObject({ status: 200 });
    const opened = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' };
    const signed = `X-Amz-Credential=local%2F20261126%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=0`;
    expect(await send(`/${bucket()}/seen?${signed}`, { headers: opened })).toMatchObject({
      status: 200,
      text: 'content',
    });
    const own = { host: `localhost:${port}`, origin: `http://localhost:${port}`, 'sec-fetch-site': 'same-origin' };
    expect((await send(`/${bucket()}/seen`, { headers: own })).status).toBe(200);
    const s3 = new S3Client({
      endpoint: cloud.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'l', secretAccessKey: 'l' },
    });
    expect((await s3.send(new GetObjectCommand({ Bucket: bucket(), Key: 'seen' }))).ContentLength).toBe(7);
    s3.destroy();
  });
});

describe('hostile requests', () => {
  const streaming = { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' };

  test.each([
    '-6\r\n',
    '+5\r\nhello\r\n0\r\n',
    '\r\n',
    '5',
    '5\r\nhelloXX0\r\n\r\n',
    'fffffffff\r\n',
    '0x5\r\nhello\r\n0\r\n',
    `${'0'.repeat(1_100)}\r\n`,
  ])('a chunked upload of %j is refused and holds up nobody', async (body) => {
    const answer = await send(`/${bucket()}/chunks`, { method: 'PUT', headers: streaming, body });
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('IncompleteBody') });
  });

  test('a chunked upload as the SDK sends it is taken', async () => {
    const body = '5;chunk-signature=0\r\nhello\r\n0;chunk-signature=0\r\n\r\n';
    expect((await send(`/${bucket()}/chunks`, { method: 'PUT', headers: streaming, body })).status).toBe(200);
    expect((await cloud.objects.get(bucket(), 'chunks')).toString()).toBe('hello');
  });

  // Quadratic time would be minutes at these sizes: the test's own time limit is what fails then.
  test('a megabyte of unfinished XML, and a fraction as long as a record may be, are refused at once', async () => {
    const xml = '<Key '.repeat(200_000);
    expect((await send(`/${bucket()}?delete`, { method: 'POST', body: xml })).status).toBe(400);
    const entry = (value: string) => ({
      FeatureGroupName: GROUP,
      Record: [
        { FeatureName: 'order_id', ValueAsString: 'o|1' },
        { FeatureName: 'changed_at', ValueAsString: '2026-01-01T00:00:00.000Z' },
        { FeatureName: 'unit-price', ValueAsString: value },
        { FeatureName: 'quantity', ValueAsString: value },
      ],
    });
    for (const length of [340_000, 3_000_000]) {
      const body = JSON.stringify({ Entries: [entry(`${'1'.repeat(length)}!`)] });
      const answer = await send('/BatchWriteRecord', { method: 'POST', body });
      expect(JSON.parse(answer.text).Errors[0].ErrorCode).toBe('ValidationError');
    }
  });

  test.each<[string, string, Sent, number]>([
    ['two slashes', '//', {}, 400],
    ['a percent sign that escapes nothing', '/%zz', {}, 400],
    ['a path that is no UTF-8', '/%ff', {}, 400],
    ['a body that is null', '/BatchGetRecord', { method: 'POST', body: 'null' }, 400],
    ['a body that is a list', '/BatchGetRecord', { method: 'POST', body: '[]' }, 400],
    ['a body that is no JSON', '/BatchGetRecord', { method: 'POST', body: '{' }, 400],
    [
      'an operation called __proto__',
      '/',
      { method: 'POST', headers: { 'x-amz-target': 'DynamoDB_20120810.__proto__' } },
      400,
    ],
    [
      'an operation called constructor',
      '/',
      { method: 'POST', headers: { 'x-amz-target': 'DynamoDB_20120810.constructor' } },
      400,
    ],
    ['an operation called toString', '/', { method: 'POST', headers: { 'x-amz-target': 'SageMaker.toString' } }, 400],
    ['a service called constructor', '/', { method: 'POST', headers: { 'x-amz-target': 'constructor.x' } }, 400],
  ])('%s is the client’s error, not the cloud’s', async (_, path, sent, status) => {
    expect((await send(path, sent)).status).toBe(status);
  });

  test('a reference to a character that Unicode has not is malformed XML', async () => {
    const body = '<Delete><Object><Key>&#1114112;</Key></Object></Delete>';
    const answer = await send(`/${bucket()}?delete`, { method: 'POST', body });
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('MalformedXML') });
  });
});

test('the state folder is its owner’s alone', async () => {
  expect((await stat(dir)).mode & 0o777).toBe(0o700);
  expect((await stat(join(dir, 's3'))).mode & 0o777).toBe(0o700);
});
