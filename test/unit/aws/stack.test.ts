import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import type { Resource } from '../../../infra/aws/cloudformation/intrinsics.ts';
import { namesOf } from '../../../infra/aws/cloudformation/names.ts';
import { QUARANTINE_DAYS } from '../../../infra/aws/data/buckets.ts';
import { resourcesOf } from '../../../infra/aws/stack.ts';
import { columnsOf } from '../../../shared/definition/feature-group.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { defineFeatureGroup, fractional, integral, string, timestamp } from '../../../shared/feature-groups/define.ts';
import { encodingOf } from '../../../shared/model/encoding.ts';
import { LATENESS_DAYS_MAX } from '../../../shared/training/snapshot.ts';
import orders from '../../fixtures/feature-groups/orders.ts';
import { STACK_OPTIONS } from '../../given/aws/stack-options.ts';

const {
  resources: { Resources: resources },
} = resourcesOf(orders, namesOf(orders, 'prod'), STACK_OPTIONS);

/** The properties of a resource, as the tests read them. */
function properties<T>(logicalId: string, from: Readonly<Record<string, Resource>> = resources): T {
  const resource = from[logicalId];
  if (!resource) throw new Error(`no resource ${logicalId}`);
  return resource.Properties as T;
}

interface Table {
  TableInput: {
    PartitionKeys?: unknown;
    Parameters: Record<string, unknown>;
    ViewOriginalText: string;
    StorageDescriptor: { Columns: { Name: string; Type: string }[]; SerdeInfo: { Parameters: Record<string, string> } };
  };
}

