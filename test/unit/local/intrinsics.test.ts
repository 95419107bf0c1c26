import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../infra/local/stack/intrinsics.ts';
import { functionPhysical, physicalOf } from '../../../infra/local/stack/physical-names.ts';

const physicals = new Map([
  ['Table', physicalOf('shop', 'Table', { Type: 'AWS::DynamoDB::Table', Properties: { TableName: 'orders' } })],
  ['Bucket', physicalOf('shop', 'Bucket', { Type: 'AWS::S3::Bucket' })],
  ['IngestLambdaFunction', functionPhysical('shop-ingest')],
]);
const evaluated = (value: unknown) => evaluate(value, physicals, 'shop', 'here');

describe('intrinsic functions', () => {
  it.each([
    [{ Ref: 'Table' }, 'orders'],
    [{ Ref: 'Bucket' }, 'shop-bucket'],
    [{ Ref: 'AWS::Region' }, 'us-east-1'],
    [{ 'Fn::GetAtt': ['Table', 'Arn'] }, 'arn:aws:dynamodb:us-east-1:000000000000:table/orders'],
    [{ 'Fn::GetAtt': 'Bucket.Arn' }, 'arn:aws:s3:::shop-bucket'],
    [{ 'Fn::GetAtt': ['IngestLambdaFunction', 'Arn'] }, 'arn:aws:lambda:us-east-1:000000000000:function:shop-ingest'],
    [{ 'Fn::Sub': `arn:\${AWS::Partition}:x:\${AWS::AccountId}:\${Table}` }, 'arn:aws:x:000000000000:orders'],
    [{ 'Fn::Sub': `\${Bucket.Arn}/\${!literal}` }, `arn:aws:s3:::shop-bucket/\${literal}`],
    [{ 'Fn::Sub': [`\${name}/x`, { name: { Ref: 'Table' } }] }, 'orders/x'],
    [{ 'Fn::Join': ['-', ['a', { Ref: 'AWS::StackName' }]] }, 'a-shop'],
    [{ 'Fn::Select': [1, { 'Fn::Split': ['.', 'a.b'] }] }, 'b'],
  ])('%j is %s', (value, expected) => {
    expect(evaluated(value)).toBe(expected);
  });

  it('are evaluated wherever they stand, and what is no function stays as it is', () => {
    expect(evaluated({ a: [{ b: { Ref: 'Table' } }], Ref: 'x', n: 1, z: null })).toEqual({
      a: [{ b: 'orders' }],
      Ref: 'x',
      n: 1,
      z: null,
    });
  });

  it('remove a property or element that is AWS::NoValue', () => {
    expect(evaluated({ a: { Ref: 'AWS::NoValue' }, b: [1, { Ref: 'AWS::NoValue' }] })).toEqual({ b: [1] });
  });

  it.each([
    [{ x: { Ref: 'Queue' } }, 'here.x: there is no resource Queue.'],
    [{ 'Fn::GetAtt': ['Bucket', 'DomainName'] }, 'Bucket has no attribute DomainName in the local cloud; it has: Arn.'],
    [[{ 'Fn::ImportValue': 'x' }], 'here[0]: the local cloud does not evaluate Fn::ImportValue'],
    [{ 'Fn::Join': 'x' }, 'here: expected two arguments'],
  ])('that are not known are an error that says where: %j', (value, message) => {
    expect(() => evaluated(value)).toThrow(message);
  });
});
