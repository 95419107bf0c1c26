import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsError, notImplemented } from './aws-error.ts';
import { type Faults, LostAnswer } from './faults.ts';
import { refuseForeign } from './origin.ts';
import { queryError } from './query-protocol.ts';
import { readRequest } from './request.ts';
import { type Dispatch, dispatch, operationOf } from './routing.ts';
import type { Call, Caller, Roles, Service, WireRequest, WireResponse } from './service.ts';

/** The local cloud answers on loopback only: it checks no signature. */
export const HOST = '127.0.0.1';

/** Calls an operation of one of `services` in process, under the armed faults; as a role, if one is given, that may. */
export function callInProcess(
  services: readonly Service[],
  faults: Faults,
  as?: { roles: Roles; caller: Caller },
): Call {
  return async (name, operation, input) => {
    const service = services.find((it) => it.name === name);
    const run = service && operationOf(service, operation);
    if (!run) throw notImplemented(name, operation);
    await as?.roles.authorize(as.caller, name, operation, input);
    return faults.apply(name, operation, async () => run(input as never, undefined));
  };
}

/**
 * Serves every service on one port of 127.0.0.1 by the wire protocols the SDKs, the AWS CLI and boto3 speak:
 * RPC by X-Amz-Target, REST with JSON, the query protocol, and whatever a service takes raw.
 *
 * @throws Error when the port is taken, saying how to choose another.
 */
export async function serve(
  services: readonly Service[],
  faults: Faults,
  port: number,
  roles?: Roles,
): Promise<Served> {
  const pages: Pages[] = [];
  let listening = port;
  const server = createServer((message, response) => {
    if (servePages(pages, message, response, listening)) return;
    answer({ services, faults, roles }, message, listening).then(
      (wire) => send(response, wire),
      (error) => {
        if (error instanceof LostAnswer) message.socket.destroy();
        else send(response, renderError(error, message));
      },
    );
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(
              `Port ${port} on ${HOST} is in use: stop what is listening there, or choose another with --port N.`,
            )
          : error,
      );
    });
    server.listen(port, HOST, resolve);
  });
  // Asked for once: a request would cost a call of the system.
  listening = (server.address() as AddressInfo).port;
  const mount: Served['mount'] = (prefix, listener) => pages.push({ prefix, listener });
  return { server, port: listening, mount };
}

/** The server of every service, and of pages beside them. */
export interface Served {
  readonly server: Server;
  readonly port: number;
  /** Serves pages below a path that begins and ends with `/`, which no bucket can have for a name. */
  mount(prefix: string, listener: RequestListener): void;
}

interface Pages {
  readonly prefix: string;
  readonly listener: RequestListener;
}

/** Whether a request is for pages, or is a browser's for the root, which is shown the way to them. */
function servePages(
  pages: readonly Pages[],
  message: IncomingMessage,
  response: ServerResponse,
  port: number,
): boolean {
  const { url = '', headers } = message;
  const isBrowser = url === '/' && message.method === 'GET' && headers.accept?.includes('text/html');
  const found = pages.find(({ prefix }) => isBrowser || url.startsWith(prefix) || url === prefix.slice(0, -1));
  if (!found) return false;
  try {
    refuseForeign(headers as WireRequest['headers'], port);
  } catch (error) {
    send(response, renderError(error, message));
    return true;
  }
  if (url.startsWith(found.prefix)) found.listener(message, response);
  else response.writeHead(302, { location: found.prefix }).end();
  return true;
}

async function answer(options: Dispatch, message: IncomingMessage, port: number): Promise<WireResponse> {
  return dispatch(options, await readRequest(message, (headers) => refuseForeign(headers, port)));
}

/** Errors in the shape of the request's protocol: XML for forms, JSON else (S3 renders its own). Unexpected ones are 500. */
function renderError(error: unknown, message: IncomingMessage): WireResponse {
  const known =
    error instanceof AwsError
      ? error
      : new AwsError('InternalFailure', String((error as Error)?.message ?? error), 500);
  if (!(error instanceof AwsError)) console.error(`local cloud: ${message.method} ${message.url}`, error);
  if (isQuery(message)) return queryError(known);
  return {
    status: known.status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': known.code },
    body: JSON.stringify({ ...known.fields, __type: known.code, message: known.message, Message: known.message }),
  };
}

function isQuery({ url = '', headers }: IncomingMessage): boolean {
  if (headers['x-amz-target'] !== undefined) return false;
  const type = (headers as WireRequest['headers'])['content-type'];
  return type?.startsWith('application/x-www-form-urlencoded') === true || /^\/\?(?:[^#]*&)?Action=/.test(url);
}

function send(response: ServerResponse, wire: WireResponse): void {
  const { status, headers, body = '' } = wire;
  // Without its length an answer would go in chunks, in twice the time.
  const length = status === 204 || status === 304 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { 'x-amzn-requestid': randomUUID(), ...length, ...headers });
  response.end(body);
}
