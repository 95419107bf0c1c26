import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { FeatureGroup } from '../../definition/feature-group.ts';

/**
 * Since when every change of the table is delivered, in epoch milliseconds: since it has a stream, and the stack is there.
 *
 * @param state the state table, which is as old as the stack.
 * @throws Error when the table has no stream.
 */
export async function coveredSince(
  group: FeatureGroup,
  { name, dynamodb }: { readonly name: string; readonly dynamodb: Pick<DynamoDBClient, 'send'> },
): Promise<number> {
  const describe = async (TableName: string) => (await dynamodb.send(new DescribeTableCommand({ TableName }))).Table;
  const [source, state] = await Promise.all([describe(group.table), describe(name)]);
  if (source?.LatestStreamLabel === undefined) {
    throw new Error(`The table ${group.table} has no stream: changes that come while it is backfilled would be lost.`);
  }
  return Math.max(Date.parse(`${source.LatestStreamLabel}Z`), state?.CreationDateTime?.getTime() ?? 0);
}
