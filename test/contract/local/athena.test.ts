import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  GetQueryRuntimeStatisticsCommand,
  ListNamedQueriesCommand,
  StartQueryExecutionCommand,
  type StartQueryExecutionCommandInput,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { athena } from '../../../infra/local/athena/athena.ts';
import { GlueCatalog, type TableInput } from '../../../infra/local/athena/catalog.ts';
import { ObjectStore } from '../../../infra/local/storage/object-store.ts';
import { served } from '../../given/served.ts';

const POLL_MS = 10;
const SERDE = 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe';

const changeLog: TableInput = {
  Name: 'change_log',
  TableType: 'EXTERNAL_TABLE',
  PartitionKeys: [{ Name: 'dt', Type: 'string' }],
  Parameters: {
    'projection.enabled': 'true',
    // A template of Athena's, not of JavaScript.
    'storage.location.template': `s3://data/change-log/dt=$\{dt}/`,
  },
  StorageDescriptor: {
    Columns: [
      { Name: 'sequence_number', Type: 'string' },
      { Name: 'id', Type: 'string' },
      { Name: 'count', Type: 'bigint' },
      { Name: 'rate', Type: 'double' },
      { Name: 'flag', Type: 'tinyint' },
      { Name: 'default', Type: 'string' },
      { Name: 'removed', Type: 'boolean' },
    ],
    Location: 's3://data/change-log/',
    SerdeInfo: {
      SerializationLibrary: SERDE,
      Parameters: { 'field.delim': ',', 'escape.delim': '\\', 'serialization.null.format': '\\N' },
    },
  },
};

/** Another place for a table like the change log. */
const within = (folder: string) => ({
  Parameters: {
    'projection.enabled': 'true',
    'storage.location.template': `s3://data/${folder}/dt=$\{dt}/`,
  },
  StorageDescriptor: { ...changeLog.StorageDescriptor, Location: `s3://data/${folder}/` },
});

const catalog = new GlueCatalog();
const db = new DatabaseSync(':memory:');
let dir: string;
let objects: ObjectStore;
let local: ReturnType<typeof athena>;
let cloud: Awaited<ReturnType<typeof served>>;
let client: AthenaClient;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-athena-'));
  objects = new ObjectStore(join(dir, 's3'));
  await objects.createBucket('data');
  local = athena({ objects, catalog, dir, db });
  local.createWorkGroup({
    Name: 'tributary',
    WorkGroupConfiguration: { ResultConfiguration: { OutputLocation: 's3://data/athena-results/' } },
  });
  // A view may be described before what it reads.
  catalog.registerView('Shop', 'totals', 'SELECT id, count FROM latest');
  const sql = Buffer.from(
    JSON.stringify({
      originalSql: `SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY lpad(sequence_number, 40, '0') DESC) AS _n
        FROM "shop"."change_log") WHERE _n = 1 AND NOT removed`,
    }),
  ).toString('base64');
  catalog.registerTable('shop', {
    Name: 'latest',
    TableType: 'VIRTUAL_VIEW',
    ViewOriginalText: `/* Presto View: ${sql} */`,
  });
  catalog.registerTable('shop', changeLog);
  await objects.put('data', 'change-log/dt=2026-01-01/1', `${rows}\n`);
  cloud = await served([local.service]);
  client = new AthenaClient(cloud.client);
});
afterAll(async () => {
  await cloud.close();
  await rm(dir, { recursive: true });
});

const rows = [
  '9,a,9223372036854775807,1.0,1,x\\,y,false',
  '10,a,-5,\\N,0,\\\\N,false',
  '11,b,7,1e7,\\N,,false',
  '12,c,1,0.5,1,z,false',
  '13,c,\\N,\\N,\\N,\\N,true',
].join('\n');

async function start(sql: string, more: Partial<StartQueryExecutionCommandInput> = {}): Promise<string> {
  const { QueryExecutionId } = await client.send(
    new StartQueryExecutionCommand({
      QueryString: sql,
      QueryExecutionContext: { Database: 'shop' },
      WorkGroup: 'tributary',
      ...more,
    }),
  );
  return QueryExecutionId ?? '';
}

async function finished(QueryExecutionId: string) {
  for (;;) {
    const { QueryExecution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId }));
    const state = QueryExecution?.Status?.State;
    if (state !== 'QUEUED' && state !== 'RUNNING') return QueryExecution;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** All rows of a query, header first; null is null. */
async function query(sql: string, more: Partial<StartQueryExecutionCommandInput> = {}) {
  const QueryExecutionId = await start(sql, more);
  const execution = await finished(QueryExecutionId);
  expect(execution?.Status?.StateChangeReason).toBeUndefined();
  const { ResultSet } = await client.send(new GetQueryResultsCommand({ QueryExecutionId }));
  return ResultSet?.Rows?.map((row) => row.Data?.map((datum) => datum.VarCharValue ?? null));
}

