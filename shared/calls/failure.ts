/** What AWS errors mean to a caller that must decide between retrying, rejecting and giving up. */

const THROTTLING = new Set([
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'ProvisionedThroughputExceededException',
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

/** One line for a Failure: the service's code and sentence, without the request, which may hold personal data. */
export function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
