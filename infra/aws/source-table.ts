import type { FeatureGroup } from '../../shared/feature-groups/define.ts';
import { RETAIN, type Resources } from './cloudformation.ts';

/**
 * The table that applications write to. Its key is the record identifier, its stream carries both images: the change
 * from "no label" to "label" is seen only with the image before.
 */
export function sourceTable(group: FeatureGroup): Resources {
  const attributes = group.recordIdentifier.attributes;
  return {
    SourceTable: {
      Type: 'AWS::DynamoDB::Table',
      ...RETAIN,
      Properties: {
        TableName: group.table,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: attributes.map((name) => ({ AttributeName: name, AttributeType: 'S' })),
        KeySchema: attributes.map((name, index) => ({ AttributeName: name, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
        StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    },
  };
}
