import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { LOOPBACK_TLS } from '../../given/tls.ts';

/**
 * Answers each call of Feature Store and Firehose as done, after a delay in milliseconds, over TLS if told so. Run as a
 * process of its own.
 */

const delayMs = Number(process.argv[2] ?? 0);

const answerAll: RequestListener = (request, response) => {
  let records = 0;
  request.on('data', () => {});
  request.on('end', () => {
    const target = request.headers['x-amz-target'];
    records = Number(request.headers['x-records'] ?? 1);
    const body =
      target === 'Firehose_20150804.PutRecordBatch'
        ? JSON.stringify({
            FailedPutCount: 0,
            RequestResponses: Array.from({ length: records }, () => ({ RecordId: 'r' })),
          })
        : request.url === '/BatchWriteRecord'
          ? '{"Errors":[],"UnprocessedEntries":[]}'
          : '{}';
    const answer = () => response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    if (delayMs > 0) setTimeout(answer, delayMs);
    else answer();
  });
};
const server = process.argv[3] === 'tls' ? createTlsServer(LOOPBACK_TLS, answerAll) : createServer(answerAll);
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.on('disconnect', () => process.exit());
