/** Where in a statement something is: line from 1, column from 1, as Athena counts them. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** An error of a statement, by Athena's name of it. The message is what follows the name in StateChangeReason. */
export class SqlError extends Error {
  readonly code: string;

  constructor(code: string, message: string, place?: Place) {
    super(place ? `line ${place.line}:${place.column}: ${message}` : message);
    this.code = code;
  }
}

/**
 * SQL that Athena runs and the local Athena does not, because its result is not proven to be Athena's.
 *
 * @param instead what to write, a sentence without its full stop.
 */
export function notProven(what: string, instead: string, place?: Place): SqlError {
  return new SqlError(
    'NOT_SUPPORTED',
    `The local Athena does not run ${what}: its result is not proven equal to Athena's. Instead, ${instead}`,
    place,
  );
}
