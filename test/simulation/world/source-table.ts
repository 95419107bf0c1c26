import type { FeatureText } from '../../../shared/changes/change.ts';
import type { Item } from '../aws/expression.ts';
import type { Faults } from '../aws/faults.ts';
import type { Keys } from './keys.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** `malformed`: decoding rejects it; `refused`: Feature Store does. Either goes to quarantine. */
export type Quality = 'good' | 'malformed' | 'refused';

/** Of items that the definition does not take in, before the change nor after it, nothing is asked. */
export type ChangeQuality = Quality | 'skipped';

/** An item as the application wrote it, and the feature texts that are expected of it, in the order of `columnsOf`. */
export interface SourceItem {
  readonly attributes: Item;
  readonly texts: readonly FeatureText[];
  readonly label: string | null | undefined;
  readonly quality: Quality;
  /** It is none of the definition's items. */
  readonly isOther: boolean;
}

/** One change of the table: the truth that everything downstream is held against. */
export interface TrueChange {
  /** Position among all changes. */
  readonly order: number;
  readonly recordIdentifier: string;
  readonly sequenceNumber: string;
  readonly second: number;
  readonly writtenAt: number;
  /** As the definition sees it: an item that becomes one of its own is inserted, whatever happened in the table. */
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly ttlExpired: boolean;
  readonly texts: readonly FeatureText[] | undefined;
  readonly quality: ChangeQuality;
  readonly newLabel: string | undefined;
  /** Its label is none: it goes to quarantine apart from the features. */
  readonly wrongLabel: boolean;
  readonly shardId: number;
  /** As Lambda hands it to the function. */
  readonly record: object;
  /** Event time that the change log first got it with. */
  eventTimeMs: number | undefined;
  /** The batch it had then, by its first change, and how many fences its record had been left. */
  timedIn: { readonly batchStart: TrueChange | undefined; readonly fences: number } | undefined;
  acknowledged: boolean;
  discarded: boolean;
  trimmed: boolean;
}

export interface Shard {
  readonly id: number;
  readonly parent: Shard | undefined;
  /** Range of record hashes, 0 to 1. */
  readonly from: number;
  readonly to: number;
  readonly records: TrueChange[];
  open: boolean;
  /** Latest creation second of this shard and its ancestors. */
  latestSecond: number;
  /** First creation second. */
  readonly notBefore: number;
  clockOffsetMs: number;
  sequence: bigint;
  onRecord: () => void;
}

/** Seconds for which a table has no stream before it gets a new one: deploying that takes minutes. */
const STREAM_PAUSE_SECONDS = 90;
/** Residue that keeps the sequence numbers of all shards apart. */
const SHARDS_MAX = 1_024n;
const SEQUENCE_DIGITS_MAX = 38;

/** The application's table and its stream. */
export class SourceTable {
  readonly items = new Map<string, SourceItem>();
  readonly changes: TrueChange[] = [];
  readonly histories = new Map<string, TrueChange[]>();
  readonly bySequenceNumber = new Map<string, TrueChange>();
  readonly shards: Shard[] = [];
  /** The record of each write that there was to be, whether it was left out or not. */
  readonly writes: string[] = [];
  /** How many of these were left out. */
  leftOut = 0;
  onShard: (shard: Shard) => void = () => {};
  onChange: (change: TrueChange) => void = () => {};
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #hazardSeconds: number;
  readonly #keys: Keys;
  readonly #numbersBeginAnew: boolean;
  readonly #isLeftOut: (write: number) => boolean;
  #isAnew = false;

  constructor(around: {
    scheduler: Scheduler;
    faults: Faults;
    random: Random;
    hazardSeconds: number;
    digits: number;
    keys: Keys;
    numbersBeginAnew: boolean;
    isLeftOut(write: number): boolean;
  }) {
    this.#scheduler = around.scheduler;
    this.#faults = around.faults;
    this.#random = around.random;
    this.#hazardSeconds = around.hazardSeconds;
    this.#keys = around.keys;
    this.#numbersBeginAnew = around.numbersBeginAnew;
    this.#isLeftOut = around.isLeftOut;
    const first = 10n ** BigInt(around.digits) - BigInt(around.random.integer(1, 2_000_000));
    this.#addShard(undefined, 0, 1, first);
  }

