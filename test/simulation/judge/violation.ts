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
