import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { makeIngest } from '../../../functions/ingest.ts';
import { systemTime } from '../../../shared/calls/client-settings.ts';
import { deliveryClients } from '../../../shared/delivery/destinations.ts';
import { thing, thingRecord, things } from '../../given/table-world.ts';

/** The real clients, and services of which one is silent: the answer comes when the time is up, whatever they do. */

const REMAINING_MS = 4_000;

/** Answers as AWS does when all is well, but to the operation that is named. */
async function ingestAgainst(silent: RequestListener, isSilent: (url: string, target: string) => boolean) {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const target = String(request.headers['x-amz-target'] ?? '');
      if (isSilent(request.url ?? '', target)) return silent(request, response);
      response.setHeader('content-type', 'application/json');
      if (request.url === '/BatchWriteRecord') return response.end('{"Errors":[],"UnprocessedEntries":[]}');
      if (target.startsWith('Firehose')) {
        return response.end('{"FailedPutCount":0,"RequestResponses":[{"RecordId":"r"}]}');
      }
      response.end(target.endsWith('BatchGetItem') ? '{"Responses":{"state":[]},"UnprocessedKeys":{}}' : '{}');
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' });
  try {
    const config = {
      ...{ featureGroup: 'things', stateTable: 'state', changeLogStream: 'log', quarantineBucket: 'quarantine' },
      ...{
        hazardWindowSeconds: 1,
        featureStoreConcurrency: 4,
        featureStoreWriter: 'direct' as const,
        fences: 'pages' as const,
      },
    };
    const ingest = makeIngest({
      ...{ config, group: things(), time: systemTime, report: () => {}, putObject: async () => ({}) },
      clients: deliveryClients(config),
    });
    const end = Date.now() + REMAINING_MS;
    const Records = Array.from({ length: 200 }, (_, n) =>
      thingRecord('INSERT', 1_000 + n, 0, { after: thing(`r${n}`, n) }),
    );
    const { batchItemFailures } = await ingest({ Records }, { getRemainingTimeInMillis: () => end - Date.now() });
    return { inTime: Date.now() < end, failed: batchItemFailures.length };
  } finally {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
}

const never: RequestListener = () => {};
/** Status and headers, and a body that begins and does not end. */
const stalled: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 37 });
  response.write('{"Errors":');
};

test.each<[string, RequestListener, (url: string, target: string) => boolean]>([
  ['fences are never answered', never, (_, target) => target.endsWith('PutItem')],
  ['fences are never read', never, (_, target) => target.endsWith('BatchGetItem')],
  ['Feature Store never answers', never, (url) => url === '/BatchWriteRecord'],
  ['the body of Feature Store’s answer stalls', stalled, (url) => url === '/BatchWriteRecord'],
  ['the body of Firehose’s answer stalls', stalled, (_, target) => target.startsWith('Firehose')],
])('ingest answers in time when %s', { timeout: 20_000 }, async (_, silent, isSilent) => {
  expect(await ingestAgainst(silent, isSilent)).toEqual({ inTime: true, failed: 1 });
});
