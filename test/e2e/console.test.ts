import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ORDERS, type OrdersCloud, ordersCloud } from '../given/retraining/orders-cloud.ts';

/** `npm run console` as its user runs it, over a stack that it reaches by nothing but its endpoint. */

let orders: OrdersCloud;
const running: ChildProcess[] = [];

beforeAll(async () => {
  orders = await ordersCloud();
  await orders.write(0, 40);
});
afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill('SIGINT');
    if (child.exitCode === null) await once(child, 'exit');
  }
});
afterAll(() => orders?.close());

/** Starts the console. @returns its address, with the key. */
async function start(...args: string[]): Promise<{ child: ChildProcess; address: string }> {
  const { AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_REGION, ...environment } = process.env;
  const command = ['infra/commands/serving/console.ts', '--port', '0', '--definition', ORDERS, ...args];
  const child = spawn(process.execPath, command, {
    env: { ...environment, AWS_ENDPOINT_URL: orders.cloud.endpoint },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const [address] = /http:\S+/.exec(line) ?? [];
    if (address !== undefined) return { child, address };
  }
  throw new Error('The console has printed no address.');
}

/** Sends a request with headers that `fetch` would not send. */
function send(address: string, headers: Record<string, string>, body?: string) {
  return new Promise<{ status: number; cookie: string; text: string }>((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request(address, { method, headers, agent: false }, async (response) => {
      const [cookie = ''] = String(response.headers['set-cookie'] ?? '').split(';');
      resolve({ status: response.statusCode ?? 0, cookie, text: Buffer.concat(await response.toArray()).toString() });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Opens a console by its key. @returns what asks it. */
async function opened(address: string) {
  const { cookie } = await send(address, {});
  const [page = ''] = address.split('?');
  const headers = { cookie, 'content-type': 'application/json' };
  return {
    page,
    ask: (path: string, question: object, more: Record<string, string> = {}) =>
      send(`${page}${path}`, { ...headers, ...more }, JSON.stringify(question)),
  };
}

describe('npm run console', () => {
  it('opens by its key alone, and only reads', async () => {
    const { address } = await start();
    const { page, ask } = await opened(address);
    expect((await send(page, {})).status).toBe(401);
    const stack = await ask('stack', {});
    expect(JSON.parse(stack.text)).toMatchObject({ allowsActions: false, readsFreely: false });
    const record = JSON.parse((await ask('record', { identifier: 'o-7|1' })).text);
    expect([record.online.features.size, record.changes.length]).toEqual(['small', 1]);
    const refused = await ask('act', { action: 'pause', reason: 'no' });
    expect([refused.status, JSON.parse(refused.text).error]).toEqual([400, expect.stringContaining('--allow-actions')]);
  });

  it('is refused to other hosts and other sites, with the key and without', async () => {
    const { address } = await start();
    const { ask } = await opened(address);
    for (const foreign of [
      { host: 'evil.example' },
      { origin: 'http://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      expect((await ask('stack', {}, foreign)).status).toBe(403);
      expect((await send(address, foreign)).status).toBe(403);
    }
  });

  it('acts where it is allowed to, and is gone after Ctrl-C', async () => {
    const { address, child } = await start('--allow-actions');
    const { page, ask } = await opened(address);
    const paused = await ask('act', { action: 'pause', reason: 'tried by a test' });
    expect([paused.status, JSON.parse(paused.text)]).toEqual([200, { said: 'The loop is paused.' }]);
    expect((await orders.stateItem('epoch')).paused?.M).toBeDefined();
    expect((await ask('act', { action: 'resume' })).status).toBe(200);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await expect(send(page, {})).rejects.toThrow('ECONNREFUSED');
  });
});
