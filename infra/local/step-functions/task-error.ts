import { randomUUID } from 'node:crypto';
import { AwsError } from '../protocol/aws-error.ts';
import type { Integration } from './integration.ts';

/** A failed task, by the error name that Retry and Catch clauses see. Its message is the cause. */
export class TaskError extends Error {
  /** Read by the interpreter: whether States.ALL and the like may match. */
  readonly isRetryable: boolean;
  readonly isCatchable: boolean;

  constructor(name: string, cause: string, catchable = true) {
    super(cause);
    this.name = name;
    this.isRetryable = catchable;
    this.isCatchable = catchable;
  }
}

/**
 * Codes that no service models, which the SDKs for Java therefore have no exception for: they come as the service's
 * base exception. Source: the Common Errors page of AWS's API references.
 */
const UNMODELED = new Set([
  ...[
    'AccessDeniedException',
    'ExpiredTokenException',
    'IncompleteSignature',
    'InternalFailure',
    'MalformedHttpRequestException',
  ],
  ...[
    'NotAuthorized',
    'NotImplementedException',
    'OptInRequired',
    'RequestAbortedException',
    'RequestEntityTooLargeException',
  ],
  ...[
    'RequestExpired',
    'RequestTimeoutException',
    'SerializationException',
    'ServiceUnavailable',
    'ThrottlingException',
  ],
  ...['UnrecognizedClientException', 'UnknownOperationException', 'ValidationError', 'ValidationException'],
]);

/** How Step Functions names and words the failure of a call. */
export function taskErrorOf(
  integration: Pick<Integration, 'errorPrefix' | 'baseError' | 'kind'>,
  error: unknown,
): TaskError {
  const { errorPrefix, baseError, kind } = integration;
  // No answer, as when a connection breaks: the SDK's own exception, without a service's code.
  if (!(error instanceof AwsError)) {
    return new TaskError(`${errorPrefix}.SdkClientException`, (error as Error).message);
  }
  // The SDKs' classes all end in Exception, whatever the service calls the error: ResourceInUse, ValidationException.
  const modeled = error.code.endsWith('Exception') ? error.code : `${error.code}Exception`;
  const name = UNMODELED.has(error.code) ? baseError : modeled;
  const request = `Request ID: ${randomUUID()}`;
  const detail =
    kind === 'optimized'
      ? `Service: Amazon${errorPrefix}; Status Code: ${error.status}; Error Code: ${error.code}; ${request}; Proxy: null`
      : `Service: ${errorPrefix}, Status Code: ${error.status}, ${request}`;
  return new TaskError(`${errorPrefix}.${name}`, `${error.message} (${detail})`);
}
