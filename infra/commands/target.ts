import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { type RetrainConfig, retrainConfig } from '../../shared/config/retrain.ts';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import { type Names, namesOf } from '../aws/cloudformation/names.ts';
import { loadDefinition } from '../aws/definitions/definitions.ts';
import { note } from '../terminal/note.ts';

/** Definition that commands take unless another is named. */
export const EXAMPLE = 'bank-marketing';

/** Stage that commands take unless another is named. */
export const STAGE = 'dev';

/** Name of an error of predict that says what is wrong with the request. */
const REFUSAL = 'PredictionRefused';

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
  const settings = { ...settingsOfEnvironment(), ...(region !== undefined && { region }) };
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

/** Settings for the local cloud of this process. */
export const localSettings = (endpoint: string) => ({ ...LOCAL, endpoint });

/** The SDK's own settings, but for a local cloud when AWS_ENDPOINT_URL is all that is set. */
export function settingsOfEnvironment(): ClientSettings {
  const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_PROFILE } = process.env;
  return AWS_ENDPOINT_URL && !AWS_ACCESS_KEY_ID && !AWS_PROFILE ? LOCAL : {};
}

/** What the function retrain of a stack is configured with. @throws Error with the way out when it cannot be asked. */
export async function configOf(
  group: FeatureGroup,
  functionName: string,
  settings: ClientSettings,
): Promise<RetrainConfig> {
  const lambda = new LambdaClient(settings);
  try {
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: functionName }));
    return retrainConfig(Environment?.Variables ?? {}, group.label !== undefined);
  } catch (cause) {
    throw unreachable(`The stack of ${group.name}`, cause, `no function ${functionName}`);
  } finally {
    lambda.destroy();
  }
}

/**
 * Invokes one of the stack's functions with a request of a person's.
 *
 * @throws Error with the way out when the function is not there or has failed; in its own words when it refuses.
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
  if (payload.errorType === REFUSAL) throw new Error(payload.errorMessage);
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
