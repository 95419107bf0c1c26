import type { Place } from '../sql-error.ts';
import type { Type } from './trino-types.ts';

/** A Trino expression: its type, and DuckDB SQL of its value. */
export interface Expr {
  readonly type: Type;
  /** Complete in itself: a name, a call, or in parentheses. */
  readonly sql: string;
  /** The value of a literal: of a text the text, of a number its digits. */
  readonly literal?: string | undefined;
  readonly place?: Place | undefined;
}

/** Pieces of DuckDB SQL that are used in several places. */
export const sqlOf = {
  /** A quoted name. */
  name: (name: string): string => `"${name.replaceAll('"', '""')}"`,

  text: (text: string): string => `'${text.replaceAll("'", "''")}'`,

  /**
   * Fails the query with an error of Athena's, when it is evaluated. DuckDB's own `error()` is taken for volatile, and
   * so not allowed in TRY.
   *
   * @param message DuckDB SQL of a text.
   */
  fail: (code: string, message: string, duckDbType: string): string =>
    `CAST(trino_fail(${sqlOf.text(`${code}: `)} || ${message}) AS ${duckDbType})`,

  /** A UTC time as a time with a zone. */
  zoned: (utc: string, minutes = '0'): string =>
    `CASE WHEN ${utc} IS NULL THEN NULL ELSE {'u': ${utc}, 'm': CAST(${minutes} AS SMALLINT)} END`,
};
