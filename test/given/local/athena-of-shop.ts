import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  GetQueryRuntimeStatisticsCommand,
  StartQueryExecutionCommand,
  type StartQueryExecutionCommandInput,
} from '@aws-sdk/client-athena';
import { expect } from 'vitest';
import { athena } from '../../../infra/local/athena/athena.ts';
import { GlueCatalog, type TableInput } from '../../../infra/local/athena/catalog.ts';
import { ObjectStore } from '../../../infra/local/storage/object-store.ts';
import { served } from '../served.ts';

const POLL_MS = 10;
const SERDE = 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe';

export const changeLog: TableInput = {
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
export const within = (folder: string) => ({
  Parameters: {
    'projection.enabled': 'true',
    'storage.location.template': `s3://data/${folder}/dt=$\{dt}/`,
  },
  StorageDescriptor: { ...changeLog.StorageDescriptor, Location: `s3://data/${folder}/` },
});

/** Rows of the change log. */
export const rows = [
  '9,a,9223372036854775807,1.0,1,x\\,y,false',
  '10,a,-5,\\N,0,\\\\N,false',
  '11,b,7,1e7,\\N,,false',
  '12,c,1,0.5,1,z,false',
  '13,c,\\N,\\N,\\N,\\N,true',
].join('\n');

/** The local Athena over a shop's change log and views of it, and a client of it. */
export async function athenaOfShop() {
  const catalog = new GlueCatalog();
  const db = new DatabaseSync(':memory:');
  const dir = await mkdtemp(join(tmpdir(), 'tributary-athena-'));
  const objects = new ObjectStore(join(dir, 's3'));
  await objects.createBucket('data');
  const local = athena({ objects, catalog, dir, db });
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
  const cloud = await served([local.service]);
  const client = new AthenaClient(cloud.client);

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

  return {
    ...{ catalog, db, objects, start, finished, query, scanned, failure },
    send: ((command: never) => client.send(command)) as AthenaClient['send'],

    async close(): Promise<void> {
      await cloud.close();
      await rm(dir, { recursive: true });
    },
  };
}
