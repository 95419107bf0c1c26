import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { RetrainConfig } from '../../shared/config/retrain.ts';
import { type FeatureGroup, labelOf } from '../../shared/definition/feature-group.ts';
import type { StateTable } from '../../shared/state/table.ts';
import { loadDefinition } from '../aws/definitions/definitions.ts';
import { configOf, type TargetOptions, targetOf } from './target.ts';

/** A deployed stack, as a person's command reaches it. */
interface DeployedStack {
  readonly group: FeatureGroup;
  /** Of its function retrain: the policy, and the names of everything. */
  readonly config: RetrainConfig;
  readonly table: StateTable;
  readonly sagemaker: SageMakerClient;
  readonly autoscaling: ApplicationAutoScalingClient;
  readonly s3: S3Client;
}

/**
 * Reaches a deployed stack by the SDK's own configuration (region, profile, AWS_ENDPOINT_URL). Its function retrain
 * knows what the stack is made of, so that nothing needs to be told twice.
 *
 * @param act is given the stack, and may use its clients until it ends.
 * @throws Error with the way out when the stack is not there or cannot be reached; otherwise whatever `act` does.
 */
export async function withStack<T>(options: TargetOptions, act: (stack: DeployedStack) => Promise<T>): Promise<T> {
  const { group, names, settings } = await targetOf(options);
  const config = await configOf(group, `${names.stack}-retrain`, settings);
  const dynamodb = new DynamoDBClient(settings);
  const sagemaker = new SageMakerClient(settings);
  const autoscaling = new ApplicationAutoScalingClient(settings);
  const s3 = new S3Client(settings);
  try {
    return await act({ group, config, table: { name: config.stateTable, dynamodb }, sagemaker, autoscaling, s3 });
  } finally {
    for (const client of [dynamodb, sagemaker, autoscaling, s3]) client.destroy();
  }
}

/** As {@link withStack}, of a stack that trains. @throws Error also when the definition has no label. */
export async function withTrainingStack<T>(
  options: TargetOptions,
  act: (stack: DeployedStack) => Promise<T>,
): Promise<T> {
  labelOf(await loadDefinition(options.definition));
  return withStack(options, act);
}
