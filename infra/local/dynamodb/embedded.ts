import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation, Service } from '../protocol/service.ts';
import { CONTENT_TYPE, DYNAMODB_TARGET, type DynamoDbBackEnd, writeListeners } from './back-end.ts';
import { type Dynalite, type DynaliteOperation, openDynalite } from './dynalite.ts';
import { DYNAMODB_OPERATIONS } from './operations.ts';
import type { Image } from './streams/image.ts';
import { StreamLog } from './streams/stream-log.ts';
import { type StreamTap, streamTap } from './streams/stream-tap.ts';
import { streamsApi } from './streams/streams-api.ts';
import { tableOperations } from './table-operations.ts';
import { settingsOperations, type TableSettings, tableSettings } from './table-settings.ts';

/** How often expired items are looked for, in milliseconds. AWS promises no more than "within a few days". */
const EXPIRY_MILLIS = 30_000;
/** How often records past the retention are forgotten, in milliseconds. */
const TRIM_MILLIS = 60_000;
/** An item that expired longer ago is never deleted, in seconds. Source: developer guide, time to live: five years. */
const EXPIRY_AGE_MAX_SECONDS = 5 * 365 * 86_400;

const WATCHED = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'] as const;

export interface EmbeddedOptions {
  /** Folder of the state; in it, LevelDB is kept under `dynamodb/`. Absent: in memory. */
  readonly dir?: string;
  readonly db: DatabaseSync;
  readonly expiryMillis?: number;
}

/**
 * DynamoDB in this process: dynalite behind a tap that gives it streams. What it lacks is refused with the advice to
 * start another back end.
 *
 * @throws Error when the folder is in use.
 */
export async function embeddedDynamoDb(options: EmbeddedOptions): Promise<DynamoDbBackEnd> {
  const { dir, db, expiryMillis = EXPIRY_MILLIS } = options;
  if (dir) await mkdir(join(dir, 'dynamodb'), { recursive: true });
  const dynalite = await openDynalite(dir && join(dir, 'dynamodb'));
  const log = new StreamLog(db);
  const settings = tableSettings(db);
  const { tell, onWrite } = writeListeners();
  const tap = streamTap(dynalite, log, tell);
  await settleOpenIntents(dynalite, log);
  log.trim();

  const dynamodb: Service = {
    name: 'dynamodb',
    target: DYNAMODB_TARGET,
    contentType: CONTENT_TYPE,
    operations: {
      ...refusals(),
      ...passed(dynalite),
      ...watched(dynalite, tap),
      ...tableOperations(dynalite, log, tap, settings),
      ...settingsOperations(dynalite, settings),
    },
  };
  let sweeping = Promise.resolve();
  const sweeper = setInterval(() => {
    sweeping = sweeping.then(() => expire(dynalite, tap, settings)).catch((error) => console.error('dynamodb:', error));
  }, expiryMillis);
  const trimmer = setInterval(() => log.trim(), TRIM_MILLIS);
  sweeper.unref();
  trimmer.unref();

  return {
    services: [dynamodb, streamsApi(log)],
    onWrite,
    async close() {
      clearInterval(sweeper);
      clearInterval(trimmer);
      await sweeping;
      await dynalite.close();
    },
  };
}

/** A crash may have come between a write and its record: the item itself tells whether the write was made. */
async function settleOpenIntents(dynalite: Dynalite, log: StreamLog): Promise<void> {
  const outcomes = [];
  for (const intent of log.open()) {
    const request = { TableName: intent.stream.tableName, Key: intent.keys, ConsistentRead: true };
    const { Item: after } = await dynalite
      .run<{ Item?: Image }>('GetItem', request)
      .catch(() => ({ Item: intent.before }));
    outcomes.push({ intent, after });
  }
  log.settle(outcomes);
}

function passed(dynalite: Dynalite): Record<string, Operation> {
  const operations = dynalite.operations as readonly DynaliteOperation[];
  return Object.fromEntries(
    operations.map((operation) => [
      operation,
      (input: object) => {
        refuseUnknown('dynamodb', operation, input, dynalite.parametersOf(operation));
        return dynalite.run(operation, input);
      },
    ]),
  );
}

function watched(dynalite: Dynalite, tap: StreamTap): Record<string, Operation> {
  return Object.fromEntries(
    WATCHED.map((operation) => {
      const known = [...dynalite.parametersOf(operation), 'ReturnValuesOnConditionCheckFailure'];
      const run = (input: object) => {
        refuseUnknown('dynamodb', operation, input, known);
        return tap.write(operation, input);
      };
      return [operation, run];
    }),
  );
}

function refusals(): Record<string, Operation> {
  return Object.fromEntries(
    DYNAMODB_OPERATIONS.map((operation) => [
      operation,
      () => {
        throw new AwsError(
          'NotImplementedException',
          `The embedded DynamoDB does not implement ${operation}. Start the local cloud with --dynamodb local (AWS's DynamoDB Local, needs Java 17) or --dynamodb URL (any compatible endpoint).`,
          501,
        );
      },
    ]),
  );
}

/** Deletes what has expired, a page of the table at a time. */
async function expire(dynalite: Dynalite, tap: StreamTap, settings: TableSettings): Promise<void> {
  const now = Math.floor(Date.now() / 1_000);
  for (const { tableName, attribute } of settings.expiring()) {
    let start: Image | undefined;
    do {
      const page: { Items: Image[]; LastEvaluatedKey?: Image } = await dynalite.run('Scan', {
        TableName: tableName,
        ...(start && { ExclusiveStartKey: start }),
        FilterExpression: '#expires BETWEEN :oldest AND :now',
        ExpressionAttributeNames: { '#expires': attribute },
        ExpressionAttributeValues: {
          ':oldest': { N: String(now - EXPIRY_AGE_MAX_SECONDS) },
          ':now': { N: String(now) },
        },
      });
      for (const item of page.Items) await tap.expire(tableName, item, attribute);
      start = page.LastEvaluatedKey;
    } while (start);
  }
}
