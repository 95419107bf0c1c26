import type { QueryContext, WindowSpecificationContext } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { Scope } from './scope.ts';
import type { Expr } from './values/expr.ts';
import type { Type } from './values/trino-types.ts';

/** An output column of a query. */
export interface OutputColumn {
  /** In lower case; undefined: `_col<n>`. */
  readonly name: string | undefined;
  readonly type: Type;
}

/** A query in DuckDB SQL. Its columns go by `names` there, which are unlike any other. */
export interface TranslatedQuery {
  readonly columns: readonly OutputColumn[];
  readonly names: readonly string[];
  readonly sql: string;
}

/** What an expression may refer to. */
export interface Context {
  readonly scope: Scope;
  /** The moment that the statement began. */
  readonly now: Date;
  /** Windows of the query's WINDOW clause. */
  readonly windows: ReadonlyMap<string, WindowSpecificationContext>;
  subquery(query: QueryContext): TranslatedQuery;
  /** Called with every expression; what it gives is taken in its place. */
  onExpression(expr: Expr): Expr;
}
