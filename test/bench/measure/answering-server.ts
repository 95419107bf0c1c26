import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { LOOPBACK_TLS } from '../../given/tls.ts';

/**
 * Answers each call of Feature Store, Firehose and DynamoDB as done, after a delay in milliseconds, over TLS if told so;
 * of DynamoDB it keeps fences, so that a batch finds what the one before it left. Run as a process of its own.
 */

const delayMs = Number(process.argv[2] ?? 0);

type Item = Record<string, Record<string, unknown>>;
const fences = new Map<string, Item>();

/** What DynamoDB answers; it holds nothing but fences. */
function answerOfDynamoDb(operation: string, body: string): object {
  const request = body.includes('fence') || operation === 'BatchExecuteStatement' ? JSON.parse(body) : {};
  switch (operation) {
    case 'BatchExecuteStatement':
      return { Responses: request.Statements.map(() => ({ TableName: 'state' })) };
    case 'BatchGetItem': {
      const Keys: Item[] = request.RequestItems?.state?.Keys ?? [];
      const found = Keys.flatMap(({ pk }) => fences.get(String(pk?.S)) ?? []);
      return { Responses: { state: found }, UnprocessedKeys: {} };
    }
    case 'PutItem':
      if (request.Item) fences.set(request.Item.pk.S, request.Item);
      return {};
    case 'UpdateItem': {
      const key = request.Key?.pk?.S;
      const before = (fences.get(key)?.pages?.SS as string[] | undefined) ?? [];
      const added: string[] = request.ExpressionAttributeValues?.[':pages']?.SS ?? [];
      fences.set(key, { pk: { S: key }, pages: { SS: [...new Set([...before, ...added])] } });
      return {};
    }
    default:
      return {};
  }
}

const answerAll: RequestListener = (request, response) => {
  let records = 0;
  const chunks: Buffer[] = [];
  const target = String(request.headers['x-amz-target'] ?? '');
  const [service, operation = ''] = target.split('.');
  const isDynamoDb = service === 'DynamoDB_20120810';
  request.on('data', (chunk) => isDynamoDb && chunks.push(chunk));
  request.on('end', () => {
    records = Number(request.headers['x-records'] ?? 1);
    const body =
      target === 'Firehose_20150804.PutRecordBatch'
        ? JSON.stringify({
            FailedPutCount: 0,
            RequestResponses: Array.from({ length: records }, () => ({ RecordId: 'r' })),
          })
        : request.url === '/BatchWriteRecord'
          ? '{"Errors":[],"UnprocessedEntries":[]}'
          : JSON.stringify(isDynamoDb ? answerOfDynamoDb(operation, Buffer.concat(chunks).toString()) : {});
    const answer = () => response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    if (delayMs > 0) setTimeout(answer, delayMs);
    else answer();
  });
};
const server = process.argv[3] === 'tls' ? createTlsServer(LOOPBACK_TLS, answerAll) : createServer(answerAll);
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.on('disconnect', () => process.exit());
