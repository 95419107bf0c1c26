import { SqlError } from '../sql-error.ts';

/** A function of values that are not null. */
export type Udf = (...args: never[]) => string | number | bigint | boolean | readonly string[] | null;

export function invalidArgument(message: string): SqlError {
  return new SqlError('INVALID_FUNCTION_ARGUMENT', message);
}
