import { describe, expect, it } from 'vitest';
import { roleOf } from '../../../infra/aws/cloudformation/iam.ts';
import { namesOf } from '../../../infra/aws/cloudformation/names.ts';
import { resourcesOf, type StackOptions } from '../../../infra/aws/stack.ts';
import { defineFeatureGroup, fractional } from '../../../shared/feature-groups/define.ts';
import orders from '../../fixtures/feature-groups/orders.ts';
import visits from '../../fixtures/feature-groups/visits.ts';
import { STACK_OPTIONS } from '../../given/aws/stack-options.ts';

const names = namesOf(orders, 'prod');
const stack = (options: Partial<StackOptions> = {}) => resourcesOf(orders, names, { ...STACK_OPTIONS, ...options });

describe('an existing table', () => {
  const tableArn = 'arn:aws:dynamodb:eu-west-1:123456789012:table/shop.orders';
  const streamArn = `${tableArn}/stream/2026-01-01T00:00:00.000`;
  const { resources, streamArn: read } = stack({ sourceTableStreamArn: streamArn });

  it('is read by its stream, and nothing is made, changed or referred to by the name of the stack’s own', () => {
    expect(read).toBe(streamArn);
    expect(resources.Resources).not.toHaveProperty('SourceTable');
    expect(JSON.stringify(resources)).not.toContain('"SourceTable"');
    expect(resources.Outputs.SourceTableName?.Value).toBe('shop.orders');
  });

  it('is all that rights are given on: the stream to read, the table to redrive from, to compare and to export', () => {
    const onTable = Object.entries(resources.Resources).flatMap(([id, resource]) =>
      (roleOf(resource)?.statements ?? [])
        .filter((it) => JSON.stringify(it.Resource).includes('table/shop.orders'))
        .map((it) => [id, it.Resource]),
    );
    expect(onTable).toEqual([
      ['IngestRole', [streamArn]],
      ['RedriveRole', [tableArn]],
      ['CompareRole', [tableArn]],
      ['HistoryRole', [tableArn]],
      ['HistoryRole', [{ 'Fn::Join': ['', [tableArn, '/export/*']] }]],
      ['RehearseRole', [streamArn]],
    ]);
  });

  it('has its batches given up to S3 as the stack’s own has', () => {
    expect(Object.keys(resources.extensions)).toEqual(['IngestEventSourceMappingDynamodbShoporders']);
  });

  it('changes nothing else', () => {
    const own = stack().resources.Resources;
    const changed = Object.keys(own).filter(
      (id) => JSON.stringify(own[id]) !== JSON.stringify(resources.Resources[id]),
    );
    expect(changed.sort()).toEqual([
      'BatchesGivenUpAlarm',
      'CompareRole',
      'Dashboard',
      'HistoryRole',
      'IngestRole',
      'RecordsDroppedAlarm',
      'RedriveRole',
      'RehearseRole',
      'SourceTable',
    ]);
  });

  it('has to be the definition’s, by the ARN of its stream', () => {
    expect(() => stack({ sourceTableStreamArn: streamArn.replace('shop.orders', 'others') })).toThrow(
      'a stream of table others, but the definition Orders_v2 describes table shop.orders',
    );
    expect(() => stack({ sourceTableStreamArn: tableArn })).toThrow('no stream’s ARN'.replace('’', "'"));
  });
});

describe('key attributes', () => {
  it('are of the types that the definition gives them, and texts when it gives none', () => {
    const group = defineFeatureGroup({
      name: 'readings',
      recordIdentifier: { name: 'reading', attributes: ['sensor', 'at'], types: ['S', 'N'] },
      features: { value: fractional() },
      label: { name: 'fault' },
    });
    const { resources } = resourcesOf(group, namesOf(group, 'prod'), STACK_OPTIONS);
    expect(resources.Resources.SourceTable?.Properties.AttributeDefinitions).toEqual([
      { AttributeName: 'sensor', AttributeType: 'S' },
      { AttributeName: 'at', AttributeType: 'N' },
    ]);
    expect(orders.recordIdentifier.types).toEqual(['S', 'S']);
  });

  it('have one type each', () => {
    const recordIdentifier = { name: 'reading', attributes: ['sensor', 'at'], types: ['S' as const] };
    expect(() =>
      defineFeatureGroup({
        name: 'readings',
        recordIdentifier,
        features: { heat: fractional() },
        label: { name: 'fault' },
      }),
    ).toThrow('1 types for 2 attributes');
  });
});

