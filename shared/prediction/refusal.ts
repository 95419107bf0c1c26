import { errorCode, isThrottling } from '../calls/failure.ts';
import { UnencodableRecord } from '../model/encode.ts';

/** HTTP statuses that a prediction is refused with. */
export const STATUS = {
  badRequest: 400,
  unknownRecord: 404,
  /** The record does not fit what the model was trained with. */
  conflict: 409,
  throttled: 429,
  modelFailed: 502,
  unavailable: 503,
} as const;

/** A prediction that cannot be had, with the reason as a sentence for the caller. Never an error of our own. */
export class PredictionRefused extends Error {
  override readonly name = 'PredictionRefused';
  readonly statusCode: number;

  constructor(statusCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.statusCode = statusCode;
  }
}

/** Errors that mean "not now", of Feature Store, DynamoDB and the endpoint. */
const UNAVAILABLE = new Set([
  'ServiceUnavailable',
  'InternalFailure',
  'InternalServerError',
  'InternalDependencyException',
  'ModelNotReadyException',
  // Not in time: the signal of a deadline, and the SDK's own limits.
  'AbortError',
  'TimeoutError',
]);

/** The one place where errors become answers: what to tell the caller, or undefined for a fault of ours. */
export function refusalOf(error: unknown): PredictionRefused | undefined {
  if (error instanceof PredictionRefused) return error;
  const refuse = (status: number, message: string) => new PredictionRefused(status, message, { cause: error });
  if (error instanceof UnencodableRecord) return refuse(STATUS.conflict, `${error.message}.`);
  const code = errorCode(error);
  if (isThrottling(code)) return refuse(STATUS.throttled, 'Too many requests at once: try again in a moment.');
  if (UNAVAILABLE.has(code))
    return refuse(STATUS.unavailable, 'A service is unavailable, or too slow: try again in a moment.');
  if (code === 'ModelError') return refuse(STATUS.modelFailed, 'The model could not answer this request.');
  // SageMaker has no error of its own for an endpoint that does not exist.
  if (code === 'ValidationError' && /^Endpoint .* not found/.test((error as Error).message)) {
    return refuse(STATUS.unavailable, 'No endpoint serves: train a model first, or wait until it is in service.');
  }
  return undefined;
}
