import type { AwsError } from './aws-error.ts';

/** What every service of the local cloud is made of. One wire protocol adapter (server.ts) serves them all. */

/** Services, by the name faults and logs use. */
export type ServiceName =
  | 'dynamodb'
  | 'dynamodbstreams'
  | 'firehose'
  | 'featurestore'
  | 's3'
  | 'athena'
  | 'glue'
  | 'states'
  | 'sagemaker'
  | 'sagemaker-runtime'
  | 'cloudwatch'
  | 'logs'
  | 'lambda'
  | 'sts'
  | 'cloudformation'
  | 'application-autoscaling';

/** A request as it came over the wire, for the operations whose body is not JSON. */
export interface WireRequest {
  readonly method: string;
  /** Path without the query, still percent-encoded, and well so. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export interface WireResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/**
 * One operation. `input` is the request as the SDK's model names it (JSON body, path and query parameters together);
 * the result is the response likewise. Errors are AwsErrors. `any`-free: each operation narrows its own input.
 */
export type Operation = (input: never, request: WireRequest | undefined) => unknown;

/** How a REST operation of JSON (not RPC by X-Amz-Target) is told from the others, and its parameters found. */
export interface RestRoute {
  readonly method: string;
  /** Matches the path; named groups become members of the input (percent-decoded). */
  readonly path: RegExp;
  readonly operation: string;
  /** Query parameters to members of the input; a repeated or listed one in `lists` becomes an array. */
  readonly query?: Readonly<Record<string, string>>;
  readonly lists?: readonly string[];
}

/** An operation that a service has found in a request by itself. */
export interface RawOperation {
  readonly operation: string;
  /** The members of the input that say what the call is about, as a role's policies need them. Default: none. */
  readonly input?: object;
  readonly run: () => Promise<WireResponse>;
}

export interface Service {
  readonly name: ServiceName;
  /** Prefix of X-Amz-Target, such as `DynamoDB_20120810`. Absent for REST services. */
  readonly target?: string;
  /** Content type of RPC answers. Default: application/x-amz-json-1.1. */
  readonly contentType?: string;
  /** Version and namespace of the query protocol, for services that speak it. */
  readonly query?: { readonly version: string; readonly namespace: string };
  readonly operations?: Readonly<Record<string, Operation>>;
  /**
   * Operations of RPC that take a request's JSON as it came, and give the answer's: for callers whose rights are not
   * checked, nobody on the way has to look into either.
   */
  readonly texts?: Readonly<Record<string, (input: string) => Promise<string>>>;
  readonly routes?: readonly RestRoute[];
  /** Whole-request handler for what is not JSON (S3, InvokeEndpoint, Invoke). `undefined`: not mine. */
  raw?(request: WireRequest): RawOperation | undefined;
  /** Renders the errors of `raw` for clients that do not read JSON (S3). Default: JSON. */
  renderError?(error: AwsError): WireResponse;
  /** Frees timers, threads and files. */
  close?(): Promise<void>;
}

/** Calls an operation in process, as a service does that uses another: same code, same faults as over the wire. */
export type Call = (service: ServiceName, operation: string, input: object) => Promise<unknown>;

/** On whose behalf a call is made: a role of the stack. */
export interface Caller {
  readonly roleArn: string;
  /** Such as the function's name: it ends the ARN of the assumed role that a denial names. */
  readonly session: string;
}

/** The roles of the stack, and what they may do. */
export interface Roles {
  /** The role that an access key is of; undefined for a user's own key, whose calls are not checked. */
  callerOf(accessKeyId: string): Caller | undefined;
  /** @throws AwsError as the service denies access to the operation. */
  authorize(caller: Caller, service: ServiceName, operation: string, input: object): Promise<void>;
}