/** What a query read, by both of the operations that say it. */
async function scanned(sql: string) {
  const QueryExecutionId = await start(sql);
  const bytes = (await finished(QueryExecutionId))?.Statistics?.DataScannedInBytes;
  const { QueryRuntimeStatistics } = await client.send(new GetQueryRuntimeStatisticsCommand({ QueryExecutionId }));
  expect(QueryRuntimeStatistics?.Rows?.InputBytes).toBe(bytes);
  return { rows: QueryRuntimeStatistics?.Rows?.InputRows, bytes };
}

async function failure(sql: string): Promise<string | undefined> {
  const execution = await finished(await start(sql));
  expect(execution?.Status?.State).toBe('FAILED');
  return execution?.Status?.StateChangeReason;
}

describe('partitions', () => {
  test('that no condition allows are not read, nor what no query has asked for', async () => {
    const [old, recent] = ['1,old\n2,old\n', '3,recent\n'];
    catalog.registerTable('shop', { ...changeLog, Name: 'days', ...within('days') });
    await objects.put('data', 'days/dt=2026-01-01/1', old);
    await objects.put('data', 'days/dt=2026-02-01/1', recent);
    const ids = (where: string) => query(`SELECT id FROM days ${where} ORDER BY sequence_number`);
    expect(await ids("WHERE dt >= '2026-02-01'")).toEqual([['id'], ['recent']]);
    expect(await scanned("SELECT id FROM days WHERE dt >= '2026-02-01'")).toEqual({ rows: 1, bytes: recent.length });
    expect(await ids('')).toEqual([['id'], ['old'], ['old'], ['recent']]);
    expect(await scanned('SELECT id FROM days')).toEqual({ rows: 3, bytes: old.length + recent.length });
    expect(await scanned("SELECT id FROM days UNION ALL SELECT id FROM days WHERE dt = '2026-02-01'")).toMatchObject({
      rows: 4,
    });
  });

  test('of an injected key are read by their name, which every query must give', async () => {
    const projection = { 'projection.dt.type': 'injected', ...changeLog.Parameters, ...within('named').Parameters };
    catalog.registerTable('shop', { ...changeLog, Name: 'named', ...within('named'), Parameters: projection });
    await objects.put('data', 'named/dt=a,b/1', '1,x\n');
    expect(await query("SELECT id, dt FROM named WHERE dt = 'a,b'")).toEqual([
      ['id', 'dt'],
      ['x', 'a,b'],
    ]);
    expect(await query("SELECT id FROM named WHERE dt = 'c'")).toEqual([['id']]);
    expect(await failure('SELECT id FROM named')).toMatch(
      /^CONSTRAINT_VIOLATION: For the injected projected partition/,
    );
  });
});

