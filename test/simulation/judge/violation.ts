/** A promise that was broken: which, for which record, and how. Ends the run. */
export class Violation extends Error {
  readonly invariant: string;
  readonly recordIdentifier: string | undefined;

  constructor(invariant: string, message: string, recordIdentifier?: string) {
    super(message);
    this.name = 'Violation';
    this.invariant = invariant;
    this.recordIdentifier = recordIdentifier;
  }
}

/** What a run was ended by. @throws whatever else it was ended by. */
export function violationOf(error: unknown): Violation {
  if (error instanceof Violation) return error;
  throw error;
}
