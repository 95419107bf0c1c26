import type { FeatureValue } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { chunksOf } from '../calls/chunks.ts';
import { describeError, describeWhole, errorCode, isInvalidInput, isThrottling, isTooLarge } from '../calls/failure.ts';
import { type Pace, retryUntilDeadline, withAdaptiveConcurrency } from '../calls/pace.ts';
import type { TimedChange } from '../changes/change.ts';
import { isDelete, isKept, lastChangePerRecord } from '../changes/last-change.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import type { BatchWriteAnswer, OnlineStore } from '../online-store/online-store.ts';
import type { Sink, SinkResult } from './sink.ts';

/** Most entries of one call. Source: BatchWriteRecord, `Entries` 1 to 25. */
export const ENTRIES_PER_CALL_MAX = 25;

/**
 * Records of a batch from which on it is not they that are wrong when Feature Store refuses every one of them, but the
 * feature group: it is not created yet, or lacks a feature of the definition. As many wrong ones, and none that is right,
 * have come through decoding only where that is so.
 */
const ALL_REFUSED_MIN = 10;

/**
 * The online store: what each record is after the batch.
 *
 * Only the last change per record identifier is written; the ones before it in the batch are superseded. Idempotent by
 * event time: a change written again has the event time it had, and Feature Store keeps the later of two versions.
 * Deletes are soft, so that the tombstone's event time keeps an older put from bringing the record back. A put that a
 * delete of the same batch supersedes is written before it: no page says that deleting what is not there leaves a
 * tombstone.
 */
export function featureStoreSink(group: FeatureGroup, onlineStore: OnlineStore, concurrencyMax: number): Sink {
  return {
    name: 'feature-store',
    async write(changes, pace) {
      const last = lastChangePerRecord(group, changes);
      onlineStore.begin();
      const deleted = putsBeforeDeletes(group, changes, last);
      const waitForPuts = new Set<string>();
      if (deleted.length > 0) {
        const { failures } = (await writeAll(deleted, pace)).result();
        const failed = new Set(failures.map(({ sequenceNumber }) => sequenceNumber));
        for (const put of deleted) if (failed.has(put.sequenceNumber)) waitForPuts.add(put.recordIdentifier);
      }
      const outcomes = await writeAll(last, pace, waitForPuts);
      return outcomes.result();
    },
  };

  /** `except`: records that are not written, and so remain failures. */
  async function writeAll(changes: readonly TimedChange[], pace: Pace, except: ReadonlySet<string> = new Set()) {
    const outcomes = new Outcomes(changes);
    const due = except.size === 0 ? changes : changes.filter((it) => !except.has(it.recordIdentifier));
    await retryUntilDeadline(due, pace, async (pending) => {
      const left: TimedChange[] = [];
      await withAdaptiveConcurrency(groupIntoCalls(group, pending), concurrencyMax, async (call) => {
        if (pace.now() >= pace.deadline) return outcomes.note(call, 'no time left', left);
        return write(call, outcomes, left, pace);
      });
      return left;
    });
    return outcomes;
  }

  async function write(
    call: readonly TimedChange[],
    outcomes: Outcomes,
    left: TimedChange[],
    pace: Pace,
  ): Promise<'ok' | 'throttled'> {
    const [first] = call;
    try {
      if (first && isDelete(group, first)) {
        await onlineStore.delete(first, pace.signal);
        outcomes.written(call);
        return 'ok';
      }
      const answer = await onlineStore.batchWrite(call, pace.signal);
      return noteEntries(group, call, answer, outcomes, left);
    } catch (error) {
      const tooLarge = isTooLarge(error);
      const code = errorCode(error);
      if (!isInvalidInput(code) && !tooLarge) return outcomes.note(call, describeError(error), left, code);
      if (first && call.length === 1) {
        outcomes.refused(first, code, describeWhole(error));
        return 'ok';
      }
      // One invalid entry has failed the call: alone, each shows whether it is the one. No page says how many bytes a
      // call may have: of one that had too many, each half may pass.
      const size = tooLarge ? Math.ceil(call.length / 2) : 1;
      for (const part of chunksOf(call, size)) {
        if (pace.now() >= pace.deadline) outcomes.note(part, 'no time left', left);
        else await write(part, outcomes, left, pace);
      }
      return 'ok';
    }
  }
}

/** The last put of each record that the batch goes on to delete. */
function putsBeforeDeletes(
  group: FeatureGroup,
  changes: readonly TimedChange[],
  last: readonly TimedChange[],
): TimedChange[] {
  if (last.length === changes.length || !last.some((it) => isDelete(group, it))) return [];
  const deleted = new Set(last.filter((it) => isDelete(group, it)).map((it) => it.recordIdentifier));
  const puts = changes.filter((it) => deleted.has(it.recordIdentifier) && !isDelete(group, it) && !isKept(group, it));
  return [...new Map(puts.map((it) => [it.recordIdentifier, it])).values()];
}

/** What has become of each change so far. A change is a failure until it is known to be written or refused. */
class Outcomes {
  readonly #changes: number;
  readonly #failures: Map<string, string>;
  readonly #refused: { change: TimedChange; code: string; detail: string }[] = [];

  constructor(changes: readonly TimedChange[]) {
    this.#changes = changes.length;
    this.#failures = new Map(changes.map(({ sequenceNumber }) => [sequenceNumber, 'no time left']));
  }

  written(changes: readonly TimedChange[]): void {
    for (const { sequenceNumber } of changes) this.#failures.delete(sequenceNumber);
  }

  refused(change: TimedChange, code: string, detail: string): void {
    this.#failures.delete(change.sequenceNumber);
    this.#refused.push({ change, code, detail });
  }

  /** Notes changes that are still to be written, and adds them to `left`. */
  note(changes: readonly TimedChange[], message: string, left: TimedChange[], code = ''): 'ok' | 'throttled' {
    for (const change of changes) {
      this.#failures.set(change.sequenceNumber, message);
      left.push(change);
    }
    return isThrottling(code) ? 'throttled' : 'ok';
  }

  result(): SinkResult {
    const refused = this.#refused;
    if (refused.length >= ALL_REFUSED_MIN && refused.length === this.#changes) {
      const message = `feature-store: ${refused[0]?.code} for every one of ${refused.length} records: is the feature group as the definition has it?`;
      const failures = refused.map(({ change: { sequenceNumber } }) => ({ sequenceNumber, message }));
      return { failures, rejections: [] };
    }
    return {
      failures: [...this.#failures].map(([sequenceNumber, message]) => ({
        sequenceNumber,
        message: `feature-store: ${message}`,
      })),
      rejections: refused.map(({ change, code, detail }) => ({
        change,
        message: `Feature Store refused the record: ${code}.`,
        detail,
      })),
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
    if (isInvalidInput(ErrorCode)) outcomes.refused(change, ErrorCode, `${ErrorCode}: ${ErrorMessage}`);
    else retried.push({ change, code: ErrorCode, message: ErrorCode });
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
function groupIntoCalls(group: FeatureGroup, changes: readonly TimedChange[]): (readonly TimedChange[])[] {
  const puts = changes.filter((change) => !isDelete(group, change));
  const calls = chunksOf(puts, ENTRIES_PER_CALL_MAX);
  for (const change of changes) if (isDelete(group, change)) calls.push([change]);
  return calls;
}
