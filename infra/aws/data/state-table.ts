import { LABELS_BY_EPOCH_INDEX } from '../../../shared/state/keys.ts';
import { RETAIN, type Resources } from '../cloudformation/intrinsics.ts';

/** The pipeline's own memory: fences, the label ledger, epochs and what is serving. */
export function stateTable(): Resources {
  return {
    StateTable: {
      Type: 'AWS::DynamoDB::Table',
      // The ledger cannot be rebuilt from the source table: which epoch counted a label is written nowhere else.
      ...RETAIN,
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'epochLabelShard', AttributeType: 'S' },
        ],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        GlobalSecondaryIndexes: [
          {
            // The label ledger by epoch, class and shard: a query of it counts the newly labeled records.
            IndexName: LABELS_BY_EPOCH_INDEX,
            KeySchema: [
              { AttributeName: 'epochLabelShard', KeyType: 'HASH' },
              { AttributeName: 'pk', KeyType: 'RANGE' },
            ],
            Projection: { ProjectionType: 'KEYS_ONLY' },
          },
        ],
        StreamSpecification: { StreamViewType: 'KEYS_ONLY' },
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    },
  };
}
