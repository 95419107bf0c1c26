import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { Random } from '../world/random.ts';
import { AwsError, type AwsService, type Caller } from './aws-call.ts';
import type { Faults } from './faults.ts';

/** Whether an equal event time takes the earlier version's place: AWS's pages disagree. */
export type TieRule = 'greater' | 'equal-or-later';

/**
 * What no page of AWS, or no more than one, says of deletions: whether a tombstone keeps an event time that older puts
 * lose against, and whether deleting a record that is not there leaves one.
 */
export interface TombstoneRules {
  readonly keepEventTime: boolean;
  readonly ofAbsent: boolean;
}

/** Most bytes of a call. No page says how many. */
const CALL_BYTES_MAX = 1_000_000;

/** Texts of a record's features by name; undefined for a tombstone. */
export type OnlineFeatures = ReadonlyMap<string, string> | undefined;

export interface OnlineRecord {
  readonly eventTimeMs: number;
  readonly features: OnlineFeatures;
}

export interface OnlineWrite extends OnlineRecord {
  readonly recordIdentifier: string;
  readonly applied: boolean;
  /** A deletion of what was not there, of which nothing remains. */
  readonly leftNothing?: boolean;
}

/** A feature text that Feature Store refuses, however often it is sent. */
export const REFUSED_NOTE = 'refused by the store';

interface FeatureValue {
  readonly FeatureName: string;
  readonly ValueAsString: string;
}
interface Entry {
  readonly FeatureGroupName: string;
  readonly Record: readonly FeatureValue[];
}

const EVENT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The online store of Feature Store: the latest version per record, by event time. */
export class FeatureStore implements AwsService {
  readonly name = 'Feature Store';
  readonly throttlingCode = 'ThrottlingException';
  readonly records = new Map<string, OnlineRecord>();
  readonly #group: FeatureGroup;
  readonly #tieRule: TieRule;
  readonly #tombstones: TombstoneRules;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #onWrite: (write: OnlineWrite, caller: Caller) => void;

  constructor(around: {
    group: FeatureGroup;
    tieRule: TieRule;
    tombstones?: TombstoneRules;
    faults: Faults;
    random: Random;
    onWrite(write: OnlineWrite, caller: Caller): void;
  }) {
    this.#group = around.group;
    this.#tieRule = around.tieRule;
    this.#tombstones = around.tombstones ?? { keepEventTime: true, ofAbsent: true };
    this.#faults = around.faults;
    this.#random = around.random;
    this.#onWrite = around.onWrite;
  }

  handle(operation: string, input: unknown, caller: Caller): unknown {
    switch (operation) {
      case 'BatchWriteRecordCommand':
        return this.#batchWrite((input as { Entries: readonly Entry[] }).Entries, caller);
      case 'DeleteRecordCommand':
        return this.#delete(input as Record<string, string>, caller);
      default:
        throw new Error(`not simulated: ${operation} of Feature Store`);
    }
  }

  #batchWrite(entries: readonly Entry[], caller: Caller) {
    if (entries.length < 1 || entries.length > 25) throw new AwsError('ValidationError', '1 to 25 entries');
    if (Buffer.byteLength(JSON.stringify(entries)) > CALL_BYTES_MAX) {
      this.#faults.note('a call was too large');
      throw new AwsError('RequestEntityTooLargeException', 'Request body is too large');
    }
    const Errors: { Entry: Entry; ErrorCode: string; ErrorMessage: string }[] = [];
    const UnprocessedEntries: Entry[] = [];
    const invalid = entries.filter((entry) => this.#problem(entry) !== undefined);
    if (invalid.length > 0 && this.#faults.strikes('a batch write was refused whole for one invalid entry')) {
      throw new AwsError('ValidationError', 'an entry is not valid');
    }
    // No page says in which order the entries of one call are taken.
    const first = this.#random.integer(0, entries.length - 1);
    for (const entry of [...entries.slice(first), ...entries.slice(0, first)]) {
      const problem = this.#problem(entry);
      if (problem !== undefined) {
        Errors.push({ Entry: entry, ErrorCode: 'ValidationError', ErrorMessage: problem });
      } else if (this.#faults.strikes('an entry was left unprocessed')) {
        UnprocessedEntries.push(entry);
      } else if (this.#faults.strikes('an entry was answered as an error')) {
        Errors.push({ Entry: entry, ErrorCode: 'InternalFailure', ErrorMessage: 'try again' });
      } else {
        this.#put(entry, caller);
        if (this.#faults.strikes('an entry was written and answered as an error')) {
          Errors.push({ Entry: entry, ErrorCode: 'InternalFailure', ErrorMessage: 'try again' });
        }
      }
    }
    return { Errors, UnprocessedEntries };
  }

  #problem({ FeatureGroupName, Record }: Entry): string | undefined {
    if (FeatureGroupName !== this.#group.name) return 'there is no such feature group';
    const eventTime = textOf(Record, this.#group.eventTime.name);
    if (!EVENT_TIME.test(eventTime ?? '')) return 'the event time has not the form of its type';
    return Record.some((it) => it.ValueAsString === REFUSED_NOTE) ? 'a value is not accepted' : undefined;
  }

  #put({ Record }: Entry, caller: Caller): void {
    const { recordIdentifier, eventTime } = this.#group;
    const features = new Map(Record.map((it) => [it.FeatureName, it.ValueAsString]));
    features.delete(recordIdentifier.name);
    features.delete(eventTime.name);
    const eventTimeMs = Date.parse(textOf(Record, eventTime.name) ?? '');
    this.#write(textOf(Record, recordIdentifier.name) ?? '', { eventTimeMs, features }, caller);
  }

  #delete(input: Record<string, string>, caller: Caller) {
    const { FeatureGroupName, RecordIdentifierValueAsString = '', EventTime = '', DeletionMode = 'SoftDelete' } = input;
    if (FeatureGroupName !== this.#group.name) throw new AwsError('ValidationError', 'no such feature group');
    if (!EVENT_TIME.test(EventTime))
      throw new AwsError('ValidationError', 'the event time has not the form of its type');
    const eventTimeMs = Date.parse(EventTime);
    const hard = DeletionMode === 'HardDelete';
    const { keepEventTime, ofAbsent } = this.#tombstones;
    if (!ofAbsent && !this.records.has(RecordIdentifierValueAsString)) {
      const write = {
        recordIdentifier: RecordIdentifierValueAsString,
        eventTimeMs,
        features: undefined,
        applied: true,
      };
      this.#onWrite({ ...write, leftNothing: true }, caller);
      return {};
    }
    const applied = this.#write(RecordIdentifierValueAsString, { eventTimeMs, features: undefined }, caller);
    if (applied && !keepEventTime) this.records.delete(RecordIdentifierValueAsString);
    if (hard && !applied) throw new AwsError('ValidationError', 'the event time is not later');
    // A hard deletion leaves nothing that a late put could be compared with.
    if (hard) this.records.delete(RecordIdentifierValueAsString);
    return {};
  }

  #write(recordIdentifier: string, version: OnlineRecord, caller: Caller): boolean {
    const stored = this.records.get(recordIdentifier);
    const applied =
      !stored ||
      version.eventTimeMs > stored.eventTimeMs ||
      (this.#tieRule === 'equal-or-later' && version.eventTimeMs === stored.eventTimeMs);
    if (applied) this.records.set(recordIdentifier, version);
    this.#onWrite({ ...version, recordIdentifier, applied }, caller);
    return applied;
  }
}

function textOf(record: readonly FeatureValue[], name: string): string | undefined {
  return record.find((it) => it.FeatureName === name)?.ValueAsString;
}
