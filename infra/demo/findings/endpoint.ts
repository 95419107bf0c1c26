import { DescribeEndpointCommand, type SageMakerClient } from '@aws-sdk/client-sagemaker';

/** What an endpoint serves. */
export interface EndpointState {
  readonly name: string;
  readonly status: string;
  readonly configuration: string;
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
