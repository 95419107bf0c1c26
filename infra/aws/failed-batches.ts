import { getAtt } from './cloudformation.ts';

/**
 * Where Lambda puts batches it has given up on, as a change to the event source mapping that osls makes (its own
 * `destinations` takes SQS and SNS only, which get a description of the batch and not the records).
 * S3 gets both.
 */
export function failedBatchesExtension() {
  return {
    IngestEventSourceMappingDynamodbSourceTable: {
      Properties: { DestinationConfig: { OnFailure: { Destination: getAtt('QuarantineBucket', 'Arn') } } },
    },
  };
}
