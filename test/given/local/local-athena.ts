import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  GetQueryExecutionOutput,
  GetQueryResultsOutput,
  GetQueryRuntimeStatisticsOutput,
} from '@aws-sdk/client-athena';
import { glueDatabase } from '../../../infra/aws/data/glue.ts';
import { athena } from '../../../infra/local/athena/athena.ts';
import { GlueCatalog, type TableInput } from '../../../infra/local/athena/catalog.ts';
import { evaluate } from '../../../infra/local/stack/intrinsics.ts';
import { ObjectStore } from '../../../infra/local/storage/object-store.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';

export const BUCKET = 'data';

const POLL_MS = 2;

/** What a query read. */
export interface Scanned {
  readonly rows: number;
  readonly bytes: number;
}

/** The local Athena over an empty bucket, with the Glue tables of definitions, as their stacks make them. */
export async function localAthena() {
  const dir = await mkdtemp(join(tmpdir(), 'tributary-athena-'));
  const objects = new ObjectStore(join(dir, 's3'));
  await objects.createBucket(BUCKET);
  const catalog = new GlueCatalog();
  const local = athena({ objects, catalog, dir });
  const operations = local.service.operations as unknown as Record<string, (input: object) => Promise<unknown>>;
  const call = async <Output>(operation: string, input: object) => (await operations[operation]?.(input)) as Output;

  async function ended(id: string): Promise<GetQueryExecutionOutput> {
    for (;;) {
      const found = await call<GetQueryExecutionOutput>('GetQueryExecution', { QueryExecutionId: id });
      const state = found.QueryExecution?.Status?.State;
      if (state !== 'QUEUED' && state !== 'RUNNING') return found;
      await sleep(POLL_MS);
    }
  }

  async function succeeded(query: string): Promise<string> {
    const { QueryExecutionId = '' } = await call<{ QueryExecutionId?: string }>('StartQueryExecution', {
      QueryString: query,
      ResultConfiguration: { OutputLocation: `s3://${BUCKET}/athena-results/` },
    });
    const { QueryExecution } = await ended(QueryExecutionId);
    if (QueryExecution?.Status?.State !== 'SUCCEEDED') throw new Error(QueryExecution?.Status?.StateChangeReason);
    return QueryExecutionId;
  }

  /** The rows of a query's answer, below the names of its columns. */
  async function answerOf(query: string): Promise<(string | undefined)[][]> {
    const QueryExecutionId = await succeeded(query);
    const { ResultSet } = await call<GetQueryResultsOutput>('GetQueryResults', { QueryExecutionId });
    return (ResultSet?.Rows ?? []).map(({ Data = [] }) => Data.map((it) => it.VarCharValue));
  }

  return {
    objects,

    /** Takes every object out of the bucket. */
    async empty(): Promise<void> {
      await rm(join(objects.root, BUCKET), { recursive: true });
      await objects.createBucket(BUCKET);
    },

    createTables(group: FeatureGroup, database: string): void {
      const physicals = new Map(
        Object.entries({ DataBucket: BUCKET, GlueDatabase: database }).map(([id, ref]) => [
          id,
          { ref, attributes: {} },
        ]),
      );
      for (const { Type, Properties } of Object.values(glueDatabase(group, database))) {
        if (Type !== 'AWS::Glue::Table') continue;
        const { TableInput } = evaluate(Properties, physicals, 'stack', 'table') as { TableInput: TableInput };
        catalog.registerTable(database, TableInput);
      }
    },

    /** Runs a query. @throws Error with Athena's reason when it fails. */
    async run(query: string): Promise<Scanned> {
      const QueryExecutionId = await succeeded(query);
      const { QueryRuntimeStatistics } = await call<GetQueryRuntimeStatisticsOutput>('GetQueryRuntimeStatistics', {
        QueryExecutionId,
      });
      const { InputRows = 0, InputBytes = 0 } = QueryRuntimeStatistics?.Rows ?? {};
      return { rows: InputRows, bytes: InputBytes };
    },

    /** Runs a query, and gives the first row of its answer by column. @throws as {@link run}. */
    async firstRow(query: string): Promise<Record<string, string | undefined>> {
      const [names = [], row = []] = await answerOf(query);
      return Object.fromEntries(names.map((name, index) => [name, row[index]]));
    },

    /** Runs a query, and gives the rows of its answer, at most 999. @throws as {@link run}. */
    async rows(query: string): Promise<(string | undefined)[][]> {
      return (await answerOf(query)).slice(1);
    },

    /** All bytes under a location, file after file. */
    async read(uri: string): Promise<string> {
      const prefix = uri.replace(`s3://${BUCKET}/`, '');
      const files = await objects.list(BUCKET, prefix);
      return (await Promise.all(files.map(({ key }) => objects.get(BUCKET, key)))).map(String).join('');
    },

    async close(): Promise<void> {
      await local.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
