import type { FeatureGroup } from '../../shared/feature-groups/define.ts';
import { athena } from './athena.ts';
import { dataBucket, quarantineBucket } from './buckets.ts';
import { changeLogStream } from './change-log-stream.ts';
import { getAtt, type Intrinsic, type Resources, ref } from './cloudformation.ts';
import { failedBatchesExtension } from './failed-batches.ts';
import { featureGroup } from './feature-group.ts';
import { functionRoles } from './function-roles.ts';
import { glueDatabase } from './glue.ts';
import type { Names } from './names.ts';
import { sourceTable } from './source-table.ts';
import { stateMachine } from './state-machine.ts';
import { stateTable } from './state-table.ts';
import { trainingRole } from './training-role.ts';

/** Everything of the stack but the functions, computed from the definition alone. */
export function resourcesOf(group: FeatureGroup, names: Names, options: { changeLogBufferSeconds: number }) {
  const resources: Resources = {
    ...sourceTable(group),
    ...stateTable(),
    ...dataBucket(),
    ...quarantineBucket(),
    ...changeLogStream(options.changeLogBufferSeconds),
    ...featureGroup(group),
    ...glueDatabase(group, names.glueDatabase),
    ...athena(group, names),
    ...trainingRole(),
    ...stateMachine(names),
    ...functionRoles(group, names),
  };
  const outputs: Readonly<Record<string, { Description: string; Value: string | Intrinsic }>> = {
    SourceTableName: { Description: 'Table that applications write to', Value: ref('SourceTable') },
    StateTableName: { Description: 'Fences, label ledger, epochs and what is serving', Value: ref('StateTable') },
    DataBucketName: { Description: 'Change log, offline store, training sets, models', Value: ref('DataBucket') },
    QuarantineBucketName: { Description: 'Records and batches to be redriven', Value: ref('QuarantineBucket') },
    FeatureGroupName: { Description: 'Feature group of the live features', Value: group.name },
    AthenaDatabase: { Description: 'Database of change_log, latest and datasource', Value: ref('GlueDatabase') },
    AthenaWorkGroup: { Description: 'Workgroup of the queries', Value: ref('WorkGroup') },
    EndpointName: { Description: 'Endpoint of the serving model', Value: names.endpoint },
    RetrainingStateMachineArn: {
      Description: 'State machine of the retraining',
      Value: getAtt('RetrainingStateMachine', 'Arn'),
    },
  };
  return { Resources: resources, Outputs: outputs, extensions: failedBatchesExtension() };
}
