import { SqlError } from './sql/sql-error.ts';

const OUT_OF_RANGE = 'NUMERIC_VALUE_OUT_OF_RANGE: a number is beyond the range of its type';

/** How DuckDB's errors begin or go on, and what Athena says. Their own texts name things that no statement has. */
const DUCKDB_ERRORS: readonly (readonly [RegExp, string])[] = [
  [
    /must appear in the GROUP BY clause|must be part of an aggregate function|GROUP BY clause or/,
    'EXPRESSION_NOT_AGGREGATE: an expression of SELECT, HAVING or ORDER BY must be an aggregate expression or appear in GROUP BY clause',
  ],
  [
    /cannot contain (aggregates|window functions)|aggregate function calls cannot|cannot be nested|window functions are not allowed/i,
    'EXPRESSION_NOT_SCALAR: WHERE, GROUP BY, JOIN and the arguments of an aggregate cannot contain aggregations or window functions',
  ],
  [/More than one row returned by a subquery/, 'SUBQUERY_MULTIPLE_ROWS: Scalar sub-query has returned multiple rows'],
  [
    /Map keys must be unique/,
    'NOT_SUPPORTED: The local Athena does not run map_agg or map with a key that comes twice: which value Athena keeps is not known. Instead, write array_agg(value) with GROUP BY key',
  ],
  [/Map keys can not be NULL/, 'INVALID_FUNCTION_ARGUMENT: map key cannot be null'],
  [
    /^Out of Memory|could not allocate|failed to (allocate|pin)/i,
    'EXCEEDED_LOCAL_MEMORY_LIMIT: Query exhausted resources at this scale factor',
  ],
  [/^INTERRUPT|Interrupted/i, 'USER_CANCELLED: Query was canceled'],
  [
    /invalid (perl operator|escape|UTF-8)|missing \)|no argument for repetition|bad repetition/i,
    'INVALID_FUNCTION_ARGUMENT: the regular expression cannot be read',
  ],
  [
    /^Conversion Error: Could not cast value .* to DECIMAL/,
    'INVALID_CAST_ARGUMENT: a value cannot be cast to the decimal',
  ],
  [/^Out of Range Error|[Oo]verflow/, OUT_OF_RANGE],
  [/^Conversion Error: (Casting|Could not cast)/, OUT_OF_RANGE],
  [/^Conversion Error: Type .* out of range/, OUT_OF_RANGE],
  [/out of range for the destination/, OUT_OF_RANGE],
  [/^Conversion Error/, 'INVALID_CAST_ARGUMENT: a value cannot be cast to the type'],
  [/^Invalid Input Error/, 'INVALID_FUNCTION_ARGUMENT: a function cannot take one of its arguments'],
];

/** Why a statement failed, as StateChangeReason has it: Athena's name of the error, and a sentence. */
export function reasonOf(error: Error): string {
  if (error instanceof SqlError) return `${error.code}: ${error.message}`;
  const message = error.message.replace(/^(Invalid Input Error|Conversion Error|Failed to \w+ \w+): /, '');
  // Those of functions of ours come through DuckDB, and begin with Athena's name of the error.
  const own = /^([A-Z][A-Z_]+: [^\n]*)/.exec(message)?.[1];
  if (own && !/^(INTERRUPT|HTTP)/.test(own)) return own;
  const known = DUCKDB_ERRORS.find(([pattern]) => pattern.test(error.message))?.[1];
  return (
    known ??
    'GENERIC_INTERNAL_ERROR: the local Athena could not run this statement, which Athena may run. Simplify it, or report it'
  );
}
