import { AthenaClient, type AthenaClientConfig } from '@aws-sdk/client-athena';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';

/** Everything that a person's questions about a stack are answered from. Nothing here is ever written. */
export interface Sources {
  readonly group: FeatureGroup;
  readonly names: {
    readonly stateTable: string;
    readonly dataBucket: string;
    readonly quarantineBucket: string;
    readonly database: string;
    readonly workGroup: string;
    /** Undefined where `predictionLog` is off. */
    readonly predictionLog?: string | undefined;
    /** ARN of the state machine of backfills; undefined where an older version is deployed. */
    readonly backfillMachine?: string | undefined;
  };
  readonly athena: AthenaClient;
  readonly dynamodb: DynamoDBClient;
  readonly featureStore: SageMakerFeatureStoreRuntimeClient;
  readonly s3: S3Client;
  close(): void;
}

/** Settings that every client takes. */
export type ClientSettings = Pick<AthenaClientConfig, 'region' | 'credentials' | 'endpoint'>;

/** Finds what a deployed stack is made of, by its outputs. @throws as DescribeStacks does, or naming the output that is not there. */
export async function openSources(group: FeatureGroup, stack: string, settings: ClientSettings): Promise<Sources> {
  const outputs = await outputsOf(stack, settings);
  const output = (name: string): string => {
    const value = outputs.get(name);
    if (value === undefined) throw new Error(`The stack ${stack} has no output ${name}: deploy this version of it.`);
    return value;
  };
  const names = {
    stateTable: output('StateTableName'),
    dataBucket: output('DataBucketName'),
    quarantineBucket: output('QuarantineBucketName'),
    database: output('AthenaDatabase'),
    workGroup: output('AthenaWorkGroup'),
    predictionLog: outputs.get('PredictionLogTable'),
    backfillMachine: outputs.get('BackfillStateMachineArn'),
  };
  const clients = {
    athena: new AthenaClient(settings),
    dynamodb: new DynamoDBClient(settings),
    featureStore: new SageMakerFeatureStoreRuntimeClient(settings),
    s3: new S3Client(settings),
  };
  return {
    group,
    names,
    ...clients,
    close() {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

async function outputsOf(stack: string, settings: ClientSettings): Promise<ReadonlyMap<string, string>> {
  const client = new CloudFormationClient(settings);
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    return new Map((Stacks?.[0]?.Outputs ?? []).map((it) => [it.OutputKey ?? '', it.OutputValue ?? '']));
  } finally {
    client.destroy();
  }
}
