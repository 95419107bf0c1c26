import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type {
  GetQueryExecutionInput,
  GetQueryResultsInput,
  GetQueryResultsOutput,
  GetQueryRuntimeStatisticsInput,
  StartQueryExecutionInput,
  StopQueryExecutionInput,
} from '@aws-sdk/client-athena';
import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import type { Service } from '../protocol/service.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { type GlueCatalog, s3Location } from './catalog.ts';
import { describeExecution, type Execution, Executions, runtimeStatistics } from './executions.ts';
import { QueryQueue } from './query-queue.ts';
import { readCsv } from './results.ts';
import { type WorkGroupProperties, WorkGroups } from './work-groups.ts';

/** Source: StartQueryExecution, QueryString and ClientRequestToken. */
const QUERY_BYTES_MAX = 262_144;
const TOKEN_LENGTH_MIN = 32;
const TOKEN_LENGTH_MAX = 128;
/** Source: GetQueryResults, MaxResults. */
const RESULTS_MAX = 1_000;

export interface AthenaOptions {
  readonly objects: ObjectStore;
  readonly catalog: GlueCatalog;
  /** Folder for rows that do not fit in memory. */
  readonly dir?: string;
  /** Where the history of queries is kept. Without it a restart forgets them. */
  readonly db?: DatabaseSync;
}

/** Athena: Trino SQL, translated and run by DuckDB in process, one query after another. */
export function athena({ objects, catalog, dir, db = new DatabaseSync(':memory:') }: AthenaOptions) {
  const workGroups = new WorkGroups();
  const executions = new Executions(db);
  const queue = new QueryQueue({ objects, catalog, executions, dir });
  const service: Service = {
    name: 'athena',
    target: 'AmazonAthena',
    operations: {
      StartQueryExecution: async (input: StartQueryExecutionInput) => {
        const execution = executionOf(input, workGroups);
        const same = execution.token === undefined ? undefined : executions.byToken(execution.token);
        if (same) return { QueryExecutionId: idOfSame(same, execution) };
        const { bucket } = s3Location(execution.outputFolder);
        if (!(await objects.hasBucket(bucket))) {
          throw new AwsError('InvalidRequestException', `Unable to verify/create output bucket ${bucket}`);
        }
        executions.save(execution);
        queue.add(execution);
        return { QueryExecutionId: execution.id };
      },

      GetQueryExecution: ({ QueryExecutionId, ...rest }: GetQueryExecutionInput) => {
        refuseUnknown('athena', 'GetQueryExecution', rest, []);
        return { QueryExecution: describeExecution(executions.get(QueryExecutionId)) };
      },

      GetQueryRuntimeStatistics: ({ QueryExecutionId, ...rest }: GetQueryRuntimeStatisticsInput) => {
        refuseUnknown('athena', 'GetQueryRuntimeStatistics', rest, []);
        return { QueryRuntimeStatistics: runtimeStatistics(executions.get(QueryExecutionId)) };
      },

      GetQueryResults: (input: GetQueryResultsInput) => getQueryResults(objects, executions, input),

      StopQueryExecution: async ({ QueryExecutionId, ...rest }: StopQueryExecutionInput) => {
        refuseUnknown('athena', 'StopQueryExecution', rest, []);
        const execution = executions.get(QueryExecutionId);
        if (execution.state === 'QUEUED' || execution.state === 'RUNNING') await queue.cancel(execution);
        return {};
      },
    },
    close: () => queue.close(),
  };
  return {
    service,

    /** Adds or replaces a workgroup, from the properties of CloudFormation's AWS::Athena::WorkGroup. */
    createWorkGroup: (properties: WorkGroupProperties) => workGroups.create(properties),

    /** Interrupts what runs, and frees the engine. */
    close: () => queue.close(),
  };
}

function executionOf(input: StartQueryExecutionInput, workGroups: WorkGroups): Execution {
  const {
    QueryString: query,
    ClientRequestToken: token,
    QueryExecutionContext: context = {},
    WorkGroup,
    ...rest
  } = input;
  const { ResultConfiguration: result = {}, ...others } = rest;
  refuseUnknown('athena', 'StartQueryExecution', others, []);
  refuseUnknown('athena', 'StartQueryExecution', context, ['Database', 'Catalog']);
  refuseUnknown('athena', 'StartQueryExecution', result, ['OutputLocation']);
  if (typeof query !== 'string' || query === '' || Buffer.byteLength(query) > QUERY_BYTES_MAX) {
    throw new AwsError('InvalidRequestException', `QueryString must have 1 to ${QUERY_BYTES_MAX} bytes`);
  }
  if (token !== undefined && (token.length < TOKEN_LENGTH_MIN || token.length > TOKEN_LENGTH_MAX)) {
    throw new AwsError('InvalidRequestException', 'ClientRequestToken must have 32 to 128 characters');
  }
  if ((context.Catalog ?? 'AwsDataCatalog').toLowerCase() !== 'awsdatacatalog') {
    throw new AwsError('InvalidRequestException', `Catalog ${context.Catalog} does not exist`);
  }
  const workGroup = WorkGroup ?? 'primary';
  return {
    id: randomUUID(),
    token,
    query,
    database: (context.Database ?? 'default').toLowerCase(),
    workGroup,
    outputFolder: workGroups.outputFolder(workGroup, result.OutputLocation),
    kind: undefined,
    state: 'QUEUED',
    submittedMs: Date.now(),
  };
}

function idOfSame(stored: Execution, repeated: Execution): string {
  const parts = ['query', 'database', 'workGroup', 'outputFolder'] as const;
  if (parts.every((part) => stored[part] === repeated[part])) return stored.id;
  throw new AwsError('InvalidRequestException', 'Idempotent parameters do not match');
}

/** The first row of a SELECT's first page is its header. An UNLOAD has no rows: they are in its files. */
async function getQueryResults(
  objects: ObjectStore,
  executions: Executions,
  { QueryExecutionId, MaxResults = RESULTS_MAX, NextToken, ...rest }: GetQueryResultsInput,
): Promise<GetQueryResultsOutput> {
  refuseUnknown('athena', 'GetQueryResults', rest, []);
  const { id, state, columns = [], outputFolder, kind } = executions.get(QueryExecutionId);
  if (state === 'QUEUED' || state === 'RUNNING') {
    throw new AwsError('InvalidRequestException', `Query has not yet finished. Current state: ${state}`);
  }
  if (state !== 'SUCCEEDED') {
    throw new AwsError('InvalidRequestException', `Query did not finish successfully. Final query state: ${state}`);
  }
  if (!Number.isInteger(MaxResults) || MaxResults < 1 || MaxResults > RESULTS_MAX) {
    throw new AwsError('InvalidRequestException', `MaxResults must be 1 to ${RESULTS_MAX}`);
  }
  const rows = kind === 'unload' ? [] : await readCsv(objects, `${outputFolder}${id}.csv`);
  const start = Number(NextToken ?? 0);
  const end = start + MaxResults;
  const page = rows.slice(start, end).map((row) => ({
    Data: row.map((field) => (field === null ? {} : { VarCharValue: field })),
  }));
  return {
    UpdateCount: 0,
    ResultSet: { Rows: page, ResultSetMetadata: { ColumnInfo: [...columns] } },
    ...(end < rows.length && { NextToken: String(end) }),
  };
}