describe('queries', () => {
  test('answer a header, then rows; integers are exact, doubles as Java writes them, null is no value', async () => {
    expect(
      await query('SELECT id, "count", rate, flag, default, removed, dt FROM change_log ORDER BY sequence_number'),
    ).toEqual([
      ['id', 'count', 'rate', 'flag', 'default', 'removed', 'dt'],
      ['a', '-5', null, '0', '\\N', 'false', '2026-01-01'],
      ['b', '7', '1.0E7', null, '', 'false', '2026-01-01'],
      ['c', '1', '0.5', '1', 'z', 'false', '2026-01-01'],
      ['c', null, null, null, null, 'true', '2026-01-01'],
      ['a', '9223372036854775807', '1.0', '1', 'x,y', 'false', '2026-01-01'],
    ]);
  });

  test('read views, whose unqualified names are of their own database', async () => {
    expect(await query('SELECT * FROM Totals ORDER BY id')).toEqual([
      ['id', 'count'],
      ['a', '-5'],
      ['b', '7'],
    ]);
    const elsewhere = { QueryExecutionContext: { Database: 'default' } };
    expect(await query('SELECT count(*) AS N FROM awsdatacatalog."shop"."totals"', elsewhere)).toEqual([['n'], ['2']]);
  });

  test('see objects as they come, go, and are compressed', async () => {
    const count = async () => (await query(`SELECT count(*) AS n FROM change_log WHERE dt = '2026-01-02'`))?.[1]?.[0];
    expect(await count()).toBe('0');
    await objects.put('data', 'change-log/dt=2026-01-02/2', `${rows}\n`);
    await objects.put('data', 'change-log/dt=2026-01-02/3.gz', gzipSync(`${rows}\n`));
    await objects.put('data', 'change-log/dt=2026-01-02/_not_data', `${rows}\n`);
    expect(await count()).toBe('10');
    await objects.delete('data', 'change-log/dt=2026-01-02/2');
    expect(await count()).toBe('5');
    await objects.put('data', 'change-log/dt=2026-01-02/3.gz', gzipSync('1,a\n'));
    expect(await count()).toBe('1');
    await objects.delete('data', 'change-log/dt=2026-01-02/3.gz');
  });

  test('follow Trino where DuckDB differs', async () => {
    const sql = `SELECT 7 / 2, to_hex(md5(to_utf8('a'))) AS h, from_base('ffff', 16) % 100 AS b, sum(x) AS s, corr(x, y) AS c
      FROM (VALUES (1, 2), (2, 4), (3, 7)) AS t (x, y)`;
    expect(await query(sql)).toEqual([
      ['_col0', 'h', 'b', 's', 'c'],
      ['3', '0CC175B9C0F1B6A831C399E269772661', '35', '6', expect.stringMatching(/^0\.99/)],
    ]);
    expect(await query('SELECT x FROM (VALUES (2), (NULL), (1)) t (x) ORDER BY x DESC')).toEqual([
      ['x'],
      ['2'],
      ['1'],
      [null],
    ]);
  });

  test('leave their result as CSV at the output location', async () => {
    const execution = await finished(await start(`SELECT 'a"b,c' AS x, NULL AS y, '' AS z`));
    const location = execution?.ResultConfiguration?.OutputLocation ?? '';
    expect(location).toBe(`s3://data/athena-results/${execution?.QueryExecutionId}.csv`);
    expect(await readFile(join(dir, 's3', location.slice('s3://'.length)), 'utf8')).toBe('"x","y","z"\n"a""b,c",,""\n');
  });

  test('are read in pages, the header on the first', async () => {
    const QueryExecutionId = await start('SELECT x FROM (VALUES (1), (2), (3)) t (x) ORDER BY x');
    await finished(QueryExecutionId);
    const first = await client.send(new GetQueryResultsCommand({ QueryExecutionId, MaxResults: 2 }));
    expect(first.ResultSet?.Rows).toEqual([{ Data: [{ VarCharValue: 'x' }] }, { Data: [{ VarCharValue: '1' }] }]);
    expect(first.ResultSet?.ResultSetMetadata?.ColumnInfo).toMatchObject([{ Name: 'x', Type: 'integer' }]);
    const next = await client.send(new GetQueryResultsCommand({ QueryExecutionId, NextToken: first.NextToken }));
    expect(next.ResultSet?.Rows).toEqual([{ Data: [{ VarCharValue: '2' }] }, { Data: [{ VarCharValue: '3' }] }]);
    expect(next.NextToken).toBeUndefined();
  });

  test('may be started all at once', async () => {
    const ids = await Promise.all(
      Array.from({ length: 10 }, (_, n) => start(`SELECT ${n} AS n, count(*) AS c FROM change_log`)),
    );
    for (const id of ids) expect((await finished(id))?.Status?.State).toBe('SUCCEEDED');
  });
});

