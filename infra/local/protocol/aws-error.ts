/** An error as an AWS service answers it: a code, a sentence, an HTTP status, and fields of its own if it has any. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly fields: Record<string, unknown>;

  constructor(code: string, message: string, status = 400, fields: Record<string, unknown> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

/** Said with a refusal when nothing better is known. */
const OTHERWISE = 'It implements what Tributary calls; use real AWS, or add it in infra/local.';

/**
 * The loud refusal of what the local cloud does not do: nothing is ignored silently. A client's error (400), as AWS
 * answers an operation that it does not know: older SDKs would try a server's error ten times more.
 *
 * @param instead what the caller can do, as a sentence.
 */
export function notImplemented(service: string, what: string, instead = OTHERWISE): AwsError {
  return new AwsError(
    'NotImplementedException',
    `The local cloud does not implement ${what} of ${service}. ${instead}`,
  );
}

/** Refuses parameters that the local cloud would otherwise ignore. `known` are the ones it honours. */
export function refuseUnknown(service: string, operation: string, input: object, known: readonly string[]): void {
  for (const name of Object.keys(input)) {
    if (!known.includes(name)) throw notImplemented(service, `parameter ${name} of ${operation}`);
  }
}
