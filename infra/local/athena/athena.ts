import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type {
  BatchGetQueryExecutionInput,
  GetQueryExecutionInput,
  GetQueryResultsInput,
  GetQueryResultsOutput,
  GetQueryRuntimeStatisticsInput,
  GetWorkGroupInput,
  ListQueryExecutionsInput,
  ListWorkGroupsInput,
  StartQueryExecutionInput,
  StopQueryExecutionInput,
} from '@aws-sdk/client-athena';
import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation, Service } from '../protocol/service.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { type GlueCatalog, s3Location } from './catalog.ts';
import { describeExecution, type Execution, Executions, outputLocation, runtimeStatistics } from './executions.ts';
import type { Field } from './lazy-simple-serde.ts';
import { metadataOperations } from './metadata.ts';
import { page } from './page.ts';
import { QueryQueue } from './query-queue.ts';
import { readCsv } from './results/results.ts';
import { type WorkGroupProperties, WorkGroups } from './work-groups.ts';

/** Source: StartQueryExecution, QueryString and ClientRequestToken. */
const QUERY_BYTES_MAX = 262_144;
const TOKEN_LENGTH_MIN = 32;
const TOKEN_LENGTH_MAX = 128;
/** Source: GetQueryResults, MaxResults. */
const RESULTS_MAX = 1_000;
/** Source: ListWorkGroups, ListQueryExecutions and BatchGetQueryExecution: at most 50. */
const PAGE_MAX = 50;
/** Source: ResultReuseByAgeConfiguration: a week. */
const REUSE_MINUTES_MAX = 10_080;

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
      ...metadataOperations(catalog),
      ...workGroupOperations(workGroups, executions),

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

function workGroupOperations(workGroups: WorkGroups, executions: Executions): Readonly<Record<string, Operation>> {
  return {
    ListWorkGroups: (input: ListWorkGroupsInput) => {
      refuseUnknown('athena', 'ListWorkGroups', input, ['MaxResults', 'NextToken']);
      const { items, next } = page(workGroups.names(), input, PAGE_MAX);
      return { WorkGroups: items.map((name) => workGroups.summary(name)), ...next };
    },

    GetWorkGroup: ({ WorkGroup, ...rest }: GetWorkGroupInput) => {
      refuseUnknown('athena', 'GetWorkGroup', rest, []);
      return { WorkGroup: workGroups.describe(WorkGroup) };
    },

    ListQueryExecutions: ({ WorkGroup = 'primary', ...rest }: ListQueryExecutionsInput) => {
      refuseUnknown('athena', 'ListQueryExecutions', rest, ['MaxResults', 'NextToken']);
      workGroups.describe(WorkGroup);
      const { items, next } = page(executions.ids(WorkGroup), rest, PAGE_MAX);
      return { QueryExecutionIds: items, ...next };
    },

    BatchGetQueryExecution: ({ QueryExecutionIds = [], ...rest }: BatchGetQueryExecutionInput) => {
      refuseUnknown('athena', 'BatchGetQueryExecution', rest, []);
      if (QueryExecutionIds.length < 1 || QueryExecutionIds.length > PAGE_MAX) {
        throw new AwsError('InvalidRequestException', `QueryExecutionIds must be 1 to ${PAGE_MAX}`);
      }
      const found = QueryExecutionIds.map((id) => ({ id, execution: executions.find(id) }));
      return {
        QueryExecutions: found.flatMap(({ execution }) => (execution ? [describeExecution(execution)] : [])),
        UnprocessedQueryExecutionIds: found
          .filter(({ execution }) => !execution)
          .map(({ id }) => ({
            QueryExecutionId: id,
            ErrorCode: 'INVALID_INPUT',
            ErrorMessage: `QueryExecution ${id} was not found`,
          })),
      };
    },
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
  const { ResultConfiguration: result = {}, ExecutionParameters, ResultReuseConfiguration, ...others } = rest;
  refuseUnknown('athena', 'StartQueryExecution', others, []);
  refuseUnknown('athena', 'StartQueryExecution', context, ['Database', 'Catalog']);
  refuseUnknown('athena', 'StartQueryExecution', result, ['OutputLocation']);
  checkReuse(ResultReuseConfiguration);
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
    ...(ExecutionParameters && { parameters: ExecutionParameters }),
    database: (context.Database ?? 'default').toLowerCase(),
    workGroup,
    outputFolder: workGroups.outputFolder(workGroup, result.OutputLocation),
    kind: undefined,
    state: 'QUEUED',
    submittedMs: Date.now(),
  };
}

/** Results may be reused if a client allows it, and need not be: here each query runs. */
function checkReuse(configuration: StartQueryExecutionInput['ResultReuseConfiguration']): void {
  if (!configuration) return;
  const { ResultReuseByAgeConfiguration: byAge = { Enabled: false }, ...rest } = configuration;
  refuseUnknown('athena', 'StartQueryExecution', rest, []);
  refuseUnknown('athena', 'StartQueryExecution', byAge, ['Enabled', 'MaxAgeInMinutes']);
  const { MaxAgeInMinutes: age = 60 } = byAge;
  if (age >= 0 && age <= REUSE_MINUTES_MAX) return;
  throw new AwsError('InvalidRequestException', `MaxAgeInMinutes must be 0 to ${REUSE_MINUTES_MAX}`);
}

function idOfSame(stored: Execution, repeated: Execution): string {
  const partsOf = (it: Execution) =>
    JSON.stringify([it.query, it.database, it.workGroup, it.outputFolder, it.parameters]);
  if (partsOf(stored) === partsOf(repeated)) return stored.id;
  throw new AwsError('InvalidRequestException', 'Idempotent parameters do not match');
}

/** The first row of a SELECT's first page is its header. */
async function getQueryResults(
  objects: ObjectStore,
  executions: Executions,
  { QueryExecutionId, MaxResults = RESULTS_MAX, NextToken, ...rest }: GetQueryResultsInput,
): Promise<GetQueryResultsOutput> {
  refuseUnknown('athena', 'GetQueryResults', rest, []);
  const execution = executions.get(QueryExecutionId);
  const { state, columns = [], kind } = execution;
  if (state === 'QUEUED' || state === 'RUNNING') {
    throw new AwsError('InvalidRequestException', `Query has not yet finished. Current state: ${state}`);
  }
  if (state !== 'SUCCEEDED') {
    throw new AwsError('InvalidRequestException', `Query did not finish successfully. Final query state: ${state}`);
  }
  const { items, next } = page(await rowsOf(objects, execution), { MaxResults, NextToken }, RESULTS_MAX);
  const rows = items.map((row) => ({ Data: row.map((field) => (field === null ? {} : { VarCharValue: field })) }));
  return {
    ...((kind === undefined || kind === 'SELECT' || kind === 'UNLOAD') && { UpdateCount: 0 }),
    ResultSet: { Rows: rows, ResultSetMetadata: { ColumnInfo: [...columns] } },
    ...next,
  };
}

/** A query's rows, its header first; the lines that the catalog answered; nothing of what has only files. */
async function rowsOf(objects: ObjectStore, execution: Execution): Promise<Field[][]> {
  const location = outputLocation(execution);
  if (location.endsWith('.csv')) return readCsv(objects, location);
  if (!location.endsWith('.txt') || execution.columns?.length === 0) return [];
  const { bucket, key } = s3Location(location);
  const lines = (await objects.get(bucket, key)).toString('utf8').split('\n');
  return lines.slice(0, -1).map((line) => [line]);
}
