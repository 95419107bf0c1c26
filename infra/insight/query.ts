import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type GetQueryResultsOutput,
  type QueryExecution,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import type { Sources } from './sources.ts';

/** Milliseconds between the first two looks at a query; each wait is half as long again, up to the longest. */
const LOOK_MS = 50;
const LOOK_MS_MAX = 1_000;

/** A value as Athena writes it; null is NULL. */
export type Value = string | null;

export interface Column {
  readonly name: string;
  /** Of Athena: `varchar`, `bigint`, `double`, … */
  readonly type: string;
}

/** A query that has succeeded. */
export interface Answered {
  readonly queryExecutionId: string;
  /** s3:// place of the rows as CSV, or of a text for statements that read no table. */
  readonly outputLocation: string;
  /** What Athena bills, in bytes, and how long it took, in milliseconds. */
  readonly scannedBytes: number;
  readonly millis: number;
}

/** The rows of a query. */
export interface Rows extends Answered {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Value[])[];
  /** There are more rows than were asked for. */
  readonly more: boolean;
}

type Queried = Pick<Sources, 'athena' | 'names'>;

/**
 * Runs a statement in the stack's workgroup, and reads its rows page by page.
 *
 * @param rowsMax most rows to read; Athena keeps the others at `outputLocation`.
 * @throws Error with Athena's own reason when it fails; as aborted when the signal says so, and then Athena stops too.
 */
export async function queryRows(
  sources: Queried,
  sql: string,
  { rowsMax, signal }: { readonly rowsMax: number; readonly signal?: AbortSignal | undefined },
): Promise<Rows> {
  const answered = await runQuery(sources, sql, signal);
  const rows: (readonly Value[])[] = [];
  let columns: readonly Column[] = [];
  for await (const page of pagesOf(sources, answered, signal)) {
    columns = page.columns;
    rows.push(...page.rows);
    if (rows.length > rowsMax || (rows.length === rowsMax && page.more)) {
      return { ...answered, columns, rows: rows.slice(0, rowsMax), more: true };
    }
  }
  return { ...answered, columns, rows, more: false };
}

/** Runs a statement likewise, for whoever needs no more than a page of its rows at a time. @throws as {@link queryRows}. */
export async function* queryPages(
  sources: Queried,
  sql: string,
  signal?: AbortSignal,
): AsyncGenerator<readonly (readonly Value[])[], void> {
  const answered = await runQuery(sources, sql, signal);
  for await (const { rows } of pagesOf(sources, answered, signal)) yield rows;
}

interface Page {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Value[])[];
  readonly more: boolean;
}

async function* pagesOf(
  { athena }: Queried,
  { queryExecutionId, outputLocation }: Answered,
  signal: AbortSignal | undefined,
): AsyncGenerator<Page, void> {
  // Only what was selected has a header: an answer of SHOW or DESCRIBE is lines of text.
  let header = outputLocation.endsWith('.csv');
  let NextToken: string | undefined;
  do {
    const page: GetQueryResultsOutput = await athena.send(
      new GetQueryResultsCommand({ QueryExecutionId: queryExecutionId, NextToken }),
      signal && { abortSignal: signal },
    );
    const texts = (page.ResultSet?.Rows ?? []).map(({ Data = [] }) => Data.map((it) => it.VarCharValue ?? null));
    NextToken = page.NextToken;
    yield { columns: columnsOf(page), rows: header ? texts.slice(1) : texts, more: NextToken !== undefined };
    header = false;
  } while (NextToken !== undefined);
}

/** The columns of a query that has succeeded. */
export async function columnsOfQuery({ athena }: Queried, { queryExecutionId }: Answered): Promise<readonly Column[]> {
  const one = new GetQueryResultsCommand({ QueryExecutionId: queryExecutionId, MaxResults: 1 });
  return columnsOf(await athena.send(one));
}

const columnsOf = ({ ResultSet }: GetQueryResultsOutput): readonly Column[] =>
  (ResultSet?.ResultSetMetadata?.ColumnInfo ?? []).map(({ Name = '', Type = '' }) => ({ name: Name, type: Type }));

/** Runs a statement to its end. @throws as {@link queryRows}. */
export async function runQuery({ athena, names }: Queried, sql: string, signal?: AbortSignal): Promise<Answered> {
  const { QueryExecutionId } = await athena.send(
    new StartQueryExecutionCommand({
      QueryString: sql,
      QueryExecutionContext: { Database: names.database },
      WorkGroup: names.workGroup,
    }),
  );
  try {
    return answeredOf(await ended({ athena }, QueryExecutionId, signal));
  } catch (error) {
    if (signal?.aborted) await athena.send(new StopQueryExecutionCommand({ QueryExecutionId })).catch(() => undefined);
    throw error;
  }
}

async function ended(
  { athena }: Pick<Sources, 'athena'>,
  QueryExecutionId: string | undefined,
  signal: AbortSignal | undefined,
): Promise<QueryExecution> {
  for (let waitMs = LOOK_MS; ; waitMs = Math.min(LOOK_MS_MAX, waitMs * 1.5)) {
    await sleep(waitMs, undefined, signal && { signal });
    const { QueryExecution: found = {} } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
    const state = found.Status?.State;
    if (state === 'SUCCEEDED') return found;
    if (state === 'FAILED' || state === 'CANCELLED') {
      throw new Error(`The query is ${state}: ${found.Status?.StateChangeReason ?? 'Athena gave no reason'}`);
    }
  }
}

const answeredOf = ({ QueryExecutionId = '', ResultConfiguration, Statistics }: QueryExecution): Answered => ({
  queryExecutionId: QueryExecutionId,
  outputLocation: ResultConfiguration?.OutputLocation ?? '',
  scannedBytes: Statistics?.DataScannedInBytes ?? 0,
  millis: Statistics?.TotalExecutionTimeInMillis ?? 0,
});
