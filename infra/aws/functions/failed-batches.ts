import { getAtt } from '../cloudformation/intrinsics.ts';
import { ingestMapping } from '../cloudformation/logical-ids.ts';
import type { SourceTable } from '../data/source-table.ts';

/**
 * What osls cannot say about ingest's event source mapping: where Lambda puts batches it has given up on (its own
 * `destinations` takes SQS and SNS only, which get a description of the batch and not the records; S3 gets both), that
 * Lambda counts them, and that the feature group has to be there first.
 */
export function failedBatchesExtension(source: SourceTable) {
  return {
    [ingestMapping(source)]: {
      // Its first batches would fail until the group can be written to.
      DependsOn: ['FeatureGroup'],
      Properties: {
        DestinationConfig: { OnFailure: { Destination: getAtt('QuarantineBucket', 'Arn') } },
        MetricsConfig: { Metrics: ['EventCount'] },
      },
    },
  };
}
