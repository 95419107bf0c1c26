import { hash } from 'node:crypto';
import { AwsError } from '../../protocol/aws-error.ts';
import type { Store } from '../engine/store.ts';

/** How long a token is remembered, in milliseconds. Source: TransactWriteItems, ClientRequestToken. */
const TOKEN_MILLIS = 10 * 60_000;

/**
 * Runs a transaction once for its token. A second request with the token and the same parameters answers success and
 * does nothing.
 *
 * @param repeated what is answered to a repetition.
 * @throws AwsError IdempotentParameterMismatchException when the parameters differ.
 */
export function once(
  store: Store,
  { ClientRequestToken: token, ...request }: { ClientRequestToken?: string },
  run: () => object,
  repeated: () => object,
): object {
  if (token === undefined) return run();
  const now = Date.now();
  store.db.prepare('DELETE FROM transactions WHERE created_millis < ?').run(now - TOKEN_MILLIS);
  const digest = hash('sha256', canonical(request));
  const known = store.db.prepare('SELECT request FROM transactions WHERE token = ?').get(token);
  if (known && known.request !== digest) {
    throw new AwsError(
      'IdempotentParameterMismatchException',
      'The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical',
    );
  }
  if (known) return repeated();
  const answer = run();
  store.db.prepare('INSERT INTO transactions VALUES (?, ?, ?)').run(token, digest, now);
  return answer;
}

/** JSON with the members of every object in the same order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
