import { refuseUnknown } from '../../protocol/aws-error.ts';
import { check, invalid, type Validation } from './dynalite.ts';

/** One operation: the rules its requests are held to, and what it does. */
export interface Action {
  readonly rules: Validation;
  /** What is looked at before the rules; answers why the request is refused. */
  readonly first?: (input: never) => string | undefined;
  /** Takes a request that has been checked. */
  readonly run: (data: never) => object;
}
export type Actions = Readonly<Record<string, Action>>;

/** Carries out an operation. @throws AwsError in DynamoDB's words; nothing is changed then. */
export function act(operation: string, { rules, first, run }: Action, input: object): object {
  refuseUnknown('dynamodb', operation, input, Object.keys(rules.types));
  const request = byName(input);
  const problem = problemOfName(operation, request) ?? first?.(request as never);
  if (problem !== undefined) throw invalid(problem);
  return run(check<never>(request, rules));
}

/** A table can be named by its ARN, too. Source: API reference, TableName of every operation but CreateTable. */
function byName(input: { TableName?: unknown }): { TableName?: unknown } {
  const { TableName: name } = input;
  if (typeof name !== 'string' || !/^arn:aws:dynamodb:[^:]*:\d+:table\/[^/]+$/.test(name)) return input;
  return { ...input, TableName: name.replace(/^.*\//, '') };
}

/** An empty name breaks two rules of its own; AWS names one. */
function problemOfName(operation: string, { TableName: name }: { TableName?: unknown }): string | undefined {
  if (name !== '') return undefined;
  const least = operation === 'CreateTable' ? 3 : 1;
  return `1 validation error detected: Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to ${least}`;
}
