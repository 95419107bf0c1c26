import { ACCOUNT, arn } from '../protocol/arn.ts';

/** What CloudFormation would answer to Ref and Fn::GetAtt, by names that are the same at every start. */

/** Longest bucket name. Source: S3's rules for bucket names. */
const BUCKET_NAME_MAX = 63;

/** One resource of the template, properties not yet evaluated. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** A resource's name and attributes, as evaluated expressions use them. */
export interface Physical {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Types whose property gives them their name, if the template sets it. */
const NAME_PROPERTY: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::S3::Bucket': 'BucketName',
  'AWS::KinesisFirehose::DeliveryStream': 'DeliveryStreamName',
  'AWS::SageMaker::FeatureGroup': 'FeatureGroupName',
  'AWS::Athena::WorkGroup': 'Name',
  'AWS::StepFunctions::StateMachine': 'StateMachineName',
  'AWS::IAM::Role': 'RoleName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::Logs::LogStream': 'LogStreamName',
};

/** The name of a resource and what can be asked of it. Types without an entry can be asked for nothing but their name. */
export function physicalOf(stackName: string, logicalId: string, resource: TemplateResource): Physical {
  const given = resource.Properties?.[NAME_PROPERTY[resource.Type] ?? ''];
  const name = typeof given === 'string' ? given : `${stackName}-${logicalId}`;
  switch (resource.Type) {
    case 'AWS::DynamoDB::Table': {
      const table = arn('dynamodb', `table/${name}`);
      // The label of a real stream is the time it was enabled; whoever reads the stream asks DescribeTable for it.
      return { ref: name, attributes: { Arn: table, StreamArn: `${table}/stream/LATEST` } };
    }
    case 'AWS::S3::Bucket': {
      const bucket = typeof given === 'string' ? given : bucketName(stackName, logicalId);
      return { ref: bucket, attributes: { Arn: `arn:aws:s3:::${bucket}` } };
    }
    case 'AWS::KinesisFirehose::DeliveryStream':
      return { ref: name, attributes: { Arn: arn('firehose', `deliverystream/${name}`) } };
    case 'AWS::IAM::Role':
      return { ref: name, attributes: { Arn: `arn:aws:iam::${ACCOUNT}:role/${name}` } };
    case 'AWS::StepFunctions::StateMachine': {
      const stateMachine = arn('states', `stateMachine:${name}`);
      return { ref: stateMachine, attributes: { Arn: stateMachine, Name: name } };
    }
    case 'AWS::Glue::Database':
      return { ref: nested(resource, 'DatabaseInput', 'Name') ?? name, attributes: {} };
    case 'AWS::Glue::Table':
      return { ref: nested(resource, 'TableInput', 'Name') ?? name, attributes: {} };
    default:
      return { ref: name, attributes: {} };
  }
}

/** A function of the template, as osls names its logical id. */
export function functionLogicalId(key: string): string {
  return `${key.charAt(0).toUpperCase()}${key.slice(1)}LambdaFunction`;
}

export function functionPhysical(name: string): Physical {
  return { ref: name, attributes: { Arn: arn('lambda', `function:${name}`) } };
}

function bucketName(stackName: string, logicalId: string): string {
  const suffix = `-${logicalId.toLowerCase()}`;
  return `${stackName.slice(0, BUCKET_NAME_MAX - suffix.length)}${suffix}`;
}

function nested(resource: TemplateResource, property: string, member: string): string | undefined {
  const value = (resource.Properties?.[property] as Record<string, unknown> | undefined)?.[member];
  return typeof value === 'string' ? value : undefined;
}
