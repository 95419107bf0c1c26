import { Readable } from 'node:stream';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { HttpRequest } from '@smithy/types';
import { AwsError, type AwsService, type Caller, type Network } from './aws-call.ts';

/** Status of an error by its code, where it is not 500. Source: Feature Store runtime API, common errors. */
const STATUS: Readonly<Record<string, number>> = {
  ThrottlingException: 429,
  ValidationError: 400,
  AccessDeniedException: 403,
  ExpiredTokenException: 403,
  RequestEntityTooLargeException: 413,
};

/**
 * The SDK's own client of Feature Store. All that it would look for outside (credentials, region, files of
 * configuration) is given, and it tries once, so that nothing in it takes real time.
 */
const sdk = new SageMakerFeatureStoreRuntimeClient({
  region: 'us-east-1',
  endpoint: 'http://feature-store.simulated',
  credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
  ...{ maxAttempts: 1, retryMode: 'standard', defaultsMode: 'standard' },
  ...{ useDualstackEndpoint: false, useFipsEndpoint: false },
});

/** The SDK's client over a simulated wire, for one caller, for code that goes past the SDK's commands. */
export function featureStoreClient(network: Network, service: AwsService, caller: Caller): typeof sdk {
  const client: { send(command: object, options: { abortSignal?: AbortSignal }): Promise<unknown> } = network.client(
    service,
    caller,
  );
  const requestHandler = {
    async handle(request: HttpRequest, options: { abortSignal?: AbortSignal }) {
      try {
        return answer(200, (await client.send(commandOf(request), options)) as object);
      } catch (error) {
        // A call without an answer ends as the connection does.
        if (!(error instanceof AwsError) || error.name === 'TimeoutError' || error.name === 'AbortError') throw error;
        return answer(STATUS[error.name] ?? 500, { message: error.message }, error.name);
      }
    },
  };
  // Made anew for each of a hundred thousand invocations, the client would take most of the simulation's time.
  return Object.assign(Object.create(sdk), { config: { ...sdk.config, requestHandler } });
}

/** What the request asks for, in the form of the SDK's commands. */
function commandOf({ method, path, query = {}, body }: HttpRequest): object {
  const group = /^\/FeatureGroup\/([^/]+)$/.exec(path)?.[1];
  if (method === 'POST' && path === '/BatchWriteRecord') {
    let input: unknown;
    return {
      constructor: { name: 'BatchWriteRecordCommand' },
      // Read when the call has its effect: until then the body is on its way, and may not be written over.
      get input() {
        if (input !== undefined) return input;
        input = {};
        input = parse(Buffer.from(body).toString('utf8'));
        return input;
      },
    };
  }
  if (method === 'DELETE' && group !== undefined) {
    const input = { FeatureGroupName: decodeURIComponent(group), ...query };
    return { constructor: { name: 'DeleteRecordCommand' }, input };
  }
  throw new Error(`not simulated: ${method} ${path} of Feature Store`);
}

/** @throws AwsError as the service refuses what it cannot read. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AwsError('ValidationError', 'the body is not JSON');
  }
}

function answer(statusCode: number, body: object, errorType?: string) {
  const headers = {
    'content-type': 'application/json',
    ...(errorType !== undefined && { 'x-amzn-errortype': errorType }),
  };
  return { response: { statusCode, headers, body: Readable.from([Buffer.from(JSON.stringify(body))]) } };
}