describe('the source table', () => {
  it('has every key attribute of the record identifier, partition key first', () => {
    expect(properties('SourceTable')).toMatchObject({
      TableName: 'shop.orders',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    });
  });

  it('streams both images, as a label is new only against the image before', () => {
    expect(properties('SourceTable')).toMatchObject({ StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' } });
  });
});

describe('the feature group', () => {
  it('defines the identifier, the event time and the columns in their append-only order', () => {
    const { FeatureDefinitions: features } = properties<{
      FeatureDefinitions: { FeatureName: string; FeatureType: string }[];
    }>('FeatureGroup');
    expect(features.map((it) => `${it.FeatureName} ${it.FeatureType}`)).toEqual([
      'order_id String',
      'changed_at String',
      'unit-price Fractional',
      'quantity Integral',
      'giftWrapped Integral',
      'note String',
      'size String',
      'channel String',
      'internal_score Fractional',
      'returned Integral',
      'discount Fractional',
    ]);
  });
});

describe('the change log in Glue', () => {
  const { TableInput: table } = properties<Table>('ChangeLogTable');

  it('has the columns of a change log row, in lower case as Glue wants them', () => {
    expect(table.StorageDescriptor.Columns.map((it) => `${it.Name} ${it.Type}`)).toEqual([
      'sequence_number string',
      'event_name string',
      'event_time string',
      'ttl_expired boolean',
      'order_id string',
      'unit-price double',
      'quantity bigint',
      'giftwrapped tinyint',
      'note string',
      'size string',
      'channel string',
      'internal_score double',
      'returned tinyint',
      'discount double',
    ]);
  });

  it('is read as the rows are written: escaped by a backslash, null as \\N', () => {
    expect(table.StorageDescriptor.SerdeInfo.Parameters).toEqual({
      'field.delim': ',',
      'escape.delim': '\\',
      'serialization.null.format': '\\N',
    });
  });

  it.each(['LatestView', 'DatasourceView'])('%s is what Athena stores for a view', (logicalId) => {
    const { TableInput: view } = properties<Table>(logicalId);
    const json = /^\/\* Presto View: ([A-Za-z0-9+/=]+) \*\/$/.exec(view.ViewOriginalText)?.[1] ?? '';
    const presto = JSON.parse(Buffer.from(json, 'base64').toString('utf8'));
    expect(view.Parameters).toEqual({ presto_view: 'true', comment: 'Presto View' });
    expect(presto).toMatchObject({ catalog: 'awsdatacatalog', schema: 'tributary_orders_v2_prod' });
    expect(presto.columns.map((it: { name: string }) => it.name)).toEqual(
      view.StorageDescriptor.Columns.map((it) => it.Name),
    );
    const selected = presto.columns.map((it: { name: string }) => `"${it.name}"`).join(', ');
    expect(presto.originalSql.startsWith(`SELECT ${selected}\nFROM `)).toBe(true);
  });

  it('shows under datasource the features and the label, and not who the record is', () => {
    const { TableInput: view } = properties<Table>(
      'DatasourceView',
      resourcesOf(bankMarketing, namesOf(bankMarketing, 'dev'), STACK_OPTIONS).resources.Resources,
    );
    expect(view.StorageDescriptor.Columns.map((it) => it.Name)).toEqual(columnsOf(bankMarketing).map((it) => it.name));
  });
});

test('columns of Glue’s tables say what their features are, and the views are as without it', () => {
  const described = defineFeatureGroup({
    name: 'described',
    recordIdentifier: 'id',
    features: {
      Weight: fractional({ description: 'In kilograms' }),
      email: string({ description: 'Where to write', personal: true }),
      born: timestamp({ personal: true }),
      plain: integral(),
    },
  });
  const plain = defineFeatureGroup({
    name: 'described',
    recordIdentifier: 'id',
    features: { Weight: fractional(), email: string(), born: timestamp(), plain: integral() },
  });
  const made = (group: typeof described) =>
    resourcesOf(group, namesOf(group, 'prod'), STACK_OPTIONS).resources.Resources;
  const commentsOf = (id: string) =>
    properties<{ TableInput: { StorageDescriptor: { Columns: { Name: string; Comment?: string }[] } } }>(
      id,
      made(described),
    ).TableInput.StorageDescriptor.Columns.flatMap(({ Name, Comment }) => (Comment ? [[Name, Comment]] : []));
  const comments = [
    ['weight', 'In kilograms'],
    ['email', 'Where to write (personal data)'],
    ['born', '(personal data)'],
  ];
  for (const id of ['ChangeLogTable', 'ChangeLogTextsTable', 'SnapshotsTable'])
    expect(commentsOf(id)).toEqual(comments);
  for (const id of ['LatestView', 'LatestFromHistoryView', 'DatasourceView']) {
    expect(made(described)[id]).toEqual(made(plain)[id]);
  }
  expect(encodingOf(described)).toEqual(encodingOf(plain));
});

describe('the snapshots in Glue', () => {
  const { TableInput: table } = properties<Table>('SnapshotsTable');

  it('have what tells a change, and every column of the views, as Parquet that is read by name', () => {
    expect(table.StorageDescriptor.Columns.map((it) => `${it.Name} ${it.Type}`)).toEqual([
      'sequence_number string',
      'event_name string',
      'event_time string',
      'dt string',
      'order_id string',
      'unit-price double',
      'quantity bigint',
      'giftwrapped tinyint',
      'note string',
      'size string',
      'channel string',
      'internal_score double',
      'returned tinyint',
      'discount double',
      '_labeled_day string',
    ]);
  });

  it('are found by the name that a query gives, whatever definition they are of', () => {
    expect(table.PartitionKeys).toEqual(['snapshot', 'snapshot_part'].map((Name) => ({ Name, Type: 'string' })));
    expect(table.Parameters).toMatchObject({
      'projection.enabled': 'true',
      'projection.snapshot.type': 'injected',
      'projection.snapshot_part.type': 'enum',
      'projection.snapshot_part.values': 'labeled,rest',
    });
    const template = JSON.stringify(table.Parameters['storage.location.template']);
    expect(template).toMatch(/"\/snapshots\/"[^"]*"\$","\{snapshot\}\/snapshot_part="[^"]*"\$","\{snapshot_part\}\/"/);
  });

  it('do not expire by age, as a view may read one for long, and remember deletions as long as a redrive brings older rows', () => {
    const { LifecycleConfiguration: lifecycle } = properties<{
      LifecycleConfiguration: { Rules: { Prefix?: string; ExpirationInDays?: number }[] };
    }>('DataBucket');
    for (const kept of ['snapshots/', 'change-log/']) {
      expect(lifecycle.Rules.some(({ Prefix }) => Prefix === kept)).toBe(false);
    }
    expect(LATENESS_DAYS_MAX).toBeGreaterThan(QUARANTINE_DAYS + 2);
  });
});

describe('names', () => {
  it('keep to the limits of Lambda and SageMaker for the longest feature group, and stay apart', () => {
    const long = 'a'.repeat(63);
    const [first, second] = ['b', 'c'].map((end) => namesOf({ ...orders, name: `${long}${end}` }, 'staging'));
    expect(`${first?.stack}-retrain`.length).toBeLessThanOrEqual(64);
    expect(first?.endpoint.length).toBeLessThanOrEqual(40);
    expect(first?.endpoint).not.toBe(second?.endpoint);
    expect(first?.stack).not.toBe(second?.stack);
  });

  it('have no underscore or upper case where SageMaker and CloudFormation take none', () => {
    expect(namesOf(orders, 'prod')).toMatchObject({
      stack: 'tributary-orders-v2-prod',
      endpoint: 'tributary-orders-v2-prod',
      glueDatabase: 'tributary_orders_v2_prod',
    });
  });
});

describe('permissions', () => {
  interface Statement {
    Effect: string;
    Action: string[];
    Resource: unknown;
  }
  const roles = Object.entries(resources).filter(([, resource]) => resource.Type === 'AWS::IAM::Role');
  const statementsOf = (resource: Resource) =>
    (resource.Properties.Policies as { PolicyDocument: { Statement: Statement[] } }[]).flatMap(
      (policy) => policy.PolicyDocument.Statement,
    );

  it.each(roles)('of %s name their actions, and their resources wherever a resource can be named', (_, resource) => {
    const withoutResource =
      /^(cloudwatch:(PutMetricData|DescribeAlarms|GetMetricStatistics)|ecr:GetAuthorizationToken|lakeformation:GetDataAccess|sagemaker:List(Models|EndpointConfigs|Endpoints)|application-autoscaling:Describe(ScalableTargets|ScalingPolicies)|xray:.*)$/;
    for (const { Action, Resource } of statementsOf(resource)) {
      expect(Action.filter((action) => action.includes('*'))).toEqual([]);
      if (Resource === '*') expect(Action).toEqual(Action.map(() => expect.stringMatching(withoutResource)));
    }
  });

  it('to pass a role are given for the training role only', () => {
    const passing = roles.flatMap(([name, resource]) =>
      statementsOf(resource)
        .filter((it) => it.Action.includes('iam:PassRole'))
        .map((it) => [name, it.Resource]),
    );
    expect(passing).toEqual([['RetrainingStateMachineRole', [{ 'Fn::GetAtt': ['TrainingRole', 'Arn'] }]]]);
  });
});

describe('the buckets', () => {
  it.each(['DataBucket', 'QuarantineBucket'])(
    '%s is private, encrypted, reached by TLS only, and outlives the stack',
    (logicalId) => {
      expect(resources[logicalId]).toMatchObject({
        DeletionPolicy: 'RetainExceptOnCreate',
        UpdateReplacePolicy: 'Retain',
      });
      expect(properties(logicalId)).toMatchObject({
        BucketEncryption: expect.anything(),
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      });
      expect(properties(`${logicalId}Policy`)).toMatchObject({
        PolicyDocument: { Statement: [{ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': false } } }] },
      });
    },
  );
});

describe('the resource functions', () => {
  it('know nothing of the example: no column or name of it is in their files', () => {
    const columns = columnsOf(bankMarketing)
      .map((it) => it.name)
      .filter((name) => name.length > 8);
    const words = [...columns, 'customer_id', 'telephone', 'bank', 'marketing'];
    const files = readdirSync('infra/aws', { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(30);
    for (const { parentPath, name } of files) {
      const text = readFileSync(join(parentPath, name), 'utf8').toLowerCase();
      expect(
        words.filter((word) => text.includes(word)),
        name,
      ).toEqual([]);
    }
  });

  it('give every definition the same logical ids, so that one serverless.yml refers to them all', () => {
    const bank = resourcesOf(bankMarketing, namesOf(bankMarketing, 'prod'), STACK_OPTIONS);
    expect(Object.keys(bank.resources.Resources)).toEqual(Object.keys(resources));
  });
});
