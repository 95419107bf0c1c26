import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  AthenaClient,
  BatchGetQueryExecutionCommand,
  GetDatabaseCommand,
  GetDataCatalogCommand,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  GetTableMetadataCommand,
  GetWorkGroupCommand,
  ListDatabasesCommand,
  ListDataCatalogsCommand,
  ListQueryExecutionsCommand,
  ListTableMetadataCommand,
  ListWorkGroupsCommand,
  StartQueryExecutionCommand,
  type StartQueryExecutionCommandInput,
} from '@aws-sdk/client-athena';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { athena } from '../../../../infra/local/athena/athena.ts';
import { GlueCatalog } from '../../../../infra/local/athena/catalog.ts';
import { glue } from '../../../../infra/local/athena/glue.ts';
import { KeptTables } from '../../../../infra/local/athena/tables/kept-tables.ts';
import { ObjectStore } from '../../../../infra/local/storage/object-store.ts';
import { served } from '../../../given/served.ts';

const POLL_MS = 5;

const db = new DatabaseSync(':memory:');
const catalog = new GlueCatalog(new KeptTables(db));
let dir: string;
let objects: ObjectStore;
let cloud: Awaited<ReturnType<typeof served>>;
let client: AthenaClient;
let close: () => Promise<void>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-athena-'));
  objects = new ObjectStore(join(dir, 's3'));
  await objects.createBucket('data');
  const local = athena({ objects, catalog, dir, db });
  local.createWorkGroup({
    Name: 'tributary',
    Description: 'of this test',
    WorkGroupConfiguration: { ResultConfiguration: { OutputLocation: 's3://data/results/' } },
  });
  catalog.registerTable('shop', {
    Name: 'log',
    PartitionKeys: [{ Name: 'dt', Type: 'string' }],
    Parameters: { 'projection.enabled': 'true' },
    StorageDescriptor: {
      Columns: [
        { Name: 'id', Type: 'string' },
        { Name: 'n', Type: 'bigint' },
      ],
      Location: 's3://data/log/',
      SerdeInfo: {
        SerializationLibrary: 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe',
        Parameters: { 'field.delim': ',' },
      },
    },
  });
  await objects.put('data', 'log/dt=2026-01-01/1', 'a,1\nb,2\n');
  await objects.put('data', 'log/dt=2026-01-02/2', 'c,3\n');
  cloud = await served([local.service, glue({ catalog, objects })]);
  client = new AthenaClient(cloud.client);
  close = () => local.close();
});
afterAll(async () => {
  await cloud.close();
  await close();
  await rm(dir, { recursive: true });
});

async function execute(sql: string, more: Partial<StartQueryExecutionCommandInput> = {}) {
  const { QueryExecutionId } = await client.send(
    new StartQueryExecutionCommand({
      ...{ QueryString: sql, QueryExecutionContext: { Database: 'shop' }, WorkGroup: 'tributary' },
      ...more,
    }),
  );
  for (;;) {
    const { QueryExecution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId }));
    const state = QueryExecution?.Status?.State;
    if (state !== 'QUEUED' && state !== 'RUNNING') return QueryExecution;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function rows(sql: string, more: Partial<StartQueryExecutionCommandInput> = {}) {
  const execution = await execute(sql, more);
  expect(execution?.Status?.StateChangeReason).toBeUndefined();
  const QueryExecutionId = execution?.QueryExecutionId;
  const { ResultSet } = await client.send(new GetQueryResultsCommand({ QueryExecutionId }));
  return ResultSet?.Rows?.map((row) => row.Data?.map((datum) => datum.VarCharValue ?? null));
}

const reason = async (sql: string) => (await execute(sql))?.Status?.StateChangeReason;

