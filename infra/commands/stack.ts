import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { type RetrainConfig, retrainConfig } from '../../shared/config/retrain.ts';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import { loadFeatureGroup } from '../../shared/definition/load.ts';
import type { StateTable } from '../../shared/state/table.ts';
import { namesOf } from '../aws/cloudformation/names.ts';

/** A deployed stack, as a person's command reaches it. */
export interface DeployedStack {
  readonly group: FeatureGroup;
  /** Of its function retrain: the policy, and the names of everything. */
  readonly config: RetrainConfig;
  readonly table: StateTable;
  readonly sagemaker: SageMakerClient;
  close(): void;
}

/** Which stack is meant. */
export const STACK_OPTIONS = {
  definition: { type: 'string', default: 'bank-marketing' },
  stage: { type: 'string', default: 'dev' },
} as const;

/** What a local cloud takes for credentials and region: it checks neither. */
const LOCAL = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };

/** Settings of a command's clients: the SDK's own, but for a local cloud when AWS_ENDPOINT_URL is all that is set. */
export function clientSettings(): Partial<typeof LOCAL> {
  const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_PROFILE } = process.env;
  return AWS_ENDPOINT_URL && !AWS_ACCESS_KEY_ID && !AWS_PROFILE ? LOCAL : {};
}

/**
 * Reaches a deployed stack by the SDK's own configuration (region, profile, AWS_ENDPOINT_URL). What the stack is made
 * of is asked of its function retrain, so that nothing needs to be told twice.
 *
 * @throws Error with the way out when the stack is not there or cannot be reached.
 */
export async function deployedStack(options: { definition: string; stage: string }): Promise<DeployedStack> {
  const group = await loadFeatureGroup(options.definition);
  const name = `${namesOf(group, options.stage).stack}-retrain`;
  const settings = clientSettings();
  const lambda = new LambdaClient(settings);
  try {
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    const config = retrainConfig(Environment?.Variables ?? {});
    const clients = { dynamodb: new DynamoDBClient(settings), sagemaker: new SageMakerClient(settings) };
    return {
      group,
      config,
      table: { name: config.stateTable, dynamodb: clients.dynamodb },
      sagemaker: clients.sagemaker,
      close() {
        for (const client of Object.values(clients)) client.destroy();
      },
    };
  } catch (cause) {
    const { name: code, message } = cause as Error;
    throw new Error(
      `The stack of ${group.name} cannot be reached (${code}: ${message || `no function ${name}`}): deploy it, name its --definition and --stage, or set AWS_ENDPOINT_URL to a local cloud that runs.`,
      { cause },
    );
  } finally {
    lambda.destroy();
  }
}
