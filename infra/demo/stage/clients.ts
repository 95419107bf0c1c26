import { AthenaClient } from '@aws-sdk/client-athena';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { SFNClient } from '@aws-sdk/client-sfn';
import { REGION } from '../../local/protocol/arn.ts';

/** The SDK clients an application and an analyst would use; only their endpoint is the local cloud's. */
export interface Clients {
  readonly dynamodb: DynamoDBClient;
  readonly featureStore: SageMakerFeatureStoreRuntimeClient;
  readonly athena: AthenaClient;
  readonly lambda: LambdaClient;
  readonly s3: S3Client;
  readonly sagemaker: SageMakerClient;
  readonly stepFunctions: SFNClient;
}

/** Clients of the local cloud. It checks no signature, so any credentials do. */
export function connect(endpoint: string): Clients {
  const settings = { endpoint, region: REGION, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  return {
    dynamodb: new DynamoDBClient(settings),
    featureStore: new SageMakerFeatureStoreRuntimeClient(settings),
    athena: new AthenaClient(settings),
    lambda: new LambdaClient(settings),
    s3: new S3Client(settings),
    sagemaker: new SageMakerClient(settings),
    stepFunctions: new SFNClient(settings),
  };
}

/** Closes the connections, which would otherwise keep the process alive. */
export function disconnect(clients: Clients): void {
  for (const client of Object.values(clients)) client.destroy();
}
