import { ACCOUNT, REGION } from '../dynamodb/back-end.ts';

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
  return `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;
}

/** Name of a function given by name, ARN or partial ARN, with or without `:$LATEST`. Undefined: another version. */
export function functionNameOf(reference: string): string | undefined {
  const parts = (reference.split(':function:').pop() ?? reference).split(':');
  return parts.length === 1 || parts[1] === '$LATEST' ? parts[0] : undefined;
}