/** Glue speaks JSON, as Athena does. */
async function callGlue(operation: string, input: object): Promise<Record<string, unknown>> {
  const response = await fetch(cloud.client.endpoint, {
    method: 'POST',
    headers: { 'x-amz-target': `AWSGlue.${operation}`, 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify(input),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

describe('views', () => {
  test('are made, replaced, read and dropped', async () => {
    await rows('CREATE VIEW totals AS SELECT dt, sum(n) AS total FROM log GROUP BY dt');
    expect(await rows('SELECT total FROM totals ORDER BY dt')).toEqual([['total'], ['3'], ['3']]);
    expect(await reason('CREATE VIEW totals AS SELECT 1 AS a')).toMatch(/^TABLE_ALREADY_EXISTS: /);
    await rows('CREATE OR REPLACE VIEW totals AS SELECT max(n) AS most FROM log');
    expect(await rows('SELECT * FROM totals')).toEqual([['most'], ['3']]);
    expect((await execute('DROP VIEW totals'))?.StatementType).toBe('DDL');
    expect(await reason('SELECT * FROM totals')).toMatch(/^TABLE_NOT_FOUND: /);
    expect(await reason('DROP VIEW totals')).toMatch(/^TABLE_NOT_FOUND: /);
    await rows('DROP VIEW IF EXISTS totals');
  });

  test('that no query could read are refused', async () => {
    expect(await reason('CREATE VIEW bad AS SELECT nothing FROM log')).toMatch(/^COLUMN_NOT_FOUND: /);
    expect(await reason('CREATE VIEW bad AS SELECT 1')).toMatch(/^MISSING_COLUMN_NAME: /);
    catalog.registerView('shop', 'snake', 'SELECT * FROM snake');
    expect(await reason('SELECT * FROM snake')).toMatch(/^INVALID_VIEW: .*recursive/);
    catalog.remove('shop', 'snake');
  });

  test('are there after a restart, as tables are that statements made', async () => {
    await rows('CREATE VIEW kept AS SELECT 1 AS one');
    expect(new GlueCatalog(new KeptTables(db)).views.get('shop.kept')?.sql).toBe('SELECT 1 AS one');
    await rows('DROP VIEW kept');
    expect(new GlueCatalog(new KeptTables(db)).views.size).toBe(0);
  });
});

describe('CREATE TABLE AS', () => {
  test.each(['TEXTFILE', 'PARQUET'])('writes %s and makes a table of it', async (format) => {
    const name = `copy_${format.toLowerCase()}`;
    const execution =
      await execute(`CREATE TABLE ${name} WITH (format = '${format}', external_location = 's3://data/${name}/')
      AS SELECT id, n, n * 1e0 AS f, n = 1 AS is_one, CAST(NULL AS varchar) AS nothing FROM log`);
    expect(execution?.Status?.StateChangeReason).toBeUndefined();
    expect(execution).toMatchObject({ StatementType: 'DDL', SubstatementType: 'CREATE_TABLE_AS_SELECT' });
    expect(await rows(`SELECT * FROM ${name} ORDER BY n`)).toEqual([
      ['id', 'n', 'f', 'is_one', 'nothing'],
      ['a', '1', '1.0', 'true', null],
      ['b', '2', '2.0', 'false', null],
      ['c', '3', '3.0', 'false', null],
    ]);
    expect(await reason(`CREATE TABLE ${name} AS SELECT 1 AS a`)).toMatch(/^TABLE_ALREADY_EXISTS: /);
    await rows(`CREATE TABLE IF NOT EXISTS ${name} AS SELECT 1 AS a`);
    await rows(`DROP TABLE ${name}`);
    // Athena leaves the objects.
    expect((await objects.list('data', `${name}/`)).length).toBeGreaterThan(0);
    expect(
      await reason(`CREATE TABLE ${name} WITH (external_location = 's3://data/${name}/') AS SELECT 1 AS a`),
    ).toMatch(/^HIVE_PATH_ALREADY_EXISTS: /);
  });

  test('partitions by the last columns, which SHOW PARTITIONS and Glue list', async () => {
    await rows(
      "CREATE TABLE parts WITH (format = 'PARQUET', partitioned_by = ARRAY['day', 'odd']) AS SELECT n, dt AS day, n % 2 AS odd FROM log",
    );
    expect(await rows("SELECT n FROM parts WHERE day = '2026-01-01' AND odd = 0")).toEqual([['n'], ['2']]);
    expect((await rows('SHOW PARTITIONS parts'))?.flat().sort()).toEqual([
      'day=2026-01-01/odd=0',
      'day=2026-01-01/odd=1',
      'day=2026-01-02/odd=1',
    ]);
    const { Partitions } = await callGlue('GetPartitions', { DatabaseName: 'shop', TableName: 'parts' });
    expect(Partitions).toHaveLength(3);
    expect(await rows('SHOW PARTITIONS log')).toEqual([]);
    await rows('DROP TABLE parts');
  });

  test.each([
    ["WITH (format = 'ORC') AS SELECT 1 AS a", /^NOT_SUPPORTED: .*write TEXTFILE or PARQUET/],
    ["WITH (bucketed_by = ARRAY['a'], bucket_count = 2) AS SELECT 1 AS a", /^NOT_SUPPORTED: .*bucketed_by/],
    ['AS SELECT 1', /^MISSING_COLUMN_NAME: /],
    ['AS SELECT current_timestamp AS a', /^NOT_SUPPORTED: Unsupported Hive type/],
    ["WITH (partitioned_by = ARRAY['a']) AS SELECT 1 AS a, 2 AS b", /^HIVE_COLUMN_ORDER_MISMATCH: /],
    [
      "WITH (partitioned_by = ARRAY['p']) AS SELECT 1 AS a, x AS p FROM UNNEST(sequence(1, 101)) AS u (x)",
      /^HIVE_TOO_MANY_OPEN_PARTITIONS: /,
    ],
  ])('that cannot be is refused: %s', async (statement, message) => {
    expect(await reason(`CREATE TABLE refused ${statement}`)).toMatch(message);
    expect(catalog.tables.has('shop.refused')).toBe(false);
  });
});

describe('Parquet', () => {
  const table = (Name: string, Location: string, Columns: { Name: string; Type: string }[]) => ({
    Name,
    PartitionKeys: [{ Name: 'labeled', Type: 'string' }],
    Parameters: {
      'projection.enabled': 'true',
      'projection.labeled.type': 'enum',
      'projection.labeled.values': 'yes,no',
    },
    StorageDescriptor: {
      ...{ Columns, Location },
      SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
    },
  });
  const wide =
    "SELECT CAST(x AS varchar) AS id, x AS n, lpad('', 200, to_hex(md5(to_utf8(CAST(x AS varchar))))) AS big, CASE WHEN x % 4 = 0 THEN 'yes' ELSE 'no' END AS labeled FROM UNNEST(sequence(1, 1000)) AS u (x)";

  test('is written by UNLOAD, read by name, and counted by the columns that are read', async () => {
    await rows(
      `UNLOAD (${wide}) TO 's3://data/wide/' WITH (format = 'PARQUET', compression = 'SNAPPY', partitioned_by = ARRAY['labeled'])`,
    );
    const files = await objects.list('data', 'wide/');
    expect(files.map(({ key }) => key.split('/')[1])).toEqual(['labeled=no', 'labeled=yes']);
    // In another order, with a column that the files lack.
    catalog.registerTable(
      'shop',
      table('wide', 's3://data/wide/', [
        { Name: 'big', Type: 'string' },
        { Name: 'new', Type: 'bigint' },
        { Name: 'N', Type: 'bigint' },
        { Name: 'id', Type: 'string' },
      ]),
    );
    expect(
      await rows("SELECT id, n, length(big), new, labeled FROM wide WHERE labeled = 'yes' ORDER BY n LIMIT 1"),
    ).toEqual([
      ['id', 'n', '_col2', 'new', 'labeled'],
      ['4', '4', '200', null, 'yes'],
    ]);
    const bytes = async (sql: string) => (await execute(sql))?.Statistics?.DataScannedInBytes ?? -1;
    const [all, narrow, half, none] = [
      await bytes('SELECT * FROM wide'),
      await bytes('SELECT n FROM wide'),
      await bytes("SELECT n FROM wide WHERE labeled = 'yes'"),
      await bytes('SELECT count(*) FROM wide'),
    ];
    const size = files.reduce((sum, it) => sum + it.size, 0);
    expect(all).toBeLessThan(size);
    expect(all).toBeGreaterThan(10 * narrow);
    expect(half).toBeLessThan(narrow);
    expect(half).toBeGreaterThan(0);
    expect(none).toBe(0);
  });

  test('of another type than the table says is refused', async () => {
    catalog.registerTable('shop', table('wrong', 's3://data/wide/', [{ Name: 'big', Type: 'bigint' }]));
    expect(await reason('SELECT big FROM wrong')).toMatch(/^HIVE_BAD_DATA: Field big's type/);
  });

  test('keeps types: decimals, dates, timestamps, arrays', async () => {
    await rows(
      "CREATE TABLE typed WITH (format = 'PARQUET') AS SELECT 1.50 AS d, DATE '2026-01-02' AS day, TIMESTAMP '2026-01-02 03:04:05.678' AS at, ARRAY[1, NULL] AS list, TINYINT '3' AS t, true AS b",
    );
    expect((await rows('SELECT *, typeof(d), typeof(list) FROM typed'))?.[1]).toEqual([
      ...['1.50', '2026-01-02', '2026-01-02 03:04:05.678', '[1, null]', '3', 'true', 'decimal(3,2)', 'array(integer)'],
    ]);
    await rows('DROP TABLE typed');
  });
});

describe('queries of tools', () => {
  test('name the object of a row', async () => {
    expect(await rows(`SELECT id, "$path" FROM log WHERE dt = '2026-01-02'`)).toEqual([
      ['id', '$path'],
      ['c', 's3://data/log/dt=2026-01-02/2'],
    ]);
    expect((await rows('SELECT * FROM log LIMIT 1'))?.[0]).toEqual(['id', 'n', 'dt']);
  });

  test('have parameters, and may allow results to be reused', async () => {
    const ResultReuseConfiguration = { ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: 60 } };
    const found = await rows('SELECT id FROM log WHERE n = ? AND dt = ?', {
      ExecutionParameters: ['2', "'2026-01-01'"],
      ResultReuseConfiguration,
    });
    expect(found).toEqual([['id'], ['b']]);
    expect((await execute('SELECT ?', { ExecutionParameters: ['1', '2'] }))?.Status?.StateChangeReason).toMatch(
      /^INVALID_PARAMETER_USAGE: /,
    );
    const tooOld = { ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: 10_081 } };
    await expect(execute('SELECT 1', { ResultReuseConfiguration: tooOld })).rejects.toThrow('MaxAgeInMinutes');
  });

  test('of information_schema know types by Trino’s names, in lower case', async () => {
    expect(
      await rows(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'log' ORDER BY ordinal_position",
      ),
    ).toEqual([
      ['column_name', 'data_type'],
      ['id', 'varchar'],
      ['n', 'bigint'],
      ['dt', 'varchar'],
    ]);
    expect(await rows("SELECT table_type FROM information_schema.tables WHERE table_name = 'log'")).toEqual([
      ['table_type'],
      ['BASE TABLE'],
    ]);
  });

  test('show tables as text without a header', async () => {
    const execution = await execute('SHOW TABLES');
    expect(execution?.ResultConfiguration?.OutputLocation).toMatch(/\.txt$/);
    expect(execution).toMatchObject({ StatementType: 'UTILITY', SubstatementType: 'SHOW_TABLES' });
    expect((await rows('SHOW TABLES'))?.flat()).toContain('log');
    expect(await rows('DESCRIBE log')).toEqual([
      ['id                  \tstring              \t                    '],
      ['n                   \tbigint              \t                    '],
      ['dt                  \tstring              \t                    '],
      ['\t \t '],
      ['# Partition Information\t \t '],
      ['# col_name          \tdata_type           \tcomment             '],
      ['\t \t '],
      ['dt                  \tstring              \t                    '],
    ]);
  });
});

describe('calls of tools', () => {
  test('list workgroups and executions', async () => {
    const { WorkGroups } = await client.send(new ListWorkGroupsCommand({}));
    expect(WorkGroups?.map(({ Name }) => Name)).toEqual(['primary', 'tributary']);
    const { WorkGroup } = await client.send(new GetWorkGroupCommand({ WorkGroup: 'tributary' }));
    expect(WorkGroup).toMatchObject({
      Name: 'tributary',
      Description: 'of this test',
      Configuration: { ResultConfiguration: { OutputLocation: 's3://data/results/' } },
    });
    const last = (await execute('SELECT 1'))?.QueryExecutionId ?? '';
    const { QueryExecutionIds, NextToken } = await client.send(
      new ListQueryExecutionsCommand({ WorkGroup: 'tributary', MaxResults: 2 }),
    );
    expect(QueryExecutionIds?.[0]).toBe(last);
    expect(NextToken).toBe('2');
    const batch = await client.send(new BatchGetQueryExecutionCommand({ QueryExecutionIds: [last, 'none'] }));
    expect(batch.QueryExecutions?.map((it) => it.Status?.State)).toEqual(['SUCCEEDED']);
    expect(batch.UnprocessedQueryExecutionIds).toMatchObject([{ QueryExecutionId: 'none' }]);
  });

  test('list databases, tables and columns', async () => {
    const CatalogName = 'AwsDataCatalog';
    const { DataCatalogsSummary } = await client.send(new ListDataCatalogsCommand({}));
    expect(DataCatalogsSummary).toEqual([{ CatalogName, Type: 'GLUE' }]);
    await expect(client.send(new GetDataCatalogCommand({ Name: 'none' }))).rejects.toThrow('not found');
    expect((await client.send(new GetDataCatalogCommand({ Name: CatalogName }))).DataCatalog?.Name).toBe(CatalogName);
    const { DatabaseList } = await client.send(new ListDatabasesCommand({ CatalogName }));
    expect(DatabaseList?.map(({ Name }) => Name)).toEqual(['default', 'shop']);
    expect((await client.send(new GetDatabaseCommand({ CatalogName, DatabaseName: 'Shop' }))).Database?.Name).toBe(
      'shop',
    );
    const { TableMetadataList } = await client.send(
      new ListTableMetadataCommand({ CatalogName, DatabaseName: 'shop', Expression: 'l.*g|x' }),
    );
    expect(TableMetadataList?.map(({ Name }) => Name)).toEqual(['log']);
    const { TableMetadata } = await client.send(
      new GetTableMetadataCommand({ CatalogName, DatabaseName: 'shop', TableName: 'LOG' }),
    );
    expect(TableMetadata).toMatchObject({
      Name: 'log',
      Columns: [
        { Name: 'id', Type: 'string' },
        { Name: 'n', Type: 'bigint' },
      ],
      PartitionKeys: [{ Name: 'dt', Type: 'string' }],
      Parameters: { location: 's3://data/log/', 'serde.param.field.delim': ',' },
    });
    const missing = new GetTableMetadataCommand({ CatalogName, DatabaseName: 'shop', TableName: 'none' });
    await expect(client.send(missing)).rejects.toMatchObject({ name: 'MetadataException' });
  });

  test('of Glue describe the same tables', async () => {
    const { DatabaseList } = await callGlue('GetDatabases', {});
    expect(DatabaseList).toMatchObject([{ Name: 'default' }, { Name: 'shop' }]);
    expect(await callGlue('GetDatabase', { Name: 'shop' })).toMatchObject({ Database: { Name: 'shop' } });
    const { TableList } = await callGlue('GetTables', { DatabaseName: 'shop', Expression: 'log|none' });
    expect(TableList).toMatchObject([{ Name: 'log', DatabaseName: 'shop', PartitionKeys: [{ Name: 'dt' }] }]);
    expect(await callGlue('GetTable', { DatabaseName: 'shop', Name: 'log' })).toMatchObject({
      Table: { StorageDescriptor: { Location: 's3://data/log/', SerdeInfo: { Parameters: { 'field.delim': ',' } } } },
    });
    expect(await callGlue('GetTable', { DatabaseName: 'shop', Name: 'none' })).toMatchObject({
      status: 400,
      __type: 'EntityNotFoundException',
    });
  });
});
