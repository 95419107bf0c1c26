import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
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
): Promise<{ server: Server; port: number }> {
  const server = createServer((message, response) => {
    const listening = (server.address() as AddressInfo).port;
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
  return { server, port: (server.address() as AddressInfo).port };
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
  response.writeHead(wire.status, { 'x-amzn-requestid': randomUUID(), ...wire.headers });
  response.end(wire.body);
}
