import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { getAtt, RETAIN, type Resources, ref, type Text } from '../cloudformation/intrinsics.ts';

/** Logical id of the table when the stack makes it. */
const LOGICAL_ID = 'SourceTable';

/** The table that applications write to, as the rest of the stack refers to it: its own, or one that is there. */
export interface SourceTable {
  readonly resources: Resources;
  readonly name: Text;
  readonly arn: Text;
  readonly streamArn: Text;
  /** What osls puts behind `IngestEventSourceMappingDynamodb` to name the mapping. */
  readonly mappingName: string;
}

/** `arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000` */
const STREAM_ARN = /^(arn:[^:]+:dynamodb:[^:]+:\d{12}:table\/([\w.-]+))\/stream\/[\w.:-]+$/;

/**
 * The source table.
 *
 * @param options.sourceTableStreamArn stream of an existing table; without it the stack makes the table.
 * @throws Error when it is no stream's ARN, or another table's than the definition describes.
 */
export function sourceTable(
  group: FeatureGroup,
  options: { readonly sourceTableStreamArn: string; readonly warmWritesPerSecond?: number | undefined },
): SourceTable {
  const { sourceTableStreamArn, warmWritesPerSecond } = options;
  return sourceTableStreamArn === ''
    ? newTable(group, warmWritesPerSecond)
    : existingTable(group, sourceTableStreamArn);
}

/**
 * Its key is the record identifier, its stream carries both images: the change from "no label" to "label" is seen
 * only with the image before.
 */
function newTable(group: FeatureGroup, warmWritesPerSecond: number | undefined): SourceTable {
  const { attributes, types } = group.recordIdentifier;
  const properties = {
    TableName: group.table,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: attributes.map((name, index) => ({ AttributeName: name, AttributeType: types[index] })),
    KeySchema: attributes.map((name, index) => ({ AttributeName: name, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    ...(warmWritesPerSecond !== undefined && { WarmThroughput: { WriteUnitsPerSecond: warmWritesPerSecond } }),
  };
  return {
    resources: { [LOGICAL_ID]: { Type: 'AWS::DynamoDB::Table', ...RETAIN, Properties: properties } },
    name: ref(LOGICAL_ID),
    arn: getAtt(LOGICAL_ID, 'Arn'),
    streamArn: getAtt(LOGICAL_ID, 'StreamArn'),
    mappingName: LOGICAL_ID,
  };
}

/** A table that somebody else owns: nothing of it is created, changed or removed here. */
function existingTable(group: FeatureGroup, streamArn: string): SourceTable {
  const [, arn, name] = STREAM_ARN.exec(streamArn) ?? [];
  if (arn === undefined || name === undefined) {
    throw new Error(
      `sourceTableStreamArn is ${streamArn}, which is no stream's ARN: \`aws dynamodb describe-table --table-name ${group.table} --query Table.LatestStreamArn\` prints it.`,
    );
  }
  if (name !== group.table) {
    throw new Error(
      `sourceTableStreamArn is a stream of table ${name}, but the definition ${group.name} describes table ${group.table}: set its \`table\`, or give the other stream.`,
    );
  }
  return { resources: {}, name, arn, streamArn, mappingName: name.replace(/[^0-9A-Za-z]/g, '') };
}
