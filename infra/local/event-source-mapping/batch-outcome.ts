/**
 * What Lambda does with a batch once the function has answered. Pure: records are positions in what was read.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html and
 * https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */

/** Records `from` (inclusive) to `to` (exclusive), which are invoked together. */
export interface Batch {
  readonly from: number;
  readonly to: number;
  /** Failures so far that count against MaximumRetryAttempts. */
  readonly failures: number;
  /** Invocations so far with these records, bisected ones included. */
  readonly invocations: number;
}

/** How a function answered: `at` is the position in the batch from which everything is to be retried. */
export type Verdict = { readonly kind: 'succeeded' } | { readonly kind: 'failed'; readonly at: number };

export interface RetryPolicy {
  readonly bisect: boolean;
  /** -1: no limit. */
  readonly retriesMax: number;
}

/** What follows: records up to `checkpoint` are done, then `discarded` goes to the destination, then `retried` are invoked. */
export interface NextStep {
  readonly checkpoint: number;
  readonly discarded: Batch | undefined;
  readonly retried: readonly Batch[];
}

interface Answer {
  readonly functionError?: string | undefined;
  /** JSON text of what the function returned. */
  readonly payload: string;
}

/**
 * Reads a function's answer to a batch. The lowest failed sequence number is the checkpoint. An identifier that is
 * empty, null, missing or none of the batch's fails the whole batch; so does an answer that is not of this form.
 * Without ReportBatchItemFailures the answer is ignored.
 */
export function verdictOf(answer: Answer, sequenceNumbers: readonly string[], reportsItemFailures: boolean): Verdict {
  if (answer.functionError !== undefined) return { kind: 'failed', at: 0 };
  if (!reportsItemFailures) return { kind: 'succeeded' };
  const response = parse(answer.payload);
  if (response === null) return { kind: 'succeeded' };
  if (typeof response !== 'object' || Array.isArray(response)) return { kind: 'failed', at: 0 };
  const failures = (response as { batchItemFailures?: unknown }).batchItemFailures ?? [];
  if (!Array.isArray(failures)) return { kind: 'failed', at: 0 };
  if (failures.length === 0) return { kind: 'succeeded' };
  const positions = failures.map((failure) => sequenceNumbers.indexOf(failure?.itemIdentifier));
  // indexOf answers -1 for what is not in the batch, and the whole of it has failed then.
  return { kind: 'failed', at: Math.max(0, Math.min(...positions)) };
}

/** `undefined` stands for a text that is not JSON. */
function parse(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Decides what follows an invocation of `batch`. A bisection, by halves or at the returned sequence number, does not
 * consume a retry; every other failure does. A batch whose retries are used up is discarded.
 */
export function afterInvocation(batch: Batch, verdict: Verdict, policy: RetryPolicy): NextStep {
  const invocations = batch.invocations + 1;
  if (verdict.kind === 'succeeded') return { checkpoint: batch.to, discarded: undefined, retried: [] };
  const rest: Batch = { ...batch, from: batch.from + verdict.at, invocations };
  const checkpoint = rest.from;
  if (policy.bisect && verdict.at > 0) return { checkpoint, discarded: undefined, retried: [rest] };
  if (policy.bisect && rest.to - rest.from > 1) {
    const middle = rest.from + Math.ceil((rest.to - rest.from) / 2);
    return {
      checkpoint,
      discarded: undefined,
      retried: [
        { ...rest, to: middle },
        { ...rest, from: middle },
      ],
    };
  }
  const failed: Batch = { ...rest, failures: batch.failures + 1 };
  const exhausted = policy.retriesMax >= 0 && failed.failures > policy.retriesMax;
  return exhausted
    ? { checkpoint, discarded: failed, retried: [] }
    : { checkpoint, discarded: undefined, retried: [failed] };
}

/**
 * Splits off the records that are too old to be invoked. They stand first, because a shard's records are in order.
 *
 * @param seconds creation time of each record by its position, in seconds.
 * @param oldest the earliest creation time that is not too old, in seconds.
 */
export function splitExpired(
  batch: Batch,
  seconds: (position: number) => number,
  oldest: number,
): { expired: Batch | undefined; live: Batch | undefined } {
  let first = batch.from;
  while (first < batch.to && seconds(first) < oldest) first += 1;
  return {
    expired: first > batch.from ? { ...batch, to: first } : undefined,
    live: first < batch.to ? { ...batch, from: first } : undefined,
  };
}