describe('failures', () => {
  test('say in the execution what is wrong', async () => {
    expect(await failure('SELECT * FROM nowhere')).toMatch(/^TABLE_NOT_FOUND: .*nowhere/);
    expect(await failure('SELECT nothing FROM change_log')).toBe(
      "COLUMN_NOT_FOUND: line 1:8: Column 'nothing' cannot be resolved",
    );
    expect(await failure('SELECT skewness(rate) FROM change_log')).toMatch(
      /^NOT_SUPPORTED: line 1:8: The local Athena does not run the function skewness/,
    );
    expect(await failure(`SELECT CAST(id AS bigint) FROM change_log`)).toMatch(/^INVALID_CAST_ARGUMENT: /);
    expect(await failure(`SELECT * FROM '/etc/passwd'`)).toMatch(/^SYNTAX_ERROR: line 1:15: /);
    expect(await failure('SELECT sum("count") FROM (SELECT "count" FROM change_log UNION ALL SELECT 100)')).toMatch(
      /^NUMERIC_VALUE_OUT_OF_RANGE: /,
    );
  });

  test('have no results', async () => {
    const QueryExecutionId = await start('SELECT * FROM nowhere');
    await finished(QueryExecutionId);
    await expect(client.send(new GetQueryResultsCommand({ QueryExecutionId }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
  });

  test('of the request itself are refused at once', async () => {
    await expect(start('SELECT 1', { WorkGroup: 'none' })).rejects.toThrow('WorkGroup none is not found');
    await expect(start('SELECT 1', { WorkGroup: 'primary' })).rejects.toThrow('No output location provided');
    await expect(finished('none')).rejects.toMatchObject({ name: 'InvalidRequestException' });
    await expect(client.send(new ListNamedQueriesCommand({}))).rejects.toMatchObject({
      name: 'NotImplementedException',
    });
  });
});

describe('starting', () => {
  test('with the same token and query gives the same execution, with another query an error', async () => {
    const ClientRequestToken = 'token'.padEnd(32, '-');
    const id = await start('SELECT 1', { ClientRequestToken });
    expect(await start('SELECT 1', { ClientRequestToken })).toBe(id);
    await expect(start('SELECT 2', { ClientRequestToken })).rejects.toThrow('Idempotent parameters do not match');
  });

  test('may be undone: a query that was stopped is cancelled', async () => {
    const big =
      'SELECT count(*) AS n FROM change_log a, change_log b, change_log c, change_log d, change_log e, change_log f';
    const running = await start(
      `${big}, change_log g, change_log h, change_log i, change_log j, change_log k, change_log l`,
    );
    const queued = await start('SELECT 1');
    for (const QueryExecutionId of [queued, running])
      await client.send(new StopQueryExecutionCommand({ QueryExecutionId }));
    expect((await finished(queued))?.Status?.State).toBe('CANCELLED');
    expect((await finished(running))?.Status?.State).toBe('CANCELLED');
    expect(await query('SELECT 1 AS one')).toEqual([['one'], ['1']]);
  });

  test('is remembered after a restart', async () => {
    const id = await start('SELECT 1');
    await finished(id);
    const again = athena({ objects, catalog, db });
    const { GetQueryExecution } = again.service.operations ?? {};
    expect(GetQueryExecution?.({ QueryExecutionId: id } as never, undefined)).toMatchObject({
      QueryExecution: { QueryExecutionId: id, Status: { State: 'SUCCEEDED' } },
    });
  });
});

describe('UNLOAD', () => {
  const unload = (sql: string, prefix: string, more = `, compression = 'NONE'`) =>
    `UNLOAD (${sql}) TO 's3://data/${prefix}' WITH (format = 'TEXTFILE', field_delimiter = ','${more})`;
  const contents = async (prefix: string) => {
    const files = await objects.list('data', prefix);
    return Promise.all(files.map((file) => objects.get('data', file.key)));
  };

  test('writes text without header or quotes, null as \\N', async () => {
    await query(unload(`SELECT flag, rate, id FROM change_log WHERE id = 'a' ORDER BY sequence_number`, 'sets/1/'));
    expect((await contents('sets/1/')).join('')).toBe('0,\\N,a\n1,1.0,a\n');
  });

  test('writes several files when there are many rows', async () => {
    const many = Array.from({ length: 5 }, (_, i) => `(SELECT DISTINCT sequence_number FROM change_log) AS t${i}`).join(
      ', ',
    );
    const twenty = `(VALUES ${Array.from({ length: 20 }, (_, i) => `(${i})`).join(', ')}) AS v (n)`;
    await query(unload(`SELECT v.n FROM ${many}, ${twenty}`, 'sets/many/'));
    const files = await contents('sets/many/');
    expect(files.length).toBeGreaterThan(1);
    expect(files.join('').split('\n').length - 1).toBe(5 ** 5 * 20);
  });

  test('writes the last columns as folders, if it is partitioned by them', async () => {
    const by = (columns: string) => `, compression = 'NONE', partitioned_by = ARRAY[${columns}]`;
    const rows = "SELECT n, lpad('', n, 'x') AS x, CASE WHEN n % 2 = 0 THEN 'even' ELSE 'odd' END AS part";
    const from = 'FROM (VALUES (3), (1), (2), (4)) AS v (n) ORDER BY n';
    await query(unload(`${rows} ${from}`, 'sets/parts/', by("'part'")));
    expect((await contents('sets/parts/part=odd/')).join('')).toBe('1,x\n3,xxx\n');
    expect((await contents('sets/parts/part=even/')).join('')).toBe('2,xx\n4,xxxx\n');
    expect(await contents('sets/parts/')).toHaveLength(2);
    expect(await failure(unload(`${rows} ${from}`, 'sets/not-last/', by("'x'")))).toMatch(/must be the last columns/);
  });

  test('compresses unless it is told not to', async () => {
    await query(unload('SELECT 1 AS n', 'sets/gz/', ''));
    const [file] = await contents('sets/gz/');
    expect(file && gunzipSync(file).toString()).toBe('1\n');
  });

  test('writes no file when there are no rows', async () => {
    await query(unload('SELECT id FROM change_log WHERE false', 'sets/empty/'));
    expect(await contents('sets/empty/')).toEqual([]);
  });

  test('refuses a target that is not empty', async () => {
    await query(unload('SELECT 1 AS n', 'sets/twice/'));
    expect(await failure(unload('SELECT 1 AS n', 'sets/twice'))).toMatch(/^HIVE_PATH_ALREADY_EXISTS: .*sets\/twice\//);
  });
});
