import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { neighborProblems, takenProblems } from '../../../infra/aws/checks/neighbors.ts';
import { hasRule, paramProblems } from '../../../infra/aws/checks/params.ts';
import { arnProblems, placeProblems } from '../../../infra/aws/checks/place.ts';
import { textProblems } from '../../../infra/aws/checks/texts.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { categorical, defineFeatureGroup, fractional } from '../../../shared/feature-groups/define.ts';

const SERVERLESS = readFileSync(new URL('../../../serverless.yml', import.meta.url), 'utf8');
const DEFAULTS = Object.fromEntries(
  [
    ...SERVERLESS.slice(SERVERLESS.indexOf('  default:'), SERVERLESS.indexOf('\n  # The delivery pipeline')).matchAll(
      /^ {4}(\w+): (.*)$/gm,
    ),
  ].map(([, name = '', value = '']) => [name, value.replace(/^(["'])(.*)\1$/, '$2')]),
);

const groupOf = (name: string, categories = ['a', 'b']) =>
  defineFeatureGroup({
    ...{ name, recordIdentifier: 'id', label: { name: 'y' } },
    features: { kind: categorical(categories), amount: fractional() },
  });

describe('a param', () => {
  const known = Object.keys(DEFAULTS);

  test.each(known)('has a rule: %s', (name) => expect(hasRule(name)).toBe(true));

  test('is taken as serverless.yml has it', () => expect(paramProblems(DEFAULTS, known)).toEqual([]));

  test.each([
    ['changeLogBufferSeconds', '5000', /at most 900$/],
    ['logRetentionDays', '31', /days that CloudWatch keeps a log: 1, 3, 5/],
    ['deploymentConfiguration', 'Nonsense', /one of CodeDeploy's configurations: CodeDeployDefault\./],
    ['labelsWindowSeconds', '301', /at most 300$/],
    ['backfillMarginSeconds', '60', /on AWS are 61.*at least 61/],
    ['labelsThreshold', '0', /at least 1$/],
    ['labelsThreshold', '', /at least 1$/],
    ['gateConfidence', '97', /one of 80, 90, 95, 99$/],
    ['hyperParameters', '[1]', /JSON object of strings$/],
    ['trainingAlgorithm', 'xgbost', /linear-learner or xgboost$/],
    ['endpointInstanceType', 't2.medium', /such as ml\.t2\.medium$/],
    ['acceptDifferences', 'yes', /true or false$/],
    ['promotion', 'manual', /approve/],
    ['fences', 'page', /pages/],
    ['kmsKeyArn', 'alias/mine', /an ARN of kms, or nothing$/],
    ['deploymentRoleArn', 'deployer', /an ARN of iam, or nothing$/],
    ['permissionsBoundaryArn', 'arn:aws:iam::123456789012:role/boundary', /an ARN of iam, or nothing$/],
    ['rolePath', 'tributary/live-test', /a path of IAM such as/],
    ['rolePath', '/tributary/*/', /a path of IAM such as/],
    ['sourceTableStreamArn', 'arn:aws:dynamodb:eu-west-1:123456789012:table/orders', /an ARN of dynamodb/],
  ])('%s is refused as %j, and it is said what is expected', (name, value, expected) => {
    const found = paramProblems({ ...DEFAULTS, [name]: value }, known);
    expect(found).toEqual([expect.stringMatching(expected)]);
    expect(found[0]).toMatch(`${name} is ${JSON.stringify(value)}`);
  });

  test('that is misspelt is told the one that was meant, and no other', () => {
    expect(paramProblems({ endpointinstancecount: '3' }, known)).toEqual([
      'there is no param endpointinstancecount: did you mean endpointInstanceCount?',
    ]);
    expect(paramProblems({ zzz: '3' }, known)).toEqual(['there is no param zzz']);
  });
});

describe('a place', () => {
  test.each(['eu-west-1', 'us-east-1', 'ap-northeast-3', 'sa-east-1'])('can be %s', (region) => {
    expect(placeProblems({ region, stage: 'dev' })).toEqual([]);
  });

  test.each([
    ['eu-central-2', /no function URLs/],
    ['me-central-1', /no feature groups/],
    ['cn-north-1', /another partition/],
    ['us-gov-west-1', /another partition/],
    ['mx-central-1', /no training image/],
    ['mars-north-1', /no training image/],
  ])('cannot be %s', (region, why) => {
    const found = placeProblems({ region, stage: 'dev' });
    expect(found).toEqual([expect.stringMatching(why)]);
    expect(found[0]).toContain('deploy to another region');
  });

  test.each(['Dev', 'eu_dev', '1st', ''])('is no stage called %j', (stage) => {
    expect(placeProblems({ region: 'eu-west-1', stage })).toEqual([expect.stringContaining('small letters')]);
  });
});

describe('an ARN', () => {
  const arns = {
    sourceTableStreamArn: 'arn:aws:dynamodb:eu-west-1:111111111111:table/orders/stream/2026',
    kmsKeyArn: 'arn:aws:kms:eu-west-1:111111111111:key/1',
    alarmTopicArn: '',
  };
  const place = { region: 'eu-west-1', stage: 'dev' };

  test('is taken of the stack’s own region and account', () => {
    expect(arnProblems(arns, place)).toEqual([]);
    expect(arnProblems(arns, { ...place, account: '111111111111' })).toEqual([]);
  });

  test('is refused of another region', () => {
    expect(arnProblems(arns, { ...place, region: 'us-east-1' })).toEqual([
      'sourceTableStreamArn is of the region eu-west-1, and the stack is deployed to us-east-1: they must be one',
      'kmsKeyArn is of the region eu-west-1, and the stack is deployed to us-east-1: they must be one',
    ]);
  });

  test('is refused of another account: the stack’s, or while that is unknown the other ARNs’', () => {
    expect(arnProblems(arns, { ...place, account: '222222222222' })).toHaveLength(2);
    const alarmTopicArn = 'arn:aws:sns:eu-west-1:333333333333:alarms';
    expect(arnProblems({ ...arns, alarmTopicArn }, place)).toEqual([
      'alarmTopicArn is of the account 333333333333, and sourceTableStreamArn is of 111111111111: they must be one',
    ]);
  });

  test('of IAM is of no region, and of the stack’s account', () => {
    const deploymentRoleArn = 'arn:aws:iam::111111111111:role/deployer';
    const permissionsBoundaryArn = 'arn:aws:iam::222222222222:policy/boundary';
    expect(arnProblems({ ...arns, deploymentRoleArn, permissionsBoundaryArn }, place)).toEqual([
      'permissionsBoundaryArn is of the account 222222222222, and sourceTableStreamArn is of 111111111111: they must be one',
    ]);
  });

  test('is refused of another partition', () => {
    const alarmTopicArn = 'arn:aws-cn:sns:eu-west-1:111111111111:alarms';
    expect(arnProblems({ ...arns, alarmTopicArn }, place)).toEqual([expect.stringContaining('the partition aws-cn')]);
  });
});

describe('a definition', () => {
  test.each(['$' + '{env:AWS_SECRET_ACCESS_KEY}', '{{resolve:ssm:secret}}'])('may not have the text %s', (text) => {
    expect(textProblems(groupOf('orders', ['a', text]))).toEqual([expect.stringContaining(JSON.stringify(text))]);
    expect(textProblems(groupOf('orders'))).toEqual([]);
    expect(textProblems(bankMarketing)).toEqual([]);
  });

  test('may not get the stack of another one: names fold case and underscores', () => {
    const others = ['orders_eu', 'orders-eu', 'Orders-EU', 'orders-eu2'].map((it) => groupOf(it));
    expect(neighborProblems(groupOf('orders-eu'), others, 'dev')).toEqual([
      'the feature groups orders-eu and orders_eu would both be the stack tributary-orders-eu-dev: rename one of them',
      'the feature groups orders-eu and Orders-EU would both be the stack tributary-orders-eu-dev: rename one of them',
    ]);
  });

  test('may not take over the stack that is there of another one', () => {
    const names = { stack: 'tributary-orders-eu-dev', stage: 'dev' };
    const deployed = (name: string, stage: string) => ({ outputs: { FeatureGroupName: name }, tags: { STAGE: stage } });
    expect(takenProblems(groupOf('orders-eu'), names, deployed('orders-eu', 'dev'))).toEqual([]);
    expect(takenProblems(groupOf('orders-eu'), names, deployed('orders', 'eu-dev'))).toEqual([
      'the stack tributary-orders-eu-dev is there already, of the feature group orders in the stage eu-dev: take another name or stage for orders-eu in dev',
    ]);
    // A stack whose first deployment failed has no outputs yet.
    expect(takenProblems(groupOf('orders-eu'), names, { outputs: {}, tags: {} })).toEqual([]);
    expect(takenProblems(groupOf('orders-eu'), names, { outputs: {}, tags: { STAGE: 'eu-dev' } })).toEqual([
      'the stack tributary-orders-eu-dev is there already, of the stage eu-dev: take another name or stage for orders-eu in dev',
    ]);
  });
});
