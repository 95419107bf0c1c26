import type { StatementContext } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { GlueCatalog } from '../catalog.ts';
import type { OutputColumn } from './context.ts';
import { type Parse, placeOf, textOf } from './grammar.ts';
import { QueryTranslator, rootQueryOf } from './queries/queries.ts';
import type { Scan } from './queries/relation.ts';
import { notProven, SqlError } from './sql-error.ts';

/** A query of Trino's as DuckDB runs it, with the types and the names that Athena answers with. */
export interface Translation {
  readonly sql: string;
  readonly columns: readonly OutputColumn[];
  readonly scans: readonly Scan[];
}

/**
 * Translates a query.
 *
 * @param database of unqualified names.
 * @throws SqlError by Athena's name of it, with the place in the statement.
 */
export function translateQuery(trino: string, database: string, catalog: GlueCatalog, parse: Parse): Translation {
  return withinStack(() => translateStatement(parse(trino), database, catalog, parse));
}

export function translateStatement(
  statement: StatementContext,
  database: string,
  catalog: GlueCatalog,
  parse: Parse,
): Translation {
  if (!catalog.databases.has(database)) {
    throw new SqlError('SCHEMA_NOT_FOUND', `Schema '${database}' does not exist`);
  }
  if (statement.constructor.name !== 'StatementDefaultContext') {
    const [verb = ''] = textOf(statement).split(/\s/, 1);
    throw notProven(`the statement ${verb.toUpperCase()}`, instead(verb.toUpperCase()), placeOf(statement));
  }
  const translator = new QueryTranslator(parse, catalog);
  const { sql, columns } = translator.root(rootQueryOf(statement), database);
  for (const scan of translator.scans) requireInjected(scan);
  return { sql, columns, scans: translator.scans };
}

function instead(verb: string): string {
  if (verb === 'INSERT') return 'write CREATE TABLE AS, or UNLOAD into the location of the table';
  if (verb === 'DELETE' || verb === 'UPDATE' || verb === 'MERGE')
    return 'change the items in DynamoDB, which the change log follows';
  if (verb === 'PREPARE' || verb === 'EXECUTE' || verb === 'DEALLOCATE') {
    return 'write ? in the query, and give StartQueryExecution its ExecutionParameters';
  }
  return 'write a query, UNLOAD, CREATE TABLE AS, CREATE VIEW, SHOW or DESCRIBE';
}

/** @throws SqlError CONSTRAINT_VIOLATION when the value of an injected partition key is not given. */
function requireInjected({ table, conditions }: Scan): void {
  const missing = table.injectedKeys.find((key) => !conditions.some((it) => it.key === key && it.operator === '='));
  if (missing === undefined) return;
  throw new SqlError(
    'CONSTRAINT_VIOLATION',
    `For the injected projected partition column ${missing}, the WHERE clause must contain only static equality conditions, and at least one such condition must be present.`,
  );
}

/** Runs something that goes down as deep as a statement does. @throws SqlError STACK_OVERFLOW as Trino says it. */
export function withinStack<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) {
      throw new SqlError('STACK_OVERFLOW', 'statement is too large (stack overflow during analysis)');
    }
    throw error;
  }
}
