import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { type RetrainConfig, retrainConfig } from '../../shared/config/retrain.ts';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import type { StateTable } from '../../shared/state/table.ts';
import { type Names, namesOf } from '../aws/cloudformation/names.ts';
import { loadDefinition } from '../aws/definitions/definitions.ts';
import { note } from '../terminal/note.ts';

/** Definition that commands take unless another is named. */
export const EXAMPLE = 'bank-marketing';

/** Stage that commands take unless another is named. */
export const STAGE = 'dev';

/** What a local cloud takes for credentials and region: it checks neither. */
const LOCAL = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };

/** Settings of a command's clients. */
export type ClientSettings = Partial<typeof LOCAL>;

/** The stack that a command acts on, whether it is there or not. */
export interface Target {
  readonly group: FeatureGroup;
  readonly names: Names;
  readonly region: string;
  readonly settings: ClientSettings;
}

/** Which stack is meant, as the options say. */
export interface TargetOptions {
  readonly definition: string;
  readonly stage: string;
  readonly region?: string | undefined;
}

/**
 * Finds out which stack is meant, and says so on stderr.
 *
 * @throws Error with the way out when there is no such definition, or no region or credentials are set.
 */
export async function targetOf({ definition, stage, region }: TargetOptions): Promise<Target> {
  const group = await loadDefinition(definition);
  const names = namesOf(group, stage);
  const settings = { ...localSettings(), ...(region !== undefined && { region }) };
  const client = new LambdaClient(settings);
  const resolved = await client.config.region().catch((cause: Error) => {
    throw new Error('No AWS region is set: give --region REGION, or set AWS_REGION.', { cause });
  });
  await client.config.credentials().catch((cause: Error) => {
    throw new Error(
      'There are no AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or AWS_ENDPOINT_URL to a local cloud that runs.',
      { cause },
    );
  });
  client.destroy();
  const { AWS_ENDPOINT_URL: endpoint } = process.env;
  note(`Definition ${group.name}, stack ${names.stack}, region ${resolved}${endpoint ? `, at ${endpoint}` : ''}`);
  return { group, names, region: resolved, settings };
}

/** Says which stack a command acts on that has a local cloud of its own. */
export function noteLocal(group: FeatureGroup): void {
  note(`Definition ${group.name}, stack ${namesOf(group, STAGE).stack}, in a local cloud`);
}

/** The SDK's own settings, but for a local cloud when AWS_ENDPOINT_URL is all that is set. */
function localSettings(): ClientSettings {
  const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_PROFILE } = process.env;
  return AWS_ENDPOINT_URL && !AWS_ACCESS_KEY_ID && !AWS_PROFILE ? LOCAL : {};
}

/** A deployed stack, as a person's command reaches it. */
export interface DeployedStack {
  readonly group: FeatureGroup;
  /** Of its function retrain: the policy, and the names of everything. */
  readonly config: RetrainConfig;
  readonly table: StateTable;
  readonly sagemaker: SageMakerClient;
  close(): void;
}

/**
 * Reaches a deployed stack by the SDK's own configuration (region, profile, AWS_ENDPOINT_URL). Its function retrain
 * knows what the stack is made of, so that nothing needs to be told twice.
 *
 * @throws Error with the way out when the stack is not there or cannot be reached.
 */
export async function deployedStack(options: TargetOptions): Promise<DeployedStack> {
  const { group, names, settings } = await targetOf(options);
  const name = `${names.stack}-retrain`;
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
    throw unreachable(`The stack of ${group.name}`, cause, `no function ${name}`);
  } finally {
    lambda.destroy();
  }
}

/**
 * Invokes one of the stack's functions with a request of a person's.
 *
 * @throws Error with the way out when the function is not there, or has failed.
 */
export async function invokeFunction<Answer>(
  functionName: string,
  settings: ClientSettings,
  request: object,
): Promise<Answer> {
  const lambda = new LambdaClient(settings);
  const { FunctionError, Payload } = await lambda
    .send(new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(request) }))
    .catch((cause: unknown) => {
      throw unreachable(`The function ${functionName}`, cause);
    })
    .finally(() => lambda.destroy());
  const payload = JSON.parse(Payload?.transformToString() ?? '{}');
  if (!FunctionError) return payload;
  throw new Error(`The function ${functionName} failed (${payload.errorMessage}): see its log, and try again.`);
}

/** The error of something deployed that gave no answer, with the ways out. */
export function unreachable(subject: string, cause: unknown, otherwise = ''): Error {
  const { name, message } = cause as Error;
  return new Error(
    `${subject} cannot be reached (${name}: ${message || otherwise}): deploy it, name its --definition, --stage and --region, or set AWS_ENDPOINT_URL to a local cloud that runs.`,
    { cause },
  );
}
