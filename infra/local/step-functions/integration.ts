import { notImplemented } from '../protocol/aws-error.ts';
import type { ServiceName } from '../protocol/service.ts';

/** What a task's Resource calls. */
export interface Integration {
  readonly service: ServiceName;
  /** As the service's API spells it, such as `CreateTrainingJob`. */
  readonly operation: string;
  /** Optimized integrations and AWS SDK integrations name errors and write times differently. */
  readonly kind: 'optimized' | 'aws-sdk';
  /** Run a job: the task is done when the job is. */
  readonly sync: boolean;
  /** What errors are prefixed with, such as `SageMaker`, and the name of those without one of their own. */
  readonly errorPrefix: string;
  readonly baseError: string;
  /** As an execution's history shows them: `sagemaker`, `createTrainingJob.sync`. */
  readonly resourceType: string;
  readonly resource: string;
}

interface Integrated {
  readonly service: ServiceName;
  readonly errorPrefix: string;
  /**
   * Optimized integrations are built on the AWS SDK for Java 1 (`AmazonSageMakerException`), AWS SDK integrations on
   * version 2 (`SageMakerException`). Retry and Catch clauses in published state machines name them so.
   */
  readonly baseError: string;
}

/** Optimized integrations, and which of their operations are carried out. */
const OPTIMIZED: Readonly<Record<string, Integrated & { readonly operations: readonly string[] }>> = {
  athena: {
    ...{ service: 'athena', errorPrefix: 'Athena', baseError: 'AmazonAthenaException' },
    operations: [
      ...['startQueryExecution', 'startQueryExecution.sync', 'stopQueryExecution', 'getQueryExecution'],
      'getQueryResults',
    ],
  },
  sagemaker: {
    ...{ service: 'sagemaker', errorPrefix: 'SageMaker', baseError: 'AmazonSageMakerException' },
    operations: [
      ...[
        'createTrainingJob',
        'createTrainingJob.sync',
        'createTransformJob',
        'createTransformJob.sync',
        'createModel',
      ],
      ...['createEndpointConfig', 'createEndpoint', 'updateEndpoint'],
    ],
  },
  lambda: {
    ...{ service: 'lambda', errorPrefix: 'Lambda', baseError: 'AWSLambdaException' },
    operations: ['invoke'],
  },
  dynamodb: {
    ...{ service: 'dynamodb', errorPrefix: 'DynamoDB', baseError: 'AmazonDynamoDBException' },
    operations: ['getItem', 'putItem', 'updateItem', 'deleteItem'],
  },
};

/** AWS SDK integrations: any operation of these services. */
const AWS_SDK: Readonly<Record<string, Integrated>> = {
  athena: { service: 'athena', errorPrefix: 'Athena', baseError: 'AthenaException' },
  cloudwatch: { service: 'cloudwatch', errorPrefix: 'CloudWatch', baseError: 'CloudWatchException' },
  dynamodb: { service: 'dynamodb', errorPrefix: 'DynamoDb', baseError: 'DynamoDbException' },
  glue: { service: 'glue', errorPrefix: 'Glue', baseError: 'GlueException' },
  firehose: { service: 'firehose', errorPrefix: 'Firehose', baseError: 'FirehoseException' },
  sagemaker: { service: 'sagemaker', errorPrefix: 'SageMaker', baseError: 'SageMakerException' },
  sagemakerfeaturestoreruntime: {
    ...{ service: 'featurestore', errorPrefix: 'SageMakerFeatureStoreRuntime' },
    baseError: 'SageMakerFeatureStoreRuntimeException',
  },
};

/**
 * Reads a task's Resource.
 *
 * @throws AwsError NotImplementedException, naming the state, for what the local cloud does not call.
 */
export function integrationOf(place: string, arn: string): Integration {
  const [kind = '', ...rest] = /^arn:aws:states:::(.+)$/.exec(arn)?.[1]?.split(':') ?? [];
  if (kind === 'aws-sdk') {
    const [name = '', resource = ''] = rest;
    const integrated = AWS_SDK[name];
    if (integrated && /^[a-z]\w*$/.test(resource)) {
      const operation = capitalised(resource);
      return { ...integrated, operation, kind, sync: false, resourceType: `aws-sdk:${name}`, resource };
    }
  }
  const [resource = ''] = rest;
  const optimized = OPTIMIZED[kind];
  if (optimized?.operations.includes(resource)) {
    const { operations, ...integrated } = optimized;
    const sync = resource.endsWith('.sync');
    const operation = capitalised(resource.replace(/\.sync$/, ''));
    return { ...integrated, operation, kind: 'optimized', sync, resourceType: kind, resource };
  }
  throw notImplemented('Step Functions', `the resource ${arn} (${place})`);
}

function capitalised(action: string): string {
  return action.charAt(0).toUpperCase() + action.slice(1);
}
