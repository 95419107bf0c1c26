import { arn } from '../protocol/arn.ts';
import { AwsError } from '../protocol/aws-error.ts';
import { bucketArn, objectArn, sageMakerArn, tableArn } from './arns.ts';
import type { Facts, Row, Rows } from './permissions.ts';
import type { Permission } from './policy.ts';

/** What calls to the services that hold data need. */

const dynamodb = (operation: string, table: string | undefined): Permission => ({
  action: `dynamodb:${operation}`,
  resource: tableArn(table),
});

const onTable =
  (operation: string): Row =>
  ({ TableName, IndexName }: { TableName: string; IndexName?: string }) => {
    const { action, resource } = dynamodb(operation, TableName);
    return [{ action, resource: IndexName === undefined ? resource : `${resource}/index/${IndexName}` }];
  };

const onTables =
  (operation: string): Row =>
  ({ RequestItems }: { RequestItems: object }) =>
    Object.keys(RequestItems).map((table) => dynamodb(operation, table));

/** A transaction is checked as the single calls it is made of. */
const onEachOf: Row = ({ TransactItems }: { TransactItems: readonly Record<string, { TableName: string }>[] }) =>
  TransactItems.flatMap((item) =>
    Object.entries(item).map(([kind, { TableName }]) =>
      dynamodb(kind === 'ConditionCheck' ? 'ConditionCheckItem' : `${kind}Item`, TableName),
    ),
  );

const PARTIQL: Readonly<Record<string, string>> = {
  select: 'PartiQLSelect',
  insert: 'PartiQLInsert',
  update: 'PartiQLUpdate',
  delete: 'PartiQLDelete',
};

function statement({ Statement }: { Statement: string }): Permission {
  const action = PARTIQL[/^\s*(\w+)/.exec(Statement)?.[1]?.toLowerCase() ?? ''];
  const table = /\b(?:from|into|update)\s+"?([\w.-]+)/i.exec(Statement)?.[1];
  if (action && table) return dynamodb(action, table);
  throw new AwsError('ValidationException', 'Statement wasn’t well formed, can’t be processed');
}

/** DynamoDB writes an export with the rights of who asks for it. Source: "Requesting a table export in DynamoDB". */
const exportTable: Row = ({ TableArn, S3Bucket, S3Prefix = '' }: ExportInput) => [
  dynamodb('ExportTableToPointInTime', TableArn.split('/').at(-1)),
  ...['AbortMultipartUpload', 'PutObject', 'PutObjectAcl'].map((action) => ({
    action: `s3:${action}`,
    resource: objectArn(S3Bucket, `${S3Prefix === '' ? '' : `${S3Prefix}/`}AWSDynamoDB/export`),
  })),
];

interface ExportInput {
  readonly TableArn: string;
  readonly S3Bucket: string;
  readonly S3Prefix?: string;
}

/**
 * The stack knows a stream by the table's name: its label, the time it was enabled, is found in DescribeTable only.
 */
function stream(operation: string, text: string): Permission {
  const table = /table\/([\w.-]{3,255})\/stream\//.exec(text)?.[1];
  if (table === undefined) throw new AwsError('ValidationException', 'Invalid StreamArn or ShardIterator');
  return { action: `dynamodb:${operation}`, resource: `${tableArn(table)}/stream/LATEST` };
}

const featureGroup = (action: string, name: string): Permission => ({
  action: `sagemaker:${action}`,
  resource: sageMakerArn('feature-group', name.split(':feature-group/').pop()),
});

const onFeatureGroup =
  (action: string): Row =>
  ({ FeatureGroupName }: { FeatureGroupName: string }) => [featureGroup(action, FeatureGroupName)];

interface ObjectInput {
  readonly Bucket: string;
  readonly Key: string;
}

const onObject =
  (action: string): Row =>
  ({ Bucket, Key }: ObjectInput) => [{ action: `s3:${action}`, resource: objectArn(Bucket, Key) }];

/** Whether an object is there is told only to whoever may list the bucket. Source: GetObject, Permissions. */
const readObject: Row = async ({ Bucket, Key }: ObjectInput, facts) => [
  { action: 's3:GetObject', resource: objectArn(Bucket, Key) },
  ...((await facts.objectExists(Bucket, Key)) ? [] : [{ action: 's3:ListBucket', resource: bucketArn(Bucket) }]),
];

const listBucket: Row = ({ Bucket }: ObjectInput) => [{ action: 's3:ListBucket', resource: bucketArn(Bucket) }];

const onQuery =
  (action: string): Row =>
  async ({ QueryExecutionId }: { QueryExecutionId: string }, facts) => [
    { action: `athena:${action}`, resource: arn('athena', `workgroup/${await facts.workGroupOf(QueryExecutionId)}`) },
  ];

interface QueryInput {
  readonly QueryString: string;
  readonly WorkGroup?: string;
  readonly QueryExecutionContext?: { readonly Database?: string };
  readonly ResultConfiguration?: { readonly OutputLocation?: string };
}

