import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsError, notImplemented } from './aws-error.ts';
import { type Faults, LostAnswer } from './faults.ts';
import type { Call, Service, WireRequest, WireResponse } from './service.ts';

/** The local cloud answers on loopback only: it checks no signature. */
export const HOST = '127.0.0.1';

/** Largest request body taken, in bytes. Above every limit of the services served (DynamoDB 16 MB, Invoke 6 MB). */
const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** Calls an operation of one of `services` in process, under the armed faults. */
export function callInProcess(services: readonly Service[], faults: Faults): Call {
  return (name, operation, input) => {
    const service = services.find((it) => it.name === name);
    const run = service?.operations?.[operation];
    if (!run) throw notImplemented(name, operation);
    return faults.apply(name, operation, async () => run(input as never, undefined));
  };
}

/**
 * Serves every service on one port of 127.0.0.1 by the wire protocols the SDKs, the AWS CLI and boto3 speak:
 * RPC by X-Amz-Target, REST with JSON, and whatever a service takes raw.
 *
 * @throws Error when the port is taken, saying how to choose another.
 */
export async function serve(
  services: readonly Service[],
  faults: Faults,
  port: number,
): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    answer(services, faults, request).then(
      (wire) => send(response, wire),
      (error) => {
        if (error instanceof LostAnswer) request.socket.destroy();
        else send(response, renderError(error, request));
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

async function answer(services: readonly Service[], faults: Faults, message: IncomingMessage): Promise<WireResponse> {
  const request = await read(message);
  const target = request.headers['x-amz-target'];
  if (target) {
    const [prefix, operation = ''] = target.split('.');
    const service = services.find((it) => it.target === prefix);
    if (!service) throw notImplemented(String(prefix), operation);
    const run = service.operations?.[operation];
    if (!run) throw notImplemented(service.name, operation);
    const input = parseJson(request.body);
    const result = await faults.apply(service.name, operation, async () => run(input as never, request));
    return json(result, service.contentType ?? 'application/x-amz-json-1.1');
  }
  // S3's paths begin with a bucket's name, which may look like another service's path: the signature tells.
  const signedFor = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1];
  const candidates =
    signedFor === 's3'
      ? services.filter((it) => it.name === 's3')
      : [...services].sort((a, b) => Number(a.name === 's3') - Number(b.name === 's3'));
  for (const service of candidates) {
    const raw = service.raw?.(request);
    if (raw) {
      return faults.apply(service.name, raw.operation, raw.run).catch((error) => {
        if (error instanceof AwsError && service.renderError) return service.renderError(error);
        throw error;
      });
    }
    for (const route of service.routes ?? []) {
      const match = route.method === request.method ? route.path.exec(request.path) : null;
      if (!match) continue;
      const input = { ...parseJson(request.body), ...restInput(match, request, route) };
      const run = service.operations?.[route.operation];
      if (!run) throw notImplemented(service.name, route.operation);
      return json(
        await faults.apply(service.name, route.operation, async () => run(input as never, request)),
        'application/json',
      );
    }
  }
  throw notImplemented(signedFor ?? 'an unknown service', `${request.method} ${request.path}`);
}

function restInput(match: RegExpExecArray, request: WireRequest, route: NonNullable<Service['routes']>[number]) {
  const input: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(match.groups ?? {})) input[name] = decodeURIComponent(value);
  for (const [parameter, member] of Object.entries(route.query ?? {})) {
    const values = request.query.getAll(parameter);
    if (values.length > 0) input[member] = route.lists?.includes(member) ? values : values[0];
  }
  return input;
}

async function read(message: IncomingMessage): Promise<WireRequest> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX)
      throw new AwsError('RequestEntityTooLarge', `Body exceeds ${BODY_BYTES_MAX} bytes`, 413);
    chunks.push(chunk);
  }
  const url = new URL(message.url ?? '/', `http://${HOST}`);
  const path = (message.url ?? '/').split('?')[0] ?? '/';
  return {
    method: message.method ?? 'GET',
    path,
    query: url.searchParams,
    headers: message.headers as WireRequest['headers'],
    body: Buffer.concat(chunks),
  };
}

function parseJson(body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new AwsError('SerializationException', 'The request body is not JSON', 400);
  }
}

function json(result: unknown, contentType: string): WireResponse {
  return { status: 200, headers: { 'content-type': contentType }, body: JSON.stringify(result ?? {}) };
}

/** Errors in the shape of JSON protocols (S3 renders its own as XML). Unexpected ones are 500 and say what happened. */
function renderError(error: unknown, message: IncomingMessage): WireResponse {
  const known =
    error instanceof AwsError
      ? error
      : new AwsError('InternalFailure', String((error as Error)?.message ?? error), 500);
  if (!(error instanceof AwsError)) console.error(`local cloud: ${message.method} ${message.url}`, error);
  return {
    status: known.status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': known.code },
    body: JSON.stringify({ ...known.fields, __type: known.code, message: known.message, Message: known.message }),
  };
}

function send(response: ServerResponse, wire: WireResponse): void {
  response.writeHead(wire.status, { 'x-amzn-requestid': randomUUID(), ...wire.headers });
  response.end(wire.body);
}
