import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import { PREDICTION_LOG_TABLE } from '../../shared/prediction-log/row.ts';
import { type Intrinsic, type Resources, ref } from './cloudformation/intrinsics.ts';
import type { Names } from './cloudformation/names.ts';
import { athena } from './data/athena.ts';
import { dataBucket, quarantineBucket } from './data/buckets.ts';
import { changeLogStream, predictionLogStream } from './data/delivery-streams.ts';
import { featureGroup } from './data/feature-group.ts';
import { glueDatabase, predictionLogTable } from './data/glue.ts';
import { sourceTable } from './data/source-table.ts';
import { stateTable } from './data/state-table.ts';
import { type Confinement, confined } from './everywhere/confinement.ts';
import { encrypted } from './everywhere/encryption.ts';
import { inThisRegionOnly } from './everywhere/region.ts';
import { traced } from './everywhere/tracing.ts';
import { concurrencyExtension } from './functions/concurrency.ts';
import { ingestMappingExtension } from './functions/ingest-mapping.ts';
import { functionRoles } from './functions/roles.ts';
import { safeDeployment } from './functions/safe-deployment.ts';
import { backfillMachine } from './history/backfill.ts';
import { snapshotMachine } from './retraining/snapshot-machine.ts';
import { stateMachine } from './retraining/state-machine.ts';
import { trainingRole } from './retraining/training-role.ts';
import { alarms } from './watch/alarms.ts';
import { dashboard } from './watch/dashboard.ts';
import { metricsOf } from './watch/metrics.ts';

/** What a deployment may choose. */
export interface StackOptions extends Confinement {
  /** How long Firehose gathers rows of the change log, and of the prediction log, in seconds. */
  readonly changeLogBufferSeconds: number;
  /** Whether predict keeps each prediction. */
  readonly predictionLog?: boolean;
  /** Stream of an existing table; `''` makes one. */
  readonly sourceTableStreamArn: string;
  /** The customer's own KMS key; `''` for the keys that AWS owns. */
  readonly kmsKeyArn: string;
  /** SNS topic that alarms tell; `''` for none. */
  readonly alarmTopicArn: string;
  /** Invocations at once that are kept for ingest alone; undefined for as many as the account has. */
  readonly ingestConcurrency?: number | undefined;
  /** Writes a second that the stack's own table takes from the first one on; undefined for what a new table takes. */
  readonly warmWritesPerSecond?: number | undefined;
  /** How CodeDeploy shifts traffic to a new version: the name of one of its configurations. */
  readonly deploymentConfiguration: string;
}

/**
 * Everything of the stack but the functions, computed from the definition alone.
 *
 * @throws Error when an option is none for this definition, or not what it has to be.
 */
export function resourcesOf(group: FeatureGroup, names: Names, options: StackOptions) {
  const { predictionLog = false } = options;
  if (predictionLog && !group.label) {
    throw new Error(`predictionLog is true, but without a label ${group.name} has no predictions: leave it out.`);
  }
  const source = sourceTable(group, options);
  const metrics = metricsOf(names, group, source, predictionLog);
  const resources: Resources = {
    ...source.resources,
    ...stateTable(),
    ...dataBucket(),
    ...quarantineBucket(),
    ...changeLogStream(options.changeLogBufferSeconds),
    ...featureGroup(group),
    ...glueDatabase(group, names.glueDatabase),
    ...(predictionLog && { ...predictionLogStream(options.changeLogBufferSeconds), ...predictionLogTable() }),
    ...athena(group, names),
    // Without a label there is nothing to train, and no right to.
    ...(group.label && { ...trainingRole(), ...stateMachine(names) }),
    ...snapshotMachine(names),
    ...backfillMachine(names),
    ...functionRoles(group, names, source, predictionLog),
    ...alarms(group, names, metrics, options),
    ...dashboard(group, names, metrics),
    ...safeDeployment(group, names, source, options.deploymentConfiguration),
  };
  const outputs: Readonly<Record<string, { Description: string; Value: string | Intrinsic }>> = {
    SourceTableName: { Description: 'Table that applications write to', Value: source.name },
    StateTableName: { Description: 'Fences, label ledger, epochs and what is serving', Value: ref('StateTable') },
    DataBucketName: { Description: 'Change log, offline store, training sets, models', Value: ref('DataBucket') },
    QuarantineBucketName: { Description: 'Records and batches to be redriven', Value: ref('QuarantineBucket') },
    FeatureGroupName: { Description: 'Feature group of the live features', Value: group.name },
    AthenaDatabase: { Description: 'Database of change_log, latest and datasource', Value: ref('GlueDatabase') },
    AthenaWorkGroup: { Description: 'Workgroup of the queries', Value: ref('WorkGroup') },
    BackfillStateMachineArn: {
      Description: 'State machine of the backfill',
      Value: ref('BackfillStateMachine'),
    },
    ...(group.label && {
      EndpointName: {
        Description: "What endpoints' names begin with: - and a schema's hash follow",
        Value: names.endpoint,
      },
      RetrainingStateMachineArn: {
        Description: 'State machine of the retraining',
        Value: ref('RetrainingStateMachine'),
      },
    }),
    ...(predictionLog && {
      PredictionLogTable: { Description: 'Table of the predictions', Value: PREDICTION_LOG_TABLE },
    }),
  };
  return {
    streamArn: source.streamArn,
    trains: group.label !== undefined,
    predictionLogStream: predictionLog ? ref('PredictionLogStream') : '',
    resources: {
      Resources: confined(inThisRegionOnly(traced(encrypted(resources, options.kmsKeyArn))), options),
      Outputs: outputs,
      extensions: {
        ...ingestMappingExtension(group, source),
        ...concurrencyExtension(options.ingestConcurrency),
      },
    },
  };
}
