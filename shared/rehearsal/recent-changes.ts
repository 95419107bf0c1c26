import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams';
import { toEventImage } from '../changes/attribute-value.ts';

/** Shards looked at, and records taken of each: a few reads, as the stream's own reader has to share its rate. */
const SHARDS_MAX = 10;
const RECORDS_PER_SHARD_MAX = 50;

/** Some of the changes that a stream holds, of at most a day ago, as Lambda delivers them. */
export async function recentChanges(
  streams: Pick<DynamoDBStreamsClient, 'send'>,
  streamArn: string,
): Promise<object[]> {
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn: streamArn }));
  const changes: object[] = [];
  for (const { ShardId } of StreamDescription?.Shards?.slice(-SHARDS_MAX) ?? []) {
    const { ShardIterator } = await streams.send(
      new GetShardIteratorCommand({ StreamArn: streamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
    );
    const { Records = [] } = await streams.send(new GetRecordsCommand({ ShardIterator, Limit: RECORDS_PER_SHARD_MAX }));
    changes.push(...Records.map(toEventRecord));
  }
  return changes;
}

/** A record as the Streams API gives it, in the form of a Lambda event. */
function toEventRecord({ dynamodb, userIdentity, ...record }: StreamRecord): object {
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
