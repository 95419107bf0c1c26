import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { DescribeStreamCommand, type DescribeStreamOutput } from '@aws-sdk/client-dynamodb-streams';
import type { LiveSources } from './live-sources.ts';

/** Shards of a table's stream that changes are written to now. */
export interface OpenShards {
  readonly streamArn: string;
  readonly open: number;
}

/** Counts the open shards of the definition's table; undefined where it has no stream. */
export async function countOpenShards({
  dynamodb,
  streams,
  group,
}: Pick<LiveSources, 'dynamodb' | 'streams' | 'group'>): Promise<OpenShards | undefined> {
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: group.table }));
  const { LatestStreamArn: streamArn } = Table ?? {};
  if (streamArn === undefined) return undefined;
  let open = 0;
  let ExclusiveStartShardId: string | undefined;
  do {
    const { StreamDescription }: DescribeStreamOutput = await streams.send(
      new DescribeStreamCommand({ StreamArn: streamArn, ExclusiveStartShardId }),
    );
    // A shard that has been split, or has served its time, has an end.
    const shards = StreamDescription?.Shards ?? [];
    open += shards.filter(({ SequenceNumberRange }) => SequenceNumberRange?.EndingSequenceNumber === undefined).length;
    ExclusiveStartShardId = StreamDescription?.LastEvaluatedShardId;
  } while (ExclusiveStartShardId !== undefined);
  return { streamArn, open };
}
