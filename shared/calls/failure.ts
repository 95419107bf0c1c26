/** What AWS errors mean to a caller that must decide between retrying, rejecting and giving up. */

const THROTTLING = new Set([
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'ProvisionedThroughputExceededException',
  // As a batch of statements says it of one.
  'ProvisionedThroughputExceeded',
  'ThrottlingError',
  'RequestLimitExceeded',
  'SlowDown',
  'LimitExceededException',
]);

/** Refusals of the data itself: the same request is refused again. */
const INVALID = new Set(['ValidationError', 'ValidationException']);

export function errorCode(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}

export function isThrottling(code: string): boolean {
  return THROTTLING.has(code);
}

export function isInvalidInput(code: string): boolean {
  return INVALID.has(code);
}

/** The answer of a service to a call of more bytes than it takes. */
export function isTooLarge(error: unknown): boolean {
  const { $metadata } = (error ?? {}) as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode === 413 || TOO_LARGE.has(errorCode(error));
}

const TOO_LARGE = new Set(['RequestEntityTooLargeException', 'PayloadTooLargeException', 'RequestTooLargeException']);

/** Errors whose sentences speak of permissions, names of resources and connections, and never of data. */
const FREE_OF_DATA = new Set([
  'Error',
  'AccessDenied',
  'AccessDeniedException',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidSignatureException',
  'NoSuchBucket',
  'ResourceNotFound',
  'ResourceNotFoundException',
  'TimeoutError',
  'UnrecognizedClientException',
]);

/**
 * One line for a log: the service's code, and its sentence where that cannot repeat what was sent. A sentence such as
 * "Value 'jane@example.org' failed to satisfy constraint" would put personal data into the log.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return FREE_OF_DATA.has(error.name) ? `${error.name}: ${error.message}` : error.name;
}

/** The service's code and whole sentence, for where the record itself is kept too. */
export function describeWhole(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
