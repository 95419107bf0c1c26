import type { Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand, type InvokeCommandInput, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LambdaFunction } from '../../../infra/local/lambda/function.ts';
import { lambdaRuntime } from '../../../infra/local/lambda/runtime.ts';
import { lambdaService } from '../../../infra/local/lambda/service.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { serve } from '../../../infra/local/protocol/server.ts';
import type { Service } from '../../../infra/local/protocol/service.ts';

const fixture = (name: string, file: string, more: Partial<LambdaFunction> = {}): LambdaFunction => ({
  name,
  handlerFile: join(import.meta.dirname, '../../fixtures/lambda', file),
  exportName: 'handler',
  environment: {},
  timeoutSeconds: 10,
  memoryMB: 128,
  ...more,
});

const logged: string[] = [];
let service: Service;
let server: Server;
let endpoint: string;
let client: LambdaClient;

beforeAll(async () => {
  const runtime = lambdaRuntime({
    functions: [
      fixture('one', 'environment.ts', { environment: { STATE_TABLE: 'state-of-one' } }),
      fixture('two', 'environment.ts', { memoryMB: 256 }),
      fixture('failures', 'failures.ts'),
      fixture('hurried', 'failures.ts', { timeoutSeconds: 1 }),
      fixture('missing-export', 'failures.ts', { exportName: 'absent' }),
      fixture('missing-file', 'absent.ts'),
      fixture('overlap', 'overlap.ts'),
      fixture('garbage', 'garbage.ts'),
      fixture('url', 'url.ts'),
    ],
    endpointUrl: () => endpoint,
    onLog: (name, line) => logged.push(`${name}: ${line}`),
  });
  service = lambdaService(runtime);
  const served = await serve([service], new Faults(), 0);
  server = served.server;
  endpoint = `http://127.0.0.1:${served.port}`;
  client = new LambdaClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
});
afterEach(() => {
  logged.length = 0;
});
afterAll(async () => {
  client.destroy();
  server.closeAllConnections();
  server.close();
  await service.close?.();
});

async function invoke(FunctionName: string, event: unknown = {}, more: Partial<InvokeCommandInput> = {}) {
  const answer = await client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event), ...more }));
  const text = Buffer.from(answer.Payload ?? []).toString('utf8');
  return { ...answer, payload: text === '' ? undefined : JSON.parse(text) };
}

