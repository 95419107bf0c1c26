import { arn } from '../protocol/arn.ts';

/** SageMaker writes names in ARNs in lower case. */
export function sageMakerArn(kind: string, name: string | undefined): string {
  return arn('sagemaker', `${kind}/${String(name).toLowerCase()}`);
}

export function tableArn(name: string | undefined): string {
  return arn('dynamodb', `table/${name?.split(':table/').pop()}`);
}

export function objectArn(bucket: string, key = ''): string {
  return `arn:aws:s3:::${bucket}/${key}`;
}

export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}
