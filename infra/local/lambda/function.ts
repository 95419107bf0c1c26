import { arn } from '../protocol/arn.ts';

/** A function as the local cloud runs it. */
export interface LambdaFunction {
  readonly name: string;
  /** Absolute path of the module, TypeScript or JavaScript. */
  readonly handlerFile: string;
  /** Name of the exported handler. */
  readonly exportName: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMB: number;
  /** Of the function's role: by it the other services know who calls. Default: nobody's in particular. */
  readonly accessKeyId?: string;
  readonly roleArn?: string;
  /** Names that stand for a version. There is one version here, `$LATEST`, and every alias is of it. */
  readonly aliases?: readonly string[];
  /** Whether it has a function URL. */
  readonly url?: boolean;
}

/** What Invoke answers when a function has failed. Source: Lambda developer guide, Node.js function errors. */
export interface LambdaError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** What a worker is started with. */
export interface WorkerData {
  readonly handlerFile: string;
  readonly exportName: string;
  readonly context: Readonly<Record<string, string>>;
}

export interface InvokeMessage {
  readonly requestId: string;
  readonly payload: string;
  /** When the invocation times out, in epoch milliseconds. */
  readonly deadline: number;
}

export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'log'; readonly text: string }
  | { readonly kind: 'result'; readonly payload: string }
  | { readonly kind: 'error'; readonly error: LambdaError };

export function functionArn(name: string): string {
  return arn('lambda', `function:${name}`);
}

export const LATEST = '$LATEST';

/** Name and qualifier (a version or an alias) of a function given by name, ARN or partial ARN. */
export function functionReference(reference: string): { name: string; qualifier: string | undefined } {
  const [name = '', qualifier] = (reference.split(':function:').pop() ?? reference).split(':');
  return { name, qualifier };
}
