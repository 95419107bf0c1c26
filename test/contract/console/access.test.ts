import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { PREFIX, readAssets } from '../../../infra/console/assets.ts';
import { makeConsole } from '../../../infra/console/console.ts';
import { ownServer } from '../../../infra/console/own-server.ts';
import { consoleOfOrders } from '../../given/console/console-of-orders.ts';

/** Most bytes of the whole console over the wire. */
const WEIGHT_BYTES_MAX = 60 * 1024;

let served: Awaited<ReturnType<typeof consoleOfOrders>>;
beforeAll(async () => {
  served = await consoleOfOrders();
});
afterAll(() => served?.close());

const JSON_TYPE = { 'content-type': 'application/json' };

/** Sends a request with headers that `fetch` would not send. */
function send(address: string, headers: Record<string, string>, body?: string) {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
    const sent = request(
      address,
      { method: body === undefined ? 'GET' : 'POST', headers, agent: false },
      async (response) => {
        const text = Buffer.concat(await response.toArray()).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('the console of a local cloud', () => {
  it('is refused to pages of other sites, in every way that they can ask', async () => {
    const question = `${served.address}record`;
    const foreign = [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { host: 'evil.example' },
    ];
    for (const headers of foreign) {
      expect((await send(question, { ...JSON_TYPE, ...headers }, '{"identifier":"o-1|1"}')).status).toBe(403);
      expect((await send(served.address, headers)).status).toBe(403);
      expect((await send(`${served.address}live`, headers)).status).toBe(403);
    }
  });

  it('takes questions as JSON in a POST only, and answers what is wrong in one sentence', async () => {
    const question = `${served.address}record`;
    const wrong = await send(question, { 'content-type': 'text/plain' }, '{"identifier":"o-1|1"}');
    expect([wrong.status, JSON.parse(wrong.text).error]).toEqual([400, expect.stringContaining('must be JSON')]);
    expect((await send(question, {})).status).toBe(404);
    for (const body of ['', '[]', '{', '{"identifier":""}', '{"identifier":"half"}'])
      expect((await send(question, JSON_TYPE, body)).status).toBe(400);
    for (const path of ['constructor', '__proto__', '..%2fconsole.ts', 'page/main.mjs', 'live'])
      expect((await send(served.address + path, JSON_TYPE, '{}')).status).toBe(404);
  });

  it('tells the browser to take nothing from elsewhere, and to keep no answer', async () => {
    const page = await send(served.address, {});
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'sha256-[^']+'; /);
    expect(policy).not.toMatch(/unsafe|\*|http/);
    const answer = await send(`${served.address}stack`, JSON_TYPE, '{}');
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });

  it('sends a file that the browser has once only', async () => {
    const { headers } = await send(`${served.address}main.mjs`, {});
    expect((await send(`${served.address}main.mjs`, { 'if-none-match': String(headers.etag) })).status).toBe(304);
  });

  it('acts only where it is allowed to, and knows its actions', async () => {
    const act = (body: object) => send(`${served.address}act`, JSON_TYPE, JSON.stringify(body));
    expect((await act({ action: 'constructor' })).status).toBe(400);
    expect((await act({ action: 'redrive', selection: { item: 7 } })).status).toBe(400);
    const { actions: _, ...reading } = served.options;
    const pages = makeConsole(reading);
    served.cloud.servePages('/_reading/', (message, response) => {
      message.url = message.url?.replace('/_reading/', PREFIX);
      pages.listener(message, response);
    });
    const address = `${served.cloud.endpoint}/_reading/act`;
    const refused = await send(address, JSON_TYPE, '{"action":"pause","reason":"no"}');
    expect([refused.status, JSON.parse(refused.text).error]).toEqual([400, expect.stringContaining('only reads')]);
    pages.close();
  });

  it('is where a browser is led that asks for the root, and no client of S3', async () => {
    const root = served.cloud.endpoint;
    expect((await send(root, { accept: 'text/html' })).headers).toMatchObject({ location: PREFIX });
    expect((await send(root, {})).text).toContain('ListAllMyBucketsResult');
  });
});

test(`the whole console weighs at most ${WEIGHT_BYTES_MAX} bytes over the wire`, () => {
  const weight = [...readAssets().files.values()].reduce((bytes, { compressed }) => bytes + compressed.length, 0);
  expect(weight).toBeLessThanOrEqual(WEIGHT_BYTES_MAX);
});

test('a console over a deployed stack opens by its key only, which then is a cookie', async () => {
  const pages = makeConsole(served.options);
  const { server, address } = await ownServer(pages.listener, 0);
  try {
    const [bare = ''] = address.split('?');
    expect((await send(bare, {})).status).toBe(401);
    expect((await send(`${bare}?key=guessed`, {})).status).toBe(401);
    expect((await send(address, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    const opened = await send(address, {});
    const [cookie = ''] = String(opened.headers['set-cookie']).split(';');
    expect([opened.status, opened.headers.location, String(opened.headers['set-cookie'])]).toEqual([
      302,
      PREFIX,
      expect.stringMatching(/; HttpOnly; SameSite=Strict$/),
    ]);
    expect((await send(bare, { cookie })).status).toBe(200);
    expect((await send(`${bare}stack`, { ...JSON_TYPE, cookie }, '{}')).status).toBe(200);
    expect((await send(`${bare}stack`, JSON_TYPE, '{}')).status).toBe(401);
    expect((await send(`${bare}stack`, { ...JSON_TYPE, cookie, origin: 'http://evil.example' }, '{}')).status).toBe(
      403,
    );
  } finally {
    pages.close();
    server.close();
  }
});
