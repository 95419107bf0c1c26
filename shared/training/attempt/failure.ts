/** Failures of a training by what is done about them. */

/**
 * `labels`: there is too little to train on, and only new labels help. `final`: the same data would give the same again.
 * `again`: it may go better next time.
 */
export type FailureKind = 'labels' | 'final' | 'again';

const KINDS = new Map<string, FailureKind>([
  ['TooFewRows', 'labels'],
  ['DeploymentRolledBack', 'final'],
  ['ProbeFailed', 'final'],
]);

export const kindOf = (error: string): FailureKind => KINDS.get(error) ?? 'again';

/** Where the services say why, in the JSON that Step Functions gives for a cause. */
const REASONS: readonly (readonly string[])[] = [
  ['FailureReason'],
  ['QueryExecution', 'Status', 'StateChangeReason'],
  ['errorMessage'],
];

/** The reason in a failure's cause, which may be a whole description of a job; the cause itself if it is none. */
export function reasonOf(cause: string): string {
  try {
    const description: unknown = JSON.parse(cause);
    const found = REASONS.map((path) =>
      path.reduce<unknown>((it, name) => (it as Record<string, unknown> | undefined)?.[name], description),
    );
    return found.find((it) => typeof it === 'string') ?? cause;
  } catch {
    return cause;
  }
}
