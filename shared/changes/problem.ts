import type { RejectionReason } from './change.ts';

/** What is wrong with one attribute. Its message never holds the value, which may be personal data. */
export class Problem {
  readonly reason: RejectionReason;
  readonly message: string;

  constructor(reason: RejectionReason, message: string) {
    this.reason = reason;
    this.message = message;
  }
}

/** What is wrong with a stream record, and where. */
export class EnvelopeProblem extends Problem {
  readonly path: string;

  constructor(reason: RejectionReason, path: string, message: string) {
    super(reason, message);
    this.path = path;
  }
}