  /** Writes an item whole, or removes it. What changes nothing leaves no record. */
  write(recordIdentifier: string, item: SourceItem | undefined, ttlExpired = false): void {
    const before = this.items.get(recordIdentifier);
    if (before === item) return;
    this.writes.push(recordIdentifier);
    if (this.#isLeftOut(this.writes.length - 1)) {
      this.leftOut += 1;
      return;
    }
    if (item) this.items.set(recordIdentifier, item);
    else this.items.delete(recordIdentifier);
    const shard = this.#shardOf(recordIdentifier);
    const eventName = !before ? 'INSERT' : item ? 'MODIFY' : 'REMOVE';
    const second = this.#creationSecond(shard);
    const sequenceNumber = this.#nextSequenceNumber(shard);
    const [was, is] = [before, item].map((it) => (it?.isOther ? undefined : it));
    const newLabel = (is?.label === '0' || is?.label === '1') && is.label !== was?.label ? is.label : undefined;
    const change: TrueChange = {
      order: this.changes.length,
      recordIdentifier,
      sequenceNumber,
      second,
      writtenAt: this.#scheduler.now,
      eventName: !was ? 'INSERT' : is ? 'MODIFY' : 'REMOVE',
      ttlExpired: ttlExpired && was !== undefined,
      texts: is?.texts,
      quality: !was && !is ? 'skipped' : (is?.quality ?? 'good'),
      newLabel,
      wrongLabel: is?.label === 'invalid',
      shardId: shard.id,
      record: {
        eventID: sequenceNumber,
        eventName,
        eventSource: 'aws:dynamodb',
        eventSourceARN: `arn:aws:dynamodb:us-east-1:000000000000:table/accounts/stream/${this.#isAnew ? 2 : 1}`,
        dynamodb: {
          ApproximateCreationDateTime: second,
          Keys: this.#keys.of(recordIdentifier),
          ...(item && { NewImage: item.attributes }),
          ...(before && { OldImage: before.attributes }),
          SequenceNumber: sequenceNumber,
          StreamViewType: 'NEW_AND_OLD_IMAGES',
        },
        ...(ttlExpired && { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } }),
      },
      eventTimeMs: undefined,
      timedIn: undefined,
      acknowledged: false,
      discarded: false,
      trimmed: false,
    };
    this.changes.push(change);
    this.bySequenceNumber.set(sequenceNumber, change);
    const history = this.histories.get(recordIdentifier);
    // What is skipped is no part of a record's history.
    if (change.quality !== 'skipped') {
      if (history) history.push(change);
      else this.histories.set(recordIdentifier, [change]);
    }
    shard.records.push(change);
    this.onChange(change);
    shard.onRecord();
    if (this.shards.length < 60 && this.#faults.strikes('a shard was split')) this.#split(shard);
    if (!this.#isAnew && this.#faults.strikes('the stream was made anew')) this.#makeAnew();
  }

  #shardOf(recordIdentifier: string): Shard {
    const hash = hashOf(recordIdentifier);
    const shard = this.shards.find((it) => it.open && hash >= it.from && hash < it.to);
    if (!shard) throw new Error(`no open shard for ${recordIdentifier}`);
    return shard;
  }

  /** Closes a shard; its range goes on in two children, or, as shards also end of age, in one. */
  #split(shard: Shard): void {
    shard.open = false;
    const middle = (shard.from + shard.to) / 2;
    // As in AWS's example, the numbers of a child begin higher than its parent's, and may be longer.
    const leap = BigInt(this.#random.integer(1, String(shard.sequence).length < SEQUENCE_DIGITS_MAX - 1 ? 12 : 1));
    const ranges = this.#random.chance(0.3)
      ? [[shard.from, shard.to]]
      : [
          [shard.from, middle],
          [middle, shard.to],
        ];
    for (const [from = 0, to = 0] of ranges) {
      if (this.#numbersBeginAnew) this.#addShard(shard, from, to, this.#anyNumber(), this.#hazardSeconds + 1);
      else this.#addShard(shard, from, to, shard.sequence * leap);
    }
    shard.onRecord();
  }

  /** The stream was disabled and enabled again: another one, a while later, which numbers its records from anywhere. */
  #makeAnew(): void {
    this.#isAnew = true;
    for (const shard of this.shards.filter(({ open }) => open)) {
      shard.open = false;
      this.#addShard(shard, shard.from, shard.to, this.#anyNumber(), STREAM_PAUSE_SECONDS);
      shard.onRecord();
    }
  }

  #anyNumber(): bigint {
    return 10n ** BigInt(this.#random.integer(20, SEQUENCE_DIGITS_MAX - 8)) + BigInt(this.#random.integer(1, 1e9));
  }

  /** @param pause seconds between the last record of its parent and its first, by the stream's clock. */
  #addShard(parent: Shard | undefined, from: number, to: number, sequence: bigint, pause = 0): void {
    const shard: Shard = {
      id: this.shards.length,
      parent,
      from,
      to,
      records: [],
      open: true,
      latestSecond: parent?.latestSecond ?? 0,
      notBefore: pause === 0 ? 0 : (parent?.latestSecond ?? 0) + pause,
      clockOffsetMs: 0,
      sequence,
      onRecord: () => {},
    };
    this.shards.push(shard);
    this.onShard(shard);
  }

  /** Whole seconds of a clock that may be off, but within what ingest is configured to expect. */
  #creationSecond(shard: Shard): number {
    if (this.#faults.strikes('the creation clock stepped')) {
      shard.clockOffsetMs = (this.#random.next() * 2 - 1) * this.#hazardSeconds * 1_000;
    }
    const second = Math.floor((this.#scheduler.now + shard.clockOffsetMs) / 1_000);
    const kept = Math.max(second, shard.latestSecond - this.#hazardSeconds, shard.notBefore);
    shard.latestSecond = Math.max(shard.latestSecond, kept);
    return kept;
  }

  #nextSequenceNumber(shard: Shard): string {
    const next = shard.sequence + BigInt(this.#random.integer(1, 5_000)) * SHARDS_MAX;
    shard.sequence = next - (next % SHARDS_MAX) + BigInt(shard.id);
    return String(shard.sequence);
  }
}

function hashOf(text: string): number {
  let hash = 7;
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return ((Math.imul(hash, 0x9e3779b1) >>> 0) % 1_000_003) / 1_000_003;
}
