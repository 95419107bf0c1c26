import { correlationSql } from '../../../shared/change-log/sql.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { join, type Resources, ref } from '../cloudformation/intrinsics.ts';
import type { Names } from '../cloudformation/names.ts';
import { ATHENA_RESULTS_PREFIX } from './buckets.ts';

/** The workgroup queries run in, with their results in the data bucket, and a saved query to begin with. */
export function athena(group: FeatureGroup, names: Names): Resources {
  const correlation = correlationSql(group);
  return {
    WorkGroup: {
      Type: 'AWS::Athena::WorkGroup',
      Properties: {
        Name: names.workGroup,
        RecursiveDeleteOption: true,
        WorkGroupConfiguration: {
          EnforceWorkGroupConfiguration: true,
          PublishCloudWatchMetricsEnabled: true,
          EngineVersion: { SelectedEngineVersion: 'Athena engine version 3' },
          ResultConfiguration: {
            OutputLocation: join('s3://', ref('DataBucket'), `/${ATHENA_RESULTS_PREFIX}`),
            EncryptionConfiguration: { EncryptionOption: 'SSE_S3' },
          },
        },
      },
    },
    ...(correlation &&
      group.label && {
        CorrelationQuery: {
          Type: 'AWS::Athena::NamedQuery',
          Properties: {
            Name: 'correlation-with-target',
            Description: `How the features of ${group.name} move with ${group.label.name}`,
            Database: ref('GlueDatabase'),
            WorkGroup: ref('WorkGroup'),
            QueryString: correlation,
          },
        },
      }),
  };
}