describe('an execution environment', () => {
  test('has what is configured and what Lambda sets, and nothing of this process', async () => {
    process.env.ONLY_HERE = 'secret';
    const { payload } = await invoke('one');
    const { payload: other } = await invoke('two');
    expect(payload.env).toMatchObject({
      STATE_TABLE: 'state-of-one',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: endpoint,
      AWS_LAMBDA_FUNCTION_NAME: 'one',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
    });
    expect(other.env).toMatchObject({ AWS_LAMBDA_FUNCTION_NAME: 'two', AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256' });
    expect(other.env.STATE_TABLE).toBeUndefined();
    expect(payload.env.ONLY_HERE).toBeUndefined();
    expect(payload.env.HOME).toBeUndefined();
  });

  test('gives the handler its event and a context', async () => {
    const { payload } = await invoke('one', { some: ['event'] });
    expect(payload.event).toEqual({ some: ['event'] });
    expect(payload.context).toMatchObject({
      functionName: 'one',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:one',
      memoryLimitInMB: '128',
    });
    expect(payload.context.awsRequestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(payload.remaining).toBeGreaterThan(8_000);
    expect(payload.remaining).toBeLessThanOrEqual(10_000);
  });

  test('stays warm: a later invocation finds the state of the earlier one', async () => {
    const first = await invoke('one');
    const second = await invoke('one');
    expect(second.payload.invocations).toBe(first.payload.invocations + 1);
  });

  test('takes one invocation at a time', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => invoke('overlap')));
    expect(answers.map((it) => it.payload)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test('collects its garbage when it has been idle for a while', async () => {
    expect((await invoke('garbage')).payload).toBe(false);
    await sleep(2_000);
    expect((await invoke('garbage')).payload).toBe(true);
  });

  test('is ended when it has been idle beside another idle one for a while, and the last one stays', async () => {
    const streams: string[] = [];
    const runtime = lambdaRuntime({
      functions: [fixture('overlap', 'overlap.ts')],
      endpointUrl: () => endpoint,
      onInvocation: ({ logStream }) => streams.push(logStream),
      surplusMillis: 20,
    });
    const twoAtOnce = () => Promise.all([runtime.invoke('overlap', '{}'), runtime.invoke('overlap', '{}')]);
    await twoAtOnce();
    await sleep(200);
    await twoAtOnce();
    await runtime.close();
    const [first, second] = [streams.slice(0, 2), streams.slice(2)];
    expect(new Set(first).size).toBe(2);
    expect(second.filter((it) => first.includes(it))).toHaveLength(1);
  });

  test('hands over every line it logs before it answers, and the tail on request', async () => {
    const { payload, LogResult } = await invoke('one', {}, { LogType: 'Tail' });
    const lines = [`invocation ${payload.invocations}`, 'a line on stderr'];
    expect(logged).toEqual(lines.map((it) => `one: ${it}`));
    // Between what Lambda itself says of the invocation.
    expect(Buffer.from(LogResult ?? '', 'base64').toString('utf8')).toMatch(
      new RegExp(`^START RequestId: .*\\n${lines.join('\\n')}\\nEND RequestId: .*\\nREPORT RequestId: .*`),
    );
  });
});

describe('a function that fails', () => {
  test('answers its error with type, message and trace', async () => {
    const { StatusCode, FunctionError, payload } = await invoke('failures', { how: 'throw' });
    expect([StatusCode, FunctionError]).toEqual([200, 'Unhandled']);
    expect(payload).toMatchObject({ errorType: 'RangeError', errorMessage: 'out of range' });
    expect(payload.trace[0]).toBe('RangeError: out of range');
    expect(payload.trace[1]).toMatch(/failures\.ts/);
  });

  test.each([
    ['throw a string', { errorType: 'string', errorMessage: 'just text' }],
    ['exit', { errorType: 'Runtime.ExitError', errorMessage: 'Runtime exited with error: exit status 3' }],
    ['crash', { errorType: 'Error', errorMessage: 'nobody catches this' }],
    ['large', { errorType: 'Function.ResponseSizeTooLarge' }],
  ])('by "%s" is answered, and the next invocation works', async (how, error) => {
    const { FunctionError, payload } = await invoke('failures', { how });
    expect(FunctionError).toBe('Unhandled');
    expect(payload).toMatchObject(error);
    expect((await invoke('failures')).payload).toBe('fine');
  });

  test.each(['sleep', 'block'])('to answer in time (%s) is ended, and says after how long', async (how) => {
    const { FunctionError, payload } = await invoke('hurried', { how, millis: 3_600_000 });
    expect(FunctionError).toBe('Unhandled');
    expect(payload.errorType).toBe('Sandbox.Timedout');
    expect(payload.errorMessage).toMatch(/Task timed out after 1.00 seconds/);
    expect((await invoke('hurried')).payload).toBe('fine');
  });

  test('to load says why', async () => {
    const noExport = await invoke('missing-export');
    expect(noExport.payload).toMatchObject({ errorType: 'Runtime.HandlerNotFound' });
    const noFile = await invoke('missing-file');
    expect(noFile.payload.errorMessage).toMatch(/absent\.ts/);
  });
});

describe('Invoke', () => {
  test('of an unknown function is refused', async () => {
    await expect(invoke('unknown')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('takes an ARN', async () => {
    const { payload } = await invoke('arn:aws:lambda:us-east-1:000000000000:function:one');
    expect(payload.context.functionName).toBe('one');
  });

  test('of type DryRun runs nothing', async () => {
    const { StatusCode } = await invoke('one', {}, { InvocationType: 'DryRun' });
    expect([StatusCode, logged]).toEqual([204, []]);
  });

  test('of type Event answers at once, and tries a failed invocation three times in all', async () => {
    const { StatusCode } = await invoke('failures', { how: 'throw' }, { InvocationType: 'Event' });
    expect(StatusCode).toBe(202);
    const errors = () => logged.filter((it) => it.includes('out of range')).length;
    await expect.poll(errors).toBe(3);
  });

  test('of more than 6 MB is refused', async () => {
    await expect(invoke('one', 'x'.repeat(6 * 1024 * 1024))).rejects.toMatchObject({
      name: 'RequestTooLargeException',
    });
  });

  test('of a version that is not there is refused loudly', async () => {
    await expect(invoke('one', {}, { Qualifier: '7' })).rejects.toThrow(/Function not found: .*:function:one:7/);
  });
});

describe('a function URL', () => {
  const call = (path: string, init?: RequestInit) => fetch(`${endpoint}/lambda-url/url${path}`, init);

  test('gives the function the request in payload format 2.0', async () => {
    const response = await call('/echo?a=1&a=2&b=x%20y', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-own': 'header', cookie: 'c=1; d=2' },
      body: '{"customer_id":"c-1"}',
    });
    const event = (await response.json()) as Record<string, unknown>;
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: '$default',
      rawPath: '/echo',
      queryStringParameters: { a: '1,2', b: 'x y' },
      cookies: ['c=1', 'd=2'],
      headers: { 'x-own': 'header' },
      requestContext: { http: { method: 'POST', path: '/echo' } },
      body: '{"customer_id":"c-1"}',
      isBase64Encoded: false,
    });
  });

  test('maps status, headers, cookie and body of the answer', async () => {
    const response = await call('/mapped', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'this' });
    expect(response.status).toBe(201);
    expect(response.headers.get('x-answer')).toBe('42');
    expect(response.headers.get('set-cookie')).toBe('a=b');
    expect(await response.text()).toBe('made from this');
  });

  test('decodes a binary body, and takes an answer without a status as the body', async () => {
    expect([...new Uint8Array(await (await call('/binary')).arrayBuffer())]).toEqual([0, 255]);
    const text = await call('/text');
    expect([text.status, text.headers.get('content-type'), await text.text()]).toEqual([
      200,
      'application/json',
      'only text',
    ]);
  });

  test('answers 502 when the function fails', async () => {
    const response = await call('/');
    expect(response.status).toBe(502);
  });
});
