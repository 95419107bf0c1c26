import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lintWarnings, packaged, TEMPLATE, validatorWarnings } from '../given/aws/packaged.ts';
import { PROJECT, projectCopy } from '../given/aws/project-copy.ts';

/** Stacks as people deploy them: each is packaged, and its template read by AWS's validator and by cfn-lint. */

const ACCOUNT = '123456789012';
const arn = (service: string, region: string, resource: string) =>
  `arn:aws:${service}:${region}:${ACCOUNT}:${resource}`;
const KEY = 'key/1234abcd-12ab-34cd-56ef-1234567890ab';
const stream = (region: string) => arn('dynamodb', region, 'table/bank-marketing/stream/2026-01-15T10:00:00.000');
const params = (given: Readonly<Record<string, string>>) =>
  Object.entries(given).map(([name, value]) => `--param=${name}=${value}`);

/** ARNs that a person gives stand in the template as they are. */
const GIVEN = [/^W9002 .*hardcoded ARN/, /^W9013 .*Hardcoded account ID/];

/** Other definitions: only those in shared/feature-groups are deployed. */
const OTHER = 'variant-of-orders-with-quite-a-long-name';
const UNLABELED = 'variant-of-visits';

const everythingGiven = params({
  sourceTableStreamArn: stream('eu-west-1'),
  kmsKeyArn: arn('kms', 'eu-west-1', KEY),
  alarmTopicArn: arn('sns', 'eu-west-1', 'alarms'),
  deploymentRoleArn: `arn:aws:iam::${ACCOUNT}:role/deployer`,
  permissionsBoundaryArn: `arn:aws:iam::${ACCOUNT}:policy/boundary`,
  rolePath: '/teams/data/',
  promotion: 'approve',
  trainingAlgorithm: 'xgboost',
  predictionLog: 'true',
});

const VARIANTS: readonly (readonly [name: string, options: readonly string[]])[] = [
  ['as it comes', []],
  ['in production, in another region', ['--stage', 'prod', '--region', 'eu-west-1']],
  ['of a long stage', ['--stage', 'production-of-the-north']],
  ['of another definition', params({ featureGroup: OTHER })],
  ['without a label', params({ featureGroup: UNLABELED })],
  ['on a table that is there', params({ sourceTableStreamArn: stream('us-east-1') })],
  ['with a key of KMS', params({ kmsKeyArn: arn('kms', 'us-east-1', KEY) })],
  ['with a topic for alarms', params({ alarmTopicArn: arn('sns', 'us-east-1', 'alarms') })],
  ['trained by XGBoost', params({ trainingAlgorithm: 'xgboost', hyperParameters: '{"num_round":"50"}' })],
  ['whose predictions are kept', params({ predictionLog: 'true' })],
  ['promoted by a person', params({ promotion: 'approve', approvalHours: '24' })],
  ['on one instance', params({ endpointInstanceCount: '1', endpointInstanceType: 'ml.c5.large' })],
  [
    'for scale',
    params({
      ...{ ingestMemoryMegabytes: '1769', ingestBatchRecords: '5000', ingestConcurrency: '100' },
      warmWritesPerSecond: '10000',
    }),
  ],
  [
    'whose differences are accepted, all at once',
    params({ acceptDifferences: 'true', deploymentConfiguration: 'CodeDeployDefault.LambdaAllAtOnce' }),
  ],
  ['with everything given', ['--stage', 'live-test', '--region', 'eu-west-1', ...everythingGiven]],
];

let project: string;

beforeAll(async () => {
  project = await projectCopy('variants');
  const orders = await readFile(join(PROJECT, 'docs/examples/orders.ts'), 'utf8');
  const visits = await readFile(join(PROJECT, 'test/fixtures/feature-groups/visits.ts'), 'utf8');
  const here = visits.replace('../../../shared/feature-groups/define.ts', './define.ts');
  await writeFile(
    join(project, `shared/feature-groups/${UNLABELED}.ts`),
    here.replace("name: 'visits'", `name: '${UNLABELED}'`),
  );
  const moved = orders.replace('../../shared/feature-groups/define.ts', './define.ts');
  await writeFile(
    join(project, `shared/feature-groups/${OTHER}.ts`),
    moved.replace("name: 'orders'", `name: '${OTHER}'`),
  );
});

afterAll(() => rm(project, { recursive: true, force: true }));

test.each(VARIANTS)('a stack %s is packaged, and nothing is to be said against its template', async (name, options) => {
  const folder = join(project, 'packaged', name.replaceAll(' ', '-'));
  expect(await packaged(project, folder, ...options)).toMatch(/Service packaged/);
  const template = join(folder, TEMPLATE);
  expect(validatorWarnings([template], GIVEN)).toEqual([]);
  const lint = lintWarnings([template]);
  if (lint === undefined) console.warn('SKIPPED: cfn-lint is not installed.');
  else expect(lint).toEqual([]);
});
