import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  waitUntilTableNotExists,
} from '@aws-sdk/client-dynamodb';
import { type LambdaClient, paginateListEventSourceMappings } from '@aws-sdk/client-lambda';
import {
  DeleteBucketCommand,
  type DeleteMarkerEntry,
  DeleteObjectsCommand,
  HeadBucketCommand,
  ListObjectVersionsCommand,
  type ObjectVersion,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Clients } from './clients.ts';
import { type FoundStack, physicalIds } from './stack.ts';

/** Times that a bucket is emptied which something still writes to, and the pause in between, in milliseconds. */
const ATTEMPTS_MAX = 5;
const PAUSE_MS = 2_000;

/** Longest time for a table to go, and time between two looks, in seconds. */
const TABLE_SECONDS_MAX = 600;
const LOOK_SECONDS = 2;

/** What holds data of a stack and outlives it. */
export interface Data {
  readonly buckets: readonly string[];
  readonly tables: readonly string[];
  /** Tables that the stack has made and others read, with the functions that do. */
  readonly sharedTables: readonly { readonly name: string; readonly readers: readonly string[] }[];
}

/** What there is of the buckets and tables that a stack has made; a table that it was given is none of them. */
export async function findData({ s3, dynamodb, lambda }: Clients, stack: FoundStack | undefined): Promise<Data> {
  const buckets: string[] = [];
  for (const bucket of physicalIds(stack, 'AWS::S3::Bucket')) {
    if (await isBucketThere(s3, bucket, accountOf(stack))) buckets.push(bucket);
  }
  const [tables, sharedTables]: [string[], Data['sharedTables'][number][]] = [[], []];
  for (const name of physicalIds(stack, 'AWS::DynamoDB::Table')) {
    const streamArn = await streamOf(dynamodb, name);
    if (streamArn === undefined) continue;
    const readers = streamArn === '' ? [] : await otherReaders(lambda, streamArn, stack);
    if (readers.length === 0) tables.push(name);
    else sharedTables.push({ name, readers });
  }
  return { buckets, tables, sharedTables };
}

/** `arn:aws:cloudformation:us-east-1:123456789012:stack/name/id` */
const accountOf = (stack: FoundStack | undefined): string | undefined => stack?.id.split(':')[4];

/** @throws Error when it cannot be said, or another account has a bucket of this name now. */
async function isBucketThere(s3: S3Client, Bucket: string, ExpectedBucketOwner: string | undefined): Promise<boolean> {
  try {
    await s3.send(new HeadBucketCommand({ Bucket, ExpectedBucketOwner }));
    return true;
  } catch (cause) {
    const { $metadata } = cause as { $metadata?: { httpStatusCode?: number } };
    if ($metadata?.httpStatusCode === 404) return false;
    throw new Error(
      `The bucket ${Bucket} cannot be looked at: these credentials lack s3:ListBucket, or it is another account's.`,
      { cause },
    );
  }
}

/** ARN of a table's newest stream, `''` for none; undefined when there is no such table. */
async function streamOf(dynamodb: DynamoDBClient, TableName: string): Promise<string | undefined> {
  try {
    return (await dynamodb.send(new DescribeTableCommand({ TableName }))).Table?.LatestStreamArn ?? '';
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

/** Functions of other stacks that read a stream: a table that was left by one stack may have been given to another. */
async function otherReaders(client: LambdaClient, streamArn: string, stack: FoundStack | undefined): Promise<string[]> {
  const own = new Set(stack?.resources.map(({ PhysicalResourceId }) => PhysicalResourceId));
  const readers: string[] = [];
  for await (const page of paginateListEventSourceMappings({ client }, { EventSourceArn: streamArn })) {
    // arn:aws:lambda:us-east-1:123456789012:function:name:alias
    readers.push(...(page.EventSourceMappings ?? []).flatMap(({ FunctionArn }) => FunctionArn?.split(':')[6] ?? []));
  }
  return readers.filter((name) => !own.has(name));
}

/**
 * Empties a bucket, versions included. Idempotent: a bucket that has gone is empty.
 *
 * @throws Error naming the first object that could not be deleted.
 */
export async function emptyBucket(s3: S3Client, Bucket: string): Promise<void> {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await s3
      .send(new ListObjectVersionsCommand({ Bucket }))
      .catch(unlessGone);
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
    if (Objects.length === 0) return;
    const { Errors = [] } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    const [failed] = Errors;
    if (failed) throw new Error(`${failed.Key} was not deleted: ${failed.Code}: ${failed.Message}`);
  }
}

function unlessGone(error: Error): { Versions?: ObjectVersion[]; DeleteMarkers?: DeleteMarkerEntry[] } {
  if (error.name === 'NoSuchBucket') return {};
  throw error;
}

/**
 * Empties a bucket and deletes it. A stopped training job, Firehose and Feature Store may write for a while yet.
 *
 * @throws Error with the way out when something goes on writing.
 */
export async function removeBucket(s3: S3Client, Bucket: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await emptyBucket(s3, Bucket);
    try {
      await s3.send(new DeleteBucketCommand({ Bucket }));
      return;
    } catch (cause) {
      if ((cause as Error).name === 'NoSuchBucket') return;
      if ((cause as Error).name !== 'BucketNotEmpty') throw cause;
      if (attempt === ATTEMPTS_MAX) {
        throw new Error('something still writes to it, as Feature Store may for 15 minutes', { cause });
      }
      await sleep(PAUSE_MS);
    }
  }
}

/** Deletes a table and waits until it has gone, so that its name is free. Idempotent. */
export async function removeTable(client: DynamoDBClient, TableName: string): Promise<void> {
  await client.send(new DeleteTableCommand({ TableName })).catch((error: Error) => {
    if (error.name !== 'ResourceNotFoundException') throw error;
  });
  const wait = { client, maxWaitTime: TABLE_SECONDS_MAX, minDelay: LOOK_SECONDS, maxDelay: LOOK_SECONDS };
  await waitUntilTableNotExists(wait, { TableName });
}
