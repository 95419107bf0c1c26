/** The parts of a CloudFormation template that the resource functions return. */

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: 'RetainExceptOnCreate';
  readonly UpdateReplacePolicy?: 'Retain';
  readonly UpdatePolicy?: Readonly<Record<string, unknown>>;
}

/** Resources by logical id. */
export type Resources = Readonly<Record<string, Resource>>;

/** A value CloudFormation computes at deployment. */
export type Intrinsic = { readonly [K in 'Ref' | `Fn::${string}`]?: unknown };

export type Text = string | Intrinsic;

export const ref = (logicalId: string): Intrinsic => ({ Ref: logicalId });
export const getAtt = (logicalId: string, attribute: string): Intrinsic => ({
  'Fn::GetAtt': [logicalId, attribute],
});
export const join = (...parts: Text[]): Intrinsic => ({ 'Fn::Join': ['', parts] });

/** ARN in this partition, region and account: `arn('states', 'stateMachine:retraining')`. */
export function arn(service: string, resource: Text): Intrinsic {
  const prefix = [ref('AWS::Partition'), ':', service, ':', ref('AWS::Region'), ':', ref('AWS::AccountId'), ':'];
  return join('arn:', ...prefix, resource);
}

/** What must outlive the stack: CloudFormation leaves it when the stack or the resource goes. */
export const RETAIN = { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' } as const;
