import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import { shardsOf, toEventRecord } from '../../shared/rehearsal/recent-changes.ts';
import { makeFolder } from '../local/storage/make-folder.ts';

/** Reads of an open shard that find nothing, one after the other, before it is taken to have no more. */
const EMPTY_READS_MAX = 5;
/** Between two reads of a shard, in milliseconds: GetRecords takes five a second of each, and others read too. */
const READ_PAUSE_MS = 250;
/** Most records of a read. Source: GetRecords, `Limit` up to 1,000; a batch of ingest has fewer as a rule. */
const RECORDS_PER_EVENT = 100;

/** The stream of a table. @throws Error when the table has none. */
export async function streamOfTable(dynamodb: Pick<DynamoDBClient, 'send'>, TableName: string): Promise<string> {
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
  if (!Table?.StreamSpecification?.StreamEnabled || Table.LatestStreamArn === undefined) {
    throw new Error(`The table ${TableName} has no stream: enable one with both images, and write to the table.`);
  }
  return Table.LatestStreamArn;
}

/**
 * The records that a stream holds, of a day at most, as Lambda would deliver them: each shard from its beginning, some
 * records at a time. Records of an item come in their order.
 */
export async function* recordedEvents(
  streams: Pick<DynamoDBStreamsClient, 'send'>,
  StreamArn: string,
): AsyncGenerator<object[], void> {
  for (const ShardId of await shardsOf(streams, StreamArn)) {
    const { ShardIterator } = await streams.send(
      new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
    );
    let [iterator, empty] = [ShardIterator, 0];
    while (iterator !== undefined && empty < EMPTY_READS_MAX) {
      const { Records = [], NextShardIterator } = await streams.send(
        new GetRecordsCommand({ ShardIterator: iterator, Limit: RECORDS_PER_EVENT }),
      );
      if (Records.length > 0) yield Records.map(toEventRecord);
      empty = Records.length > 0 ? 0 : empty + 1;
      iterator = NextShardIterator;
      if (iterator !== undefined) await sleep(READ_PAUSE_MS);
    }
  }
}

/**
 * Writes events as files that `npm run replay` takes, `event-0001.json` and so on: all of them or none.
 *
 * @throws Error when the folder has something in it, or cannot be written.
 */
export async function writeEvents(folder: string, events: readonly (readonly object[])[]): Promise<string[]> {
  const target = resolve(folder);
  const names = events.map((_, index) => `event-${String(index + 1).padStart(4, '0')}.json`);
  const temporary = `${target}.${process.pid}`;
  try {
    await makeFolder(target);
    if ((await readdir(target)).length > 0) throw new Error('it is not empty');
    await mkdir(temporary);
    for (const [index, Records] of events.entries()) {
      await writeFile(join(temporary, names[index] as string), `${JSON.stringify({ Records }, undefined, 2)}\n`);
    }
    // An empty folder makes way for one that is whole.
    await rename(temporary, target);
  } catch (cause) {
    throw new Error(`${folder} cannot be written: ${(cause as Error).message}; choose another folder with --out DIR.`, {
      cause,
    });
  }
  return names;
}