describe('the customer’s key', () => {
  const kmsKeyArn = 'arn:aws:kms:eu-west-1:123456789012:key/0a1b';
  const { Resources: resources } = stack({ kmsKeyArn }).resources;
  const holdsData = Object.entries(resources).filter(([, { Type }]) =>
    /^AWS::(S3::Bucket|DynamoDB::Table|KinesisFirehose::DeliveryStream|SageMaker::FeatureGroup|Athena::WorkGroup)$/.test(
      Type,
    ),
  );

  it.each(holdsData)('encrypts %s', (_, resource) => {
    expect(JSON.stringify(resource.Properties)).toContain(kmsKeyArn);
    expect(JSON.stringify(resource.Properties)).not.toMatch(/AES256|AWS_OWNED|SSE_S3/);
  });

  it('encrypts models and scores, which would take S3’s own key', () => {
    const { States } = JSON.parse(String(resources.RetrainingStateMachine?.Properties.DefinitionString));
    const outputs = Object.entries<{ Parameters?: Record<string, object> }>(States).flatMap(
      ([name, { Parameters }]) => {
        const output = Parameters?.OutputDataConfig ?? Parameters?.TransformOutput;
        return output ? [[name, output]] : [];
      },
    );
    expect(outputs.map(([name]) => name)).toEqual(['Train', 'ScoreChallenger', 'ScoreChampion', 'ScoreLeader']);
    for (const [, output] of outputs) expect(output).toMatchObject({ KmsKeyId: kmsKeyArn });
  });

  it('may be used by the roles through services only', () => {
    for (const [id, resource] of Object.entries(resources)) {
      const uses = roleOf(resource)?.statements.filter((it) => it.Action.includes('kms:Decrypt'));
      if (!uses) continue;
      expect(uses, id).toEqual([expect.objectContaining({ Resource: [kmsKeyArn] })]);
      expect(uses[0]?.Condition?.StringEquals, id).toHaveProperty('kms:ViaService');
    }
  });

  it('is nowhere when none is given, and has to be a key’s ARN', () => {
    expect(JSON.stringify(stack())).not.toContain('kms');
    expect(() => stack({ kmsKeyArn: 'alias/mine' })).toThrow('kmsKeyArn is alias/mine');
  });
});

describe('the prediction log', () => {
  const [off, on] = [stack(), stack({ predictionLog: true })];
  const actions = ({ resources }: typeof on) =>
    roleOf(resources.Resources.PredictRole ?? { Type: '', Properties: {} })?.statements.flatMap((it) => it.Action);

  it('is off by default, and then is no resource, no right, no alarm and no variable', () => {
    expect(stack({ predictionLog: false })).toEqual(off);
    expect(JSON.stringify(off.resources)).not.toMatch(/prediction-?log/i);
    expect(actions(off)?.filter((it) => it.startsWith('firehose:'))).toEqual([]);
    expect(off.predictionLogStream).toBe('');
  });

  it('is a stream, a table and two alarms, and the right of predict to put into that stream alone', () => {
    const added = Object.keys(on.resources.Resources).filter((id) => !(id in off.resources.Resources));
    expect(added.sort()).toEqual([
      'PredictionLogLateAlarm',
      'PredictionLogStream',
      'PredictionLogStreamLogGroup',
      'PredictionLogStreamLogStream',
      'PredictionLogStreamRole',
      'PredictionLogTable',
      'PredictionsNotLoggedAlarm',
    ]);
    const put = roleOf(on.resources.Resources.PredictRole ?? { Type: '', Properties: {} })?.statements.filter((it) =>
      it.Action.includes('firehose:PutRecordBatch'),
    );
    expect(put?.map((it) => it.Resource)).toEqual([[{ 'Fn::GetAtt': ['PredictionLogStream', 'Arn'] }]]);
    expect(on.predictionLogStream).toEqual({ Ref: 'PredictionLogStream' });
  });

  it('changes nothing else but the dashboard and the right of predict', () => {
    const changed = Object.keys(off.resources.Resources).filter(
      (id) => JSON.stringify(on.resources.Resources[id]) !== JSON.stringify(off.resources.Resources[id]),
    );
    expect(changed.sort()).toEqual(['Dashboard', 'PredictRole']);
  });

  it('is refused where nothing predicts', () => {
    expect(() => resourcesOf(visits, namesOf(visits, 'prod'), { ...STACK_OPTIONS, predictionLog: true })).toThrow(
      'predictionLog is true, but without a label visits has no predictions: leave it out.',
    );
  });
});

describe('a boundary and a path', () => {
  const roles = (options: Partial<StackOptions>) =>
    Object.values(stack(options).resources.Resources).filter((it) => it.Type === 'AWS::IAM::Role');

  it('are every role’s, where they are given', () => {
    const permissionsBoundaryArn = 'arn:aws:iam::123456789012:policy/boundary';
    const found = roles({ permissionsBoundaryArn, rolePath: '/tributary/live-test/' });
    expect(found.length).toBeGreaterThan(0);
    for (const { Properties } of found) {
      expect(Properties).toMatchObject({ PermissionsBoundary: permissionsBoundaryArn, Path: '/tributary/live-test/' });
    }
  });

  it('are no role’s where they are not: a path would replace the roles of a stack that is there', () => {
    for (const { Properties } of roles({})) {
      expect(Properties).not.toHaveProperty('PermissionsBoundary');
      expect(Properties).not.toHaveProperty('Path');
    }
  });
});

it('lets services assume roles for this account only, where their guides show the condition', () => {
  const trusts = Object.values(stack().resources.Resources).flatMap(({ Type, Properties }) => {
    if (Type !== 'AWS::IAM::Role') return [];
    const { Statement } = Properties.AssumeRolePolicyDocument as {
      Statement: { Principal: { Service: string }; Condition?: object }[];
    };
    return Statement.map((it) => [it.Principal.Service, it.Condition] as const);
  });
  const condition = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } };
  expect(Object.fromEntries(trusts)).toEqual({
    'codedeploy.amazonaws.com': condition,
    'firehose.amazonaws.com': condition,
    'states.amazonaws.com': condition,
    'lambda.amazonaws.com': undefined,
    'sagemaker.amazonaws.com': undefined,
  });
});
