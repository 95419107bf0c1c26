import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { getAtt } from '../cloudformation/intrinsics.ts';
import { ingestMapping } from '../cloudformation/logical-ids.ts';
import type { SourceTable } from '../data/source-table.ts';
import { filterPatterns } from './event-filter.ts';

/**
 * What osls cannot say about ingest's event source mapping: where Lambda puts batches it has given up on (its own
 * `destinations` takes SQS and SNS only, which get a description of the batch and not the records; S3 gets both), that
 * Lambda counts them, that the feature group has to be there first, and which changes are none of the definition's.
 */
export function ingestMappingExtension(group: FeatureGroup, source: SourceTable) {
  const filters = filterPatterns(group).map((it) => ({ Pattern: it }));
  return {
    [ingestMapping(source)]: {
      // Its first batches would fail until the group can be written to.
      DependsOn: ['FeatureGroup'],
      Properties: {
        DestinationConfig: { OnFailure: { Destination: getAtt('QuarantineBucket', 'Arn') } },
        MetricsConfig: { Metrics: ['EventCount'] },
        ...(filters.length > 0 && { FilterCriteria: { Filters: filters } }),
      },
    },
  };
}