/** Athena reads the catalog and the objects, and writes results, as who asks it to. Source: its access to data. */
function query(input: QueryInput, facts: Facts): Permission[] {
  const { QueryString, WorkGroup = 'primary', QueryExecutionContext, ResultConfiguration } = input;
  const database = (QueryExecutionContext?.Database ?? 'default').toLowerCase();
  const unloaded = /\bTO\s+'(s3:[^']+)'/i.exec(QueryString)?.[1];
  const written = [unloaded, ResultConfiguration?.OutputLocation].filter((it) => it !== undefined);
  const glue = (action: string, resources: readonly string[]) =>
    resources.map((resource) => ({ action: `glue:${action}`, resource: arn('glue', resource) }));
  return [
    { action: 'athena:StartQueryExecution', resource: arn('athena', `workgroup/${WorkGroup}`) },
    // The default database is mandatory. Source: Athena's guide, access to the catalog and database per region.
    ...glue('GetDatabase', ['catalog', `database/${database}`, 'database/default']),
    ...glue('CreateDatabase', ['catalog', 'database/default']),
    ...glue('GetTable', ['catalog', `database/${database}`, `table/${database}/*`]),
    ...facts.locationsOf(QueryString, database).flatMap((location) => under(location, ['s3:GetObject'])),
    ...written.flatMap((location) => under(location, ['s3:PutObject', 's3:AbortMultipartUpload'])),
  ];
}

/** Rights on the objects under a location, and to find them. */
function under(location: string, actions: readonly string[]): Permission[] {
  const { hostname, pathname } = new URL(location);
  const prefix = decodeURIComponent(pathname.slice(1)).replace(/\/?$/, '/');
  return [
    ...['s3:GetBucketLocation', 's3:ListBucket'].map((action) => ({ action, resource: bucketArn(hostname) })),
    ...actions.map((action) => ({ action, resource: objectArn(hostname, `${prefix}object`) })),
  ];
}

const TABLE_OPERATIONS = [
  ...['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'Scan', 'DescribeTable', 'DescribeTimeToLive'],
  'DescribeContinuousBackups',
];

export const dataPermissions: Rows = {
  dynamodb: {
    ...Object.fromEntries(TABLE_OPERATIONS.map((operation) => [operation, onTable(operation)])),
    BatchGetItem: onTables('BatchGetItem'),
    BatchWriteItem: onTables('BatchWriteItem'),
    TransactWriteItems: onEachOf,
    TransactGetItems: onEachOf,
    ExecuteStatement: (input: { Statement: string }) => [statement(input)],
    ExportTableToPointInTime: exportTable,
    DescribeExport: ({ ExportArn }: { ExportArn: string }) => [
      { action: 'dynamodb:DescribeExport', resource: ExportArn },
    ],
    BatchExecuteStatement: ({ Statements }: { Statements: readonly { Statement: string }[] }) =>
      Statements.map(statement),
  },
  dynamodbstreams: {
    DescribeStream: ({ StreamArn }: { StreamArn: string }) => [stream('DescribeStream', StreamArn)],
    GetShardIterator: ({ StreamArn }: { StreamArn: string }) => [stream('GetShardIterator', StreamArn)],
    // An iterator says in its text what stream it is of.
    GetRecords: ({ ShardIterator }: { ShardIterator: string }) => [stream('GetRecords', ShardIterator)],
  },
  s3: {
    GetObject: readObject,
    HeadObject: readObject,
    PutObject: onObject('PutObject'),
    DeleteObject: onObject('DeleteObject'),
    ListObjects: listBucket,
    ListObjectsV2: listBucket,
    HeadBucket: listBucket,
  },
  firehose: {
    PutRecordBatch: ({ DeliveryStreamName }: { DeliveryStreamName: string }) => [
      { action: 'firehose:PutRecordBatch', resource: arn('firehose', `deliverystream/${DeliveryStreamName}`) },
    ],
  },
  featurestore: {
    PutRecord: onFeatureGroup('PutRecord'),
    DeleteRecord: onFeatureGroup('DeleteRecord'),
    GetRecord: onFeatureGroup('GetRecord'),
    ListRecords: onFeatureGroup('ListRecords'),
    BatchGetRecord: ({ Identifiers = [] }: { Identifiers?: readonly { FeatureGroupName: string }[] }) =>
      Identifiers.map(({ FeatureGroupName }) => featureGroup('BatchGetRecord', FeatureGroupName)),
    // Checked as a batch write and as the puts it is made of.
    BatchWriteRecord: ({ Entries = [] }: { Entries?: readonly { FeatureGroupName: string }[] }) =>
      [...new Set(Entries.map((it) => it.FeatureGroupName))].flatMap((name) =>
        ['BatchWriteRecord', 'PutRecord'].map((action) => featureGroup(action, name)),
      ),
  },
  glue: {
    UpdateTable: ({ DatabaseName, TableInput }: { DatabaseName: string; TableInput: { Name: string } }) =>
      ['catalog', `database/${DatabaseName}`, `table/${DatabaseName}/${TableInput.Name}`].map((resource) => ({
        action: 'glue:UpdateTable',
        resource: arn('glue', resource),
      })),
  },
  athena: {
    StartQueryExecution: query,
    GetQueryExecution: onQuery('GetQueryExecution'),
    GetQueryResults: onQuery('GetQueryResults'),
    StopQueryExecution: onQuery('StopQueryExecution'),
  },
};
