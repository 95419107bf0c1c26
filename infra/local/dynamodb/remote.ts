import { REGION } from '../protocol/arn.ts';
import { AwsError } from '../protocol/aws-error.ts';
import type { Operation, Service } from '../protocol/service.ts';
import { CONTENT_TYPE, DYNAMODB_TARGET, type DynamoDbBackEnd, STREAMS_TARGET, writeListeners } from './back-end.ts';
import { DYNAMODB_OPERATIONS, STREAMS_OPERATIONS, WRITE_OPERATIONS } from './operations.ts';

/**
 * Compatible endpoints want a signature's form and read region and account from it; none that is meant here checks it.
 * The same for every caller, because DynamoDB Local and moto keep a database per access key.
 */
export const AUTHORIZATION = `AWS4-HMAC-SHA256 Credential=local/20260101/${REGION}/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0`;

/** Calls one operation of an endpoint that speaks DynamoDB's protocol. */
export type Send = (target: string, operation: string, input: object) => Promise<Record<string, unknown>>;

/**
 * DynamoDB and its streams at another endpoint (DynamoDB Local, moto, ScyllaDB Alternator, ...), as services of this
 * one. Every request is passed on as it is, and so is every error.
 */
export function remoteDynamoDb(url: string): DynamoDbBackEnd {
  const send = sender(url);
  const { tell, onWrite } = writeListeners();
  const proxy = (name: Service['name'], target: string, operations: readonly string[]): Service => ({
    name,
    target,
    contentType: CONTENT_TYPE,
    operations: Object.fromEntries(
      operations.map((operation): [string, Operation] => [
        operation,
        async (input: object) => {
          const answer = await send(target, operation, input);
          if (WRITE_OPERATIONS.includes(operation)) tell();
          return answer;
        },
      ]),
    ),
  });
  return {
    services: [
      proxy('dynamodb', DYNAMODB_TARGET, DYNAMODB_OPERATIONS),
      proxy('dynamodbstreams', STREAMS_TARGET, STREAMS_OPERATIONS),
    ],
    onWrite,
    close: async () => undefined,
  };
}

/** @throws Error when nothing answers at the URL; AwsError with what was answered otherwise. */
export function sender(url: string): Send {
  return async (target, operation, input) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': CONTENT_TYPE,
        'x-amz-target': `${target}.${operation}`,
        'x-amz-date': `${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`,
        authorization: AUTHORIZATION,
      },
      body: JSON.stringify(input),
    }).catch((error) => {
      throw new Error(`No DynamoDB answers at ${url}: start it, or give another with --dynamodb.`, { cause: error });
    });
    const text = await response.text();
    const body = parse(text);
    if (response.ok && body) return body;
    const { __type, message, Message, ...fields } = body ?? {};
    const code = String(__type ?? response.headers.get('x-amzn-errortype') ?? 'InternalFailure').split('#');
    throw new AwsError(
      code.at(-1) ?? '',
      String(message ?? Message ?? text),
      response.ok ? 502 : response.status,
      fields,
    );
  };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
