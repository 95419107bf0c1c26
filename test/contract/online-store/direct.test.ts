import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  SageMakerFeatureStoreRuntimeClient,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { FinalizeRequestMiddleware } from '@smithy/types';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { errorCode } from '../../../shared/calls/failure.ts';
import { directOnlineStore } from '../../../shared/online-store/direct.ts';
import { sdkOnlineStore } from '../../../shared/online-store/online-store.ts';
import { accounts, FIRST_SECOND, timedChange } from '../../given/builders.ts';
import { LOOPBACK_TLS } from '../../given/tls.ts';

interface Captured {
  readonly line: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

const DONE = '{"Errors":[],"UnprocessedEntries":[]}';
/** Aborts nothing. */
const never = new AbortController().signal;
const captured: Captured[] = [];
let answers: { status: number; body: string; errorType?: string }[] = [];
let connections = 0;
let server: Server;

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = await bytesOf(request);
    captured.push({ line: `${request.method} ${request.url}`, headers: request.rawHeaders, body });
    // Without a date the clients have no clock to correct theirs by, and a test may fix the time.
    response.sendDate = false;
    const answer = answers.shift() ?? { status: 200, body: DONE };
    if (answer.errorType !== undefined) response.setHeader('x-amzn-errortype', answer.errorType);
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  captured.length = 0;
  answers = [];
  connections = 0;
});
afterEach(() => vi.useRealTimers());

function client(credentials: object = {}) {
  return new SageMakerFeatureStoreRuntimeClient({
    region: 'eu-central-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session', ...credentials },
  });
}

const changes = [
  timedChange({ recordIdentifier: 'a-1', values: ['3', '12.50', 'team', '1', 'say "ä\\\u2028\ud800"\n', null, '1'] }),
  timedChange({ recordIdentifier: 'ключ', values: ['9', '-0.000', 'free', '0', '', '7', undefined] }),
];

const invocationId = ({ headers }: Captured) => headers[headers.indexOf('amz-sdk-invocation-id') + 1] as string;

/** What the SDK sends for the changes, under an invocation id that is given: it is random, and signed. */
async function sentBySdk(id: string): Promise<Captured> {
  const sdk = client();
  const fixedInvocationId: FinalizeRequestMiddleware<ServiceInputTypes, ServiceOutputTypes> = (next) => (args) => {
    (args.request as { headers: Record<string, string> }).headers['amz-sdk-invocation-id'] = id;
    return next(args);
  };
  sdk.middlewareStack.addRelativeTo(fixedInvocationId, {
    relation: 'before',
    toMiddleware: 'httpSigningMiddleware',
    name: 'fixedInvocationId',
  });
  await sdkOnlineStore(accounts, sdk).batchWrite(changes, never);
  return captured.pop() as Captured;
}

test('every call is byte for byte what the SDK sends, signature included', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: FIRST_SECOND * 1_000 });
  const store = directOnlineStore(accounts, client());
  for (const _ of ['through the SDK', 'directly', 'directly']) {
    expect(await store.batchWrite(changes, never)).toMatchObject({ Errors: [], UnprocessedEntries: [] });
    const sent = captured.pop() as Captured;
    expect(sent).toEqual(await sentBySdk(invocationId(sent)));
    expect(sent.headers[sent.headers.indexOf('authorization') + 1]).toMatch(/\/eu-central-1\/sagemaker\/aws4_request/);
  }
});

test('each batch asks the SDK again, once for all of its calls', async () => {
  const sdk = client();
  const send = vi.spyOn(sdk, 'send');
  const store = directOnlineStore(accounts, sdk);
  for (const _ of ['first batch', 'second batch']) {
    store.begin();
    await Promise.all(Array.from({ length: 8 }, () => store.batchWrite(changes, never)));
  }
  expect(captured).toHaveLength(16);
  expect(send).toHaveBeenCalledTimes(2);
});

test('connections are used again', async () => {
  const store = directOnlineStore(accounts, client());
  for (let call = 0; call < 20; call += 1) await store.batchWrite(changes, never);
  expect(captured).toHaveLength(20);
  expect(connections).toBe(1);
});

test('over TLS the bodies are the same, and one connection is used for all', async () => {
  const bodies: Buffer[] = [];
  let handshakes = 0;
  const tls = createTlsServer(LOOPBACK_TLS, async (request, response) => {
    bodies.push(await bytesOf(request));
    response.writeHead(200, { 'content-type': 'application/json' }).end(DONE);
  });
  tls.on('secureConnection', () => {
    handshakes += 1;
  });
  await new Promise<void>((done) => tls.listen(0, '127.0.0.1', done));
  const sdk = new SageMakerFeatureStoreRuntimeClient({
    region: 'eu-central-1',
    endpoint: `https://127.0.0.1:${(tls.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    requestHandler: { httpsAgent: { ca: LOOPBACK_TLS.cert } },
  });
  try {
    const store = directOnlineStore(accounts, sdk);
    for (let call = 0; call < 5; call += 1) await store.batchWrite(changes, never);
    await sdkOnlineStore(accounts, client()).batchWrite(changes, never);
    expect(bodies).toHaveLength(5);
    for (const body of bodies) expect(body).toEqual(captured.at(-1)?.body);
    expect(handshakes).toBe(1);
  } finally {
    sdk.destroy();
    tls.close();
  }
});

test('credentials that expire are renewed', async () => {
  let made = 0;
  const provider = async () => ({
    accessKeyId: `AKID${++made}`,
    secretAccessKey: 'secret',
    expiration: new Date(Date.now() + (made === 1 ? 0 : 3_600_000)),
  });
  const sdk = new SageMakerFeatureStoreRuntimeClient({
    region: 'eu-central-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: provider,
  });
  const store = directOnlineStore(accounts, sdk);
  await store.batchWrite(changes, never);
  await store.batchWrite(changes, never);
  await store.batchWrite(changes, never);
  expect(captured.at(-1)?.headers.join()).toMatch(/AKID[2-9]/);
});

test('a call that is throttled is made again by the SDK, and after it calls are direct again', async () => {
  const store = directOnlineStore(accounts, client());
  await store.batchWrite(changes, never);
  answers = [{ status: 429, errorType: 'ThrottlingException', body: '{}' }];
  expect(await store.batchWrite(changes, never)).toMatchObject({ UnprocessedEntries: [] });
  await store.batchWrite(changes, never);
  expect(captured).toHaveLength(4);
});

test('an error is the one that the SDK throws', async () => {
  const refusal = { status: 400, errorType: 'ValidationError', body: '{"message":"an entry is not valid"}' };
  const store = directOnlineStore(accounts, client());
  await store.batchWrite(changes, never);
  answers = [refusal, refusal];
  const error = await store.batchWrite(changes, never).catch((caught: unknown) => caught);
  answers = [refusal];
  const expected = await sdkOnlineStore(accounts, client())
    .batchWrite(changes, never)
    .catch((caught: unknown) => caught);
  expect(errorCode(error)).toBe('ValidationError');
  expect(error).toEqual(expected);
});

test('entries that were not written are told as by the SDK', async () => {
  const store = directOnlineStore(accounts, client());
  await store.batchWrite(changes, never);
  const Entry = { FeatureGroupName: 'accounts', Record: [{ FeatureName: 'account_id', ValueAsString: 'a-1' }] };
  const body = {
    Errors: [{ Entry, ErrorCode: 'InternalFailure', ErrorMessage: 'later' }],
    UnprocessedEntries: [Entry],
  };
  answers = [{ status: 200, body: JSON.stringify(body) }];
  expect(await store.batchWrite(changes, never)).toEqual(body);
});
