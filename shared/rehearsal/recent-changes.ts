import {
  DescribeStreamCommand,
  type DescribeStreamCommandOutput,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams';
import { toEventImage } from '../changes/attribute-value.ts';

/** Shards looked at, and records taken of each: a few reads, as the stream's own reader has to share its rate. */
const SHARDS_MAX = 10;
const RECORDS_PER_SHARD_MAX = 50;
/** Reads of a shard: the first ones may find nothing although records come later. */
const READS_PER_SHARD_MAX = 5;
/**
 * Bytes of records, as JSON, of all shards together: with room to spare below the 6,291,456 that a synchronous invocation
 * takes. Source: Lambda quotas.
 */
const BYTES_MAX = 4 * 1024 * 1024;

type Streams = Pick<DynamoDBStreamsClient, 'send'>;

/** Some of the changes that a stream holds, of at most a day ago, as Lambda delivers them. */
export async function recentChanges(streams: Streams, streamArn: string): Promise<object[]> {
  const changes: object[] = [];
  const shards = (await shardsOf(streams, streamArn)).slice(-SHARDS_MAX);
  for (const shardId of shards) {
    let bytes = 0;
    for (const change of await firstRecords(streams, streamArn, shardId)) {
      bytes += Buffer.byteLength(JSON.stringify(change));
      if (bytes > BYTES_MAX / shards.length) break;
      changes.push(change);
    }
  }
  return changes;
}

/** Shards of a stream. The newest shards come last, and a page may end before them. */
export async function shardsOf(streams: Streams, streamArn: string): Promise<(string | undefined)[]> {
  const shards: (string | undefined)[] = [];
  let ExclusiveStartShardId: string | undefined;
  do {
    const { StreamDescription }: DescribeStreamCommandOutput = await streams.send(
      new DescribeStreamCommand({ StreamArn: streamArn, ExclusiveStartShardId }),
    );
    shards.push(...(StreamDescription?.Shards ?? []).map(({ ShardId }) => ShardId));
    ExclusiveStartShardId = StreamDescription?.LastEvaluatedShardId;
  } while (ExclusiveStartShardId !== undefined);
  return shards;
}

async function firstRecords(streams: Streams, streamArn: string, ShardId: string | undefined): Promise<object[]> {
  const { ShardIterator: first } = await streams.send(
    new GetShardIteratorCommand({ StreamArn: streamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
  );
  let iterator = first;
  for (let read = 0; read < READS_PER_SHARD_MAX && iterator !== undefined; read += 1) {
    const { Records = [], NextShardIterator } = await streams.send(
      new GetRecordsCommand({ ShardIterator: iterator, Limit: RECORDS_PER_SHARD_MAX }),
    );
    if (Records.length > 0) return Records.map(toEventRecord);
    iterator = NextShardIterator;
  }
  return [];
}

/** A record as the Streams API gives it, in the form of a Lambda event. */
export function toEventRecord({ dynamodb, userIdentity, ...record }: StreamRecord): object {
  const { ApproximateCreationDateTime: time, Keys, NewImage, OldImage, ...rest } = dynamodb ?? {};
  return {
    ...record,
    ...(userIdentity && { userIdentity: { type: userIdentity.Type, principalId: userIdentity.PrincipalId } }),
    dynamodb: {
      ...rest,
      ...(time && { ApproximateCreationDateTime: Math.floor(time.getTime() / 1_000) }),
      ...(Keys && { Keys: toEventImage(Keys) }),
      ...(NewImage && { NewImage: toEventImage(NewImage) }),
      ...(OldImage && { OldImage: toEventImage(OldImage) }),
    },
  };
}
