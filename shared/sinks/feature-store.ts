import type { FeatureValue } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { describeError, errorCode, isInvalidInput, isThrottling } from '../calls/failure.ts';
import { type Pace, retryUntilDeadline, withAdaptiveConcurrency } from '../calls/pace.ts';
import type { TimedChange } from '../changes/change.ts';
import { isDelete, lastChangePerRecord } from '../changes/last-change.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import type { BatchWriteAnswer, OnlineStore } from '../online-store/online-store.ts';
import type { Sink } from './sink.ts';

/** Most entries of one call. Source: BatchWriteRecord, `Entries` 1 to 25. */
export const ENTRIES_PER_CALL_MAX = 25;

/**
 * The online store: what each record is after the batch.
 *
 * Only the last change per record identifier is written; the ones before it in the batch are superseded. Idempotent by
 * event time: a change written again has the event time it had, and Feature Store keeps the later of two versions.
 * Deletes are soft, so that the tombstone's event time keeps an older put from bringing the record back.
 */
export function featureStoreSink(group: FeatureGroup, onlineStore: OnlineStore, concurrencyMax: number): Sink {
  return {
    name: 'feature-store',
    async write(changes, pace) {
      const last = lastChangePerRecord(group, changes);
      const outcomes = new Outcomes(last);
      onlineStore.begin();
      await retryUntilDeadline(last, pace, async (pending) => {
        const left: TimedChange[] = [];
        await withAdaptiveConcurrency(groupIntoCalls(group, pending), concurrencyMax, async (call) => {
          if (pace.now() >= pace.deadline) return outcomes.note(call, 'no time left', left);
          return write(call, outcomes, left, pace);
        });
        return left;
      });
      return outcomes.result();
    },
  };

  async function write(call: readonly TimedChange[], outcomes: Outcomes, left: TimedChange[], pace: Pace) {
    const [first] = call;
    try {
      if (first && isDelete(group, first)) {
        await onlineStore.delete(first);
        outcomes.written(call);
        return 'ok';
      }
      const answer = await onlineStore.batchWrite(call);
      return noteEntries(group, call, answer, outcomes, left);
    } catch (error) {
      if (!isInvalidInput(errorCode(error))) return outcomes.note(call, describeError(error), left, errorCode(error));
      if (first && call.length === 1) {
        outcomes.refused(first, describeError(error));
        return 'ok';
      }
      // One invalid entry has failed the call: alone, each shows whether it is the one.
      for (const change of call) {
        if (pace.now() >= pace.deadline) outcomes.note([change], 'no time left', left);
        else await write([change], outcomes, left, pace);
      }
      return 'ok';
    }
  }
}

/** What has become of each change so far. A change is a failure until it is known to be written or refused. */
class Outcomes {
  readonly #failures: Map<string, string>;
  readonly #refused: { change: TimedChange; message: string }[] = [];

  constructor(changes: readonly TimedChange[]) {
    this.#failures = new Map(changes.map(({ sequenceNumber }) => [sequenceNumber, 'no time left']));
  }

  written(changes: readonly TimedChange[]): void {
    for (const { sequenceNumber } of changes) this.#failures.delete(sequenceNumber);
  }

  refused(change: TimedChange, message: string): void {
    this.#failures.delete(change.sequenceNumber);
    this.#refused.push({ change, message });
  }

  /** Notes changes that are still to be written, and adds them to `left`. */
  note(changes: readonly TimedChange[], message: string, left: TimedChange[], code = ''): 'ok' | 'throttled' {
    for (const change of changes) {
      this.#failures.set(change.sequenceNumber, message);
      left.push(change);
    }
    return isThrottling(code) ? 'throttled' : 'ok';
  }

  result() {
    return {
      failures: [...this.#failures].map(([sequenceNumber, message]) => ({
        sequenceNumber,
        message: `feature-store: ${message}`,
      })),
      rejections: this.#refused,
    };
  }
}

/**
 * Reads a BatchWriteRecord answer: 200 does not mean that all was written. There is no index in it; an entry that
 * failed is echoed and told by its record identifier, which is why a call never holds two entries of one record. An echo
 * that cannot be told fails the whole call.
 */
function noteEntries(
  group: FeatureGroup,
  call: readonly TimedChange[],
  answer: BatchWriteAnswer,
  outcomes: Outcomes,
  left: TimedChange[],
): 'ok' | 'throttled' {
  const unwritten = new Map(call.map((change) => [change.recordIdentifier, change]));
  const identify = (record: FeatureValue[] | undefined): TimedChange | undefined => {
    const identifier = record?.find(({ FeatureName }) => FeatureName === group.recordIdentifier.name)?.ValueAsString;
    return identifier === undefined ? undefined : unwritten.get(identifier);
  };
  const retried: { change: TimedChange; code: string; message: string }[] = [];
  for (const { Entry, ErrorCode = 'unknown', ErrorMessage } of answer.Errors ?? []) {
    const change = identify(Entry?.Record);
    if (!change) return outcomes.note(call, `an error was not told of which entry: ${ErrorCode}`, left);
    if (isInvalidInput(ErrorCode)) outcomes.refused(change, `${ErrorCode}: ${ErrorMessage}`);
    else retried.push({ change, code: ErrorCode, message: `${ErrorCode}: ${ErrorMessage}` });
    unwritten.delete(change.recordIdentifier);
  }
  for (const { Record } of answer.UnprocessedEntries ?? []) {
    const change = identify(Record);
    if (!change) return outcomes.note(call, 'an unprocessed entry was not told', left);
    retried.push({ change, code: 'ThrottlingException', message: 'left unprocessed' });
    unwritten.delete(change.recordIdentifier);
  }
  outcomes.written([...unwritten.values()]);
  let throttled = false;
  for (const { change, code, message } of retried) {
    throttled = outcomes.note([change], message, left, code) === 'throttled' || throttled;
  }
  return throttled ? 'throttled' : 'ok';
}

/** Calls: puts by 25, deletes one by one (there is no batch delete). */
function groupIntoCalls(group: FeatureGroup, changes: readonly TimedChange[]): TimedChange[][] {
  const calls: TimedChange[][] = [];
  const puts = changes.filter((change) => !isDelete(group, change));
  for (let at = 0; at < puts.length; at += ENTRIES_PER_CALL_MAX) calls.push(puts.slice(at, at + ENTRIES_PER_CALL_MAX));
  for (const change of changes) if (isDelete(group, change)) calls.push([change]);
  return calls;
}
