import {
  type AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type QueryExecutionStatus,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import type { Correlations } from '../stage/material.ts';
import { waitUntil } from '../stage/wait.ts';

/** Longest time in one state, in milliseconds: a query over some thousand rows takes a second. */
const QUERY_STALL_MS = 60_000;

/**
 * Runs a query for correlations as an analyst would.
 *
 * @param sql whose one row is the correlations; undefined: there are none.
 * @throws Error with Athena's own reason when the query fails.
 */
export async function queryCorrelations(
  athena: AthenaClient,
  sql: string | undefined,
  database: string,
  workGroup: string,
): Promise<Correlations> {
  if (sql === undefined) return {};
  const [header = [], values = []] = await query(athena, sql, database, workGroup);
  const entries = header.map((column, index) => {
    const value = values[index];
    return [column ?? '', value === undefined || value === '' ? null : Number(value)] as const;
  });
  return Object.fromEntries(entries);
}

/** Runs a query and reads its first page of rows, the header first. NULL is undefined. */
async function query(
  athena: AthenaClient,
  sql: string,
  database: string,
  workGroup: string,
): Promise<(string | undefined)[][]> {
  const { QueryExecutionId } = await athena.send(
    new StartQueryExecutionCommand({
      QueryString: sql,
      QueryExecutionContext: { Database: database },
      WorkGroup: workGroup,
    }),
  );
  let status: QueryExecutionStatus | undefined;
  await waitUntil(QUERY_STALL_MS, async () => {
    const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
    status = QueryExecution?.Status;
    const seen = status?.State ?? '';
    return { over: seen !== 'QUEUED' && seen !== 'RUNNING', seen };
  });
  if (status?.State !== 'SUCCEEDED') {
    throw new Error(`The query is ${status?.State}: ${status?.StateChangeReason ?? 'it takes too long'}: ${sql}`);
  }
  const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId }));
  return (ResultSet?.Rows ?? []).map((row) => (row.Data ?? []).map((datum) => datum.VarCharValue));
}
