/**
 * What Trino answers: an expression, or a query of one row and one column; the type that typeof() says; the value as
 * Athena writes it. The facts are those of Trino's documentation and of its own tests.
 */
export type Answered = readonly [sql: string, type: string, value: string | null];

/** What Trino refuses, by its name of the error; or what the local Athena refuses, which is NOT_SUPPORTED. */
export type Refused = readonly [sql: string, code: string];
