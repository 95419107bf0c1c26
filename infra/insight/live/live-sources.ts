import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SFNClient } from '@aws-sdk/client-sfn';
import { type RetrainConfig, retrainConfig } from '../../../shared/config/retrain.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { type ClientSettings, openSources, type Sources } from '../sources.ts';

/** What says of a stack what happens in it. */
export interface LiveSources extends Sources {
  readonly stack: string;
  /** Of the function retrain: the policy, and the names of everything. */
  readonly config: RetrainConfig;
  readonly logs: CloudWatchLogsClient;
  readonly stepFunctions: SFNClient;
  readonly lambda: LambdaClient;
  readonly sagemaker: SageMakerClient;
  readonly streams: DynamoDBStreamsClient;
}

/** Opens a stack to watch it. @throws as {@link openSources}. */
export async function openLiveSources(
  group: FeatureGroup,
  stack: string,
  settings: ClientSettings,
): Promise<LiveSources> {
  const sources = await openSources(group, stack, settings);
  const clients = {
    logs: new CloudWatchLogsClient(settings),
    stepFunctions: new SFNClient(settings),
    lambda: new LambdaClient(settings),
    sagemaker: new SageMakerClient(settings),
    streams: new DynamoDBStreamsClient(settings),
  };
  const close = () => {
    for (const client of Object.values(clients)) client.destroy();
    sources.close();
  };
  try {
    const { Environment } = await clients.lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: `${stack}-retrain` }),
    );
    return {
      ...sources,
      ...clients,
      stack,
      config: retrainConfig(Environment?.Variables ?? {}, group.label !== undefined),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
