import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refuseForeign } from '../local/protocol/origin.ts';
import { HOST } from '../local/protocol/server.ts';
import type { WireRequest } from '../local/protocol/service.ts';
import { PREFIX } from './assets.ts';

/** Bytes of the key that opens the console. */
const KEY_BYTES = 24;

/** Milliseconds for which a connection is kept that nobody uses: a browser that takes one up as it closes would fail. */
const KEEP_ALIVE_MS = 60_000;

/** Name of the cookie that holds it. Cookies are of a host, whatever the port, so that the port is in the name. */
const cookieName = (port: number): string => `tributary-${port}`;

/** A console that runs by itself. */
export interface OwnServer {
  readonly server: Server;
  /** Opens the console once: it has the key, which becomes a cookie that no page can read. */
  readonly address: string;
}

/**
 * Serves a console over a deployed stack on loopback. It acts with its user's credentials, so that other users of the
 * machine are kept out by a key, and pages of other sites as the local cloud keeps them out.
 *
 * @throws Error when the port is taken, saying how to choose another.
 */
export async function ownServer(listener: RequestListener, port: number): Promise<OwnServer> {
  const key = randomBytes(KEY_BYTES).toString('base64url');
  const server = createServer((message, response) => {
    const { port: listening } = server.address() as AddressInfo;
    const { url = '/', headers } = message;
    try {
      refuseForeign(headers as WireRequest['headers'], listening);
    } catch (error) {
      response.writeHead(403, { 'content-type': 'text/plain' }).end((error as Error).message);
      return;
    }
    const [path, query] = url.split('?');
    if (path === PREFIX && query !== undefined && isSame(new URLSearchParams(query).get('key') ?? '', key)) {
      const cookie = `${cookieName(listening)}=${key}; Path=${PREFIX}; HttpOnly; SameSite=Strict`;
      response.writeHead(302, { location: PREFIX, 'set-cookie': cookie, 'referrer-policy': 'no-referrer' }).end();
    } else if (!isSame(keyOf(message, listening), key)) {
      const text = 'Open the console by the address that npm run console has printed: it has the key.';
      response.writeHead(401, { 'content-type': 'text/plain' }).end(text);
    } else if (url.startsWith(PREFIX)) listener(message, response);
    else response.writeHead(404).end();
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const inUse = `Port ${port} on ${HOST} is in use: stop what is listening there, or choose another with --port N.`;
      reject(error.code === 'EADDRINUSE' ? new Error(inUse) : error);
    });
    server.listen(port, HOST, resolve);
  });
  const { port: listening } = server.address() as AddressInfo;
  return { server, address: `http://${HOST}:${listening}${PREFIX}?key=${key}` };
}

function keyOf({ headers }: IncomingMessage, port: number): string {
  const cookies = (headers.cookie ?? '').split('; ').map((it) => it.split('='));
  return cookies.find(([name]) => name === cookieName(port))?.[1] ?? '';
}

function isSame(given: string, key: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(key)];
  return one.length === other.length && timingSafeEqual(one, other);
}
