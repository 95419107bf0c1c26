import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { DescribeEndpointCommand, type SageMakerClient } from '@aws-sdk/client-sagemaker';

/** What an endpoint serves. */
export interface EndpointState {
  readonly name: string;
  readonly status: string;
  readonly configuration: string;
}

/** Key of the state table's record of what serves. */
const SERVING_KEY = 'serving';

/** Name of the endpoint that predictions ask: each schema has its own. Undefined before the first model. */
export async function servingEndpoint(dynamodb: DynamoDBClient, stateTable: string): Promise<string | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: stateTable, Key: { pk: { S: SERVING_KEY } }, ConsistentRead: true }),
  );
  return Item?.endpointName?.S;
}

/** Describes an endpoint, or nothing if it has not been created. */
export async function describeEndpoint(sagemaker: SageMakerClient, name: string): Promise<EndpointState | undefined> {
  try {
    const answer = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: name }));
    return { name, status: answer.EndpointStatus ?? '', configuration: answer.EndpointConfigName ?? '' };
  } catch (error) {
    // SageMaker has no "not found" of its own: it answers a ValidationException that says "Could not find".
    if (error instanceof Error && /could not find/i.test(error.message)) return undefined;
    throw error;
  }
}
