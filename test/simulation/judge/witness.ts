import type { FeatureText } from '../../../shared/changes/change.ts';
import { columnsOf, type FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { Caller } from '../aws/aws-call.ts';
import type { Item } from '../aws/expression.ts';
import type { FeatureStore, OnlineWrite } from '../aws/feature-store.ts';
import type { Profile } from '../world/profile.ts';
import type { SourceTable, TrueChange } from '../world/source-table.ts';
import { isRepair, type LogRow, parseRow } from './change-log-rows.ts';
import { Violation } from './violation.ts';

/** Numbers the invariants measure on the way. */
export interface Measures {
  /** Change log rows of changes that had one already, with the same event time, and with an earlier one. */
  sameEventTime: number;
  earlierEventTime: number;
  onlineWrites: number;
  labels: number;
  /** Labels that landed in an epoch after it had been claimed. */
  lateLabels: number;
}

/**
 * Holds every effect against the truth, as it happens. Knows the table's changes and what each of them must become; knows
 * nothing of how the product works.
 */
export class Witness {
  readonly measures: Measures = {
    sameEventTime: 0,
    earlierEventTime: 0,
    onlineWrites: 0,
    labels: 0,
    lateLabels: 0,
  };
  readonly logged = new Set<string>();
  /** The change whose state each online record holds. */
  readonly online = new Map<string, TrueChange>();
  readonly ledger = new Map<string, TrueChange>();
  readonly #table: SourceTable;
  readonly #profile: Profile;
  readonly #group: FeatureGroup;
  readonly #featureStore: () => FeatureStore;
  /** Where each entry of the ledger counts: its epoch and class. */
  readonly #places = new Map<string, { epoch: number; label: '0' | '1' }>();
  /** The ledger's key of each labeled record. */
  readonly #entries = new Map<string, string>();
  /** How many fences each record has been left. */
  readonly #fences = new Map<string, number>();
  /** Records that redrive has put right, where items bring their own times. */
  readonly #repaired = new Set<string>();
  readonly #byVersion = new Map<string, TrueChange>();
  /** The last deletion of each record whose tombstone, without an event time, has yielded to an older change. */
  readonly #yielded = new Map<string, TrueChange>();
  #epoch = 1;
  #closed = 0;

  constructor(table: SourceTable, profile: Profile, featureStore: () => FeatureStore) {
    this.#table = table;
    this.#profile = profile;
    this.#group = profile.group;
    this.#featureStore = featureStore;
  }

  changed(change: TrueChange): void {
    if (change.texts) this.#byVersion.set(String(change.texts[0]), change);
  }

  /** Feature Store has taken or passed over a version. */
  onlineWrite({ recordIdentifier, features, eventTimeMs, applied, leftNothing }: OnlineWrite, caller: Caller): void {
    this.measures.onlineWrites += 1;
    const change = features
      ? this.#byVersion.get(features.get('version') ?? '')
      : this.#removal(recordIdentifier, caller);
    const told = `${caller.name} wrote event time ${iso(eventTimeMs)} for ${recordIdentifier}`;
    if (!change || change.recordIdentifier !== recordIdentifier) {
      throw new Violation(
        'online values are the table’s',
        `${told}: no change of that record is like it`,
        recordIdentifier,
      );
    }
    if (features) {
      const expected = this.#expectedFeatures(change);
      const same =
        expected.size === features.size && [...expected].every(([name, text]) => features.get(name) === text);
      if (!same) {
        const found = JSON.stringify(Object.fromEntries(features));
        const wanted = JSON.stringify(Object.fromEntries(expected));
        throw new Violation(
          'online values are the table’s',
          `${told}: ${found} instead of ${wanted}`,
          recordIdentifier,
        );
      }
    }
    // Where a repair has left nothing, what is still in the stream comes one after the other, the deletion last.
    if (leftNothing && !batches.has(caller)) return;
    const before = this.online.get(recordIdentifier);
    // A tombstone without an event time yields to whatever is delivered again, until its own deletion is.
    const yields = before?.eventName === 'REMOVE' && !this.#profile.tombstones.keepEventTime;
    if (applied && before && before.order > change.order && !yields && !this.#isExcused(recordIdentifier)) {
      throw new Violation(
        'a stale change never overwrites a newer one',
        `${told}: ${nameOf(change)} took the place of ${nameOf(before)}`,
        recordIdentifier,
      );
    }
    if (applied && before && before.order > change.order && yields) this.#yielded.set(recordIdentifier, before);
    if (applied)
      this.online.set(recordIdentifier, batches.has(caller) ? change : this.#repairedTo(change, eventTimeMs));
    // A repair may be passed over: what it repairs is then on its way in the stream.
    else if (
      before &&
      before.order < change.order &&
      batches.has(caller) &&
      !this.#isExcused(recordIdentifier) &&
      !this.#yieldedToRefused(change)
    ) {
      const stored = this.#featureStore().records.get(recordIdentifier);
      throw new Violation(
        'no update is lost to an older one',
        `${told}: ${nameOf(change)} was passed over, as ${nameOf(before)} has ${iso(stored?.eventTimeMs ?? 0)}`,
        recordIdentifier,
      );
    }
  }

  /** Firehose has taken a row. */
  row(text: string, caller: Caller): void {
    const row = parseRow(text);
    if (isRepair(row)) {
      this.#repairRow(row, `${caller.name} logged ${text}`);
      return;
    }
    const change = this.#table.bySequenceNumber.get(row.sequenceNumber);
    const told = `${caller.name} logged ${text}`;
    if (!change) throw new Violation('the change log holds the changes', `${told}: there is no such change`);
    const id = change.recordIdentifier;
    const expected = columnsOf(this.#group).map((_, index) => fieldOf(change.texts?.[index]));
    if (
      row.recordIdentifier !== id ||
      row.eventName !== change.eventName ||
      row.ttlExpired !== change.ttlExpired ||
      change.quality === 'malformed' ||
      change.quality === 'skipped' ||
      row.features.length !== expected.length ||
      row.features.some((field, index) => field !== expected[index])
    ) {
      throw new Violation('the change log holds the changes', `${told}: the change is not like it`, id);
    }
    this.logged.add(row.sequenceNumber);
    this.#eventTime(change, Date.parse(row.eventTime), told, batches.get(caller));
  }

  /** A repair states what an item was, or that it was gone. */
  #repairRow(row: LogRow, told: string): void {
    const { recordIdentifier: id, features } = row;
    const state = this.#byVersion.get(features[0] ?? '');
    const history = this.#table.histories.get(id);
    const same =
      row.eventName === 'REPAIR'
        ? state?.recordIdentifier === id && features.every((field, index) => field === fieldOf(state.texts?.[index]))
        : history?.some(({ eventName }) => eventName === 'REMOVE') && features.every((field) => field === null);
    if (!same) throw new Violation('repairs are states of the table', `${told}: the item was never like it`, id);
  }

  /** A change was given an event time: as before, or for the first time, and then in order. */
  #eventTime(change: TrueChange, ms: number, told: string, batch: readonly TrueChange[] | undefined): void {
    const id = change.recordIdentifier;
    if (change.eventTimeMs === undefined) {
      change.eventTimeMs = ms;
      change.timedIn = { batchStart: batch?.[0], fences: this.#fences.get(id) ?? 0 };
      if (this.#isExcused(id)) return;
      const history = this.#table.histories.get(id) ?? [];
      const place = placeOf(history, change);
      let before = place - 1;
      while (before >= 0 && history[before]?.eventTimeMs === undefined) before -= 1;
      const earlier = history[before];
      if (earlier?.eventTimeMs !== undefined && earlier.eventTimeMs >= ms) {
        const words = `${told}: not after ${nameOf(earlier)}, which has ${iso(earlier.eventTimeMs)}`;
        throw new Violation('event times increase along the changes of a record', words, id);
      }
      return;
    }
    if (ms === change.eventTimeMs) {
      this.measures.sameEventTime += 1;
      return;
    }
    if (this.#isExcused(id)) {
      change.eventTimeMs = Math.max(ms, change.eventTimeMs);
      return;
    }
    if (ms > change.eventTimeMs) {
      const words = `${told}: delivered again, it had ${iso(change.eventTimeMs)}`;
      throw new Violation('a change delivered again gets the same event time', words, id);
    }
    this.measures.earlierEventTime += 1;
    const stored = this.#featureStore().records.get(id);
    const online = this.online.get(id);
    // A put may be made before its row is: the deletion that it has taken the place of is delivered again behind it.
    const yielded = (this.#yielded.get(id)?.order ?? -1) > change.order;
    const cannotWin =
      yielded ||
      (online &&
        online.order >= change.order &&
        (stored ? stored.eventTimeMs > ms : !this.#profile.tombstones.keepEventTime));
    // A redriven row beside the one that ingest wrote is a duplicate that the view passes over.
    const { batchStart, fences = 0 } = change.timedIn ?? {};
    // A fence remembers the one before it: a batch that begins as it did, and has left one fence, finds what it found.
    const remembered = batchStart === batch?.[0] && (this.#fences.get(id) ?? 0) <= fences + 1;
    if (batch && remembered && !this.#yieldedToRefused(change)) {
      const words = `${told}: delivered again from the same record on, it had ${iso(change.eventTimeMs)}`;
      throw new Violation('a change delivered again gets the same event time', words, id);
    }
    if (batch && !cannotWin && !this.#yieldedToRefused(change)) {
      const words = `${told}: delivered again, it had ${iso(change.eventTimeMs)}, and nothing later is in the online store`;
      throw new Violation('a change delivered again gets the same event time', words, id);
    }
  }

  /** An item of the state table was written. */
  stateWrite(pk: string, before: Item | undefined, after: Item, caller: Caller): void {
    if (pk.startsWith('fence#')) {
      const id = after.record?.S ?? '';
      this.#fences.set(id, (this.#fences.get(id) ?? 0) + 1);
      if (!batches.has(caller)) this.#repaired.add(id);
    }
    if (pk.startsWith('label#')) this.#label(pk, before, after);
    if (pk === 'epoch') this.#epochMoved(before, after);
  }

  #label(pk: string, before: Item | undefined, after: Item): void {
    const sequenceNumber = unpadded(after.sequenceNumber?.S);
    const change = this.#table.bySequenceNumber.get(sequenceNumber);
    const id = change?.recordIdentifier;
    const told = `${pk} became label ${after.label?.S} of ${sequenceNumber} in epoch ${after.epoch?.N}`;
    if (!change || change.newLabel === undefined || change.newLabel !== after.label?.S) {
      throw new Violation('each labeled record is counted once', `${told}: no label event is like it`, id);
    }
    const entry = this.#entries.get(change.recordIdentifier) ?? pk;
    if (entry !== pk) {
      throw new Violation('each labeled record is counted once', `${told}: it is counted in ${entry} already`, id);
    }
    this.#entries.set(change.recordIdentifier, pk);
    const known = before && this.#table.bySequenceNumber.get(unpadded(before.sequenceNumber?.S));
    if (known && known.order >= change.order) {
      throw new Violation('each labeled record is counted once', `${told}: it had ${nameOf(known)} already`, id);
    }
    this.measures.labels += 1;
    if (Number(after.epoch?.N) < this.#epoch) this.measures.lateLabels += 1;
    if (Number(after.epoch?.N) > this.#epoch) {
      throw new Violation('each labeled record is counted once', `${told}: the epoch is ${this.#epoch}`, id);
    }
    this.ledger.set(change.recordIdentifier, change);
    const epoch = Number(after.epoch?.N);
    this.#places.set(pk, { epoch, label: change.newLabel as '0' | '1' });
    if (epoch <= this.#closed) {
      const words = `${told}: that epoch is closed, so it counts towards no training`;
      throw new Violation('each labeled record counts towards one threshold', words, id);
    }
  }

  /** A closed epoch carries over what its claim did not count, but for records that were labeled again since. */
  #closedWith(epoch: number, state: Item): void {
    for (const label of ['0', '1'] as const) {
      const size = [...this.#places.values()].filter((it) => it.epoch === epoch && it.label === label).length;
      const counted = Number(state.countsAtClaim?.M?.[label]?.N);
      const carried = Number(state.carried?.M?.[label]?.N);
      if (carried === Math.max(0, size - counted)) continue;
      const words = `epoch ${epoch} has ${size} of class ${label}, ${counted} were counted, and ${carried} carried over`;
      throw new Violation('each labeled record counts towards one threshold', words);
    }
    this.#closed = epoch;
  }

  #epochMoved(before: Item | undefined, after: Item): void {
    const from = Number(before?.epoch?.N ?? 1);
    const to = Number(after.epoch?.N ?? 1);
    if (to !== from && to !== from + 1) {
      throw new Violation('epochs go on one by one', `the epoch moved from ${from} to ${to}`);
    }
    if (before?.training && after.training && JSON.stringify(before.training) !== JSON.stringify(after.training)) {
      throw new Violation(
        'one training at a time',
        `a training was claimed in epoch ${to} while another was in flight`,
      );
    }
    const closed = Number(after.lastTraining?.M?.epoch?.N ?? 0);
    if (closed > this.#closed) this.#closedWith(closed, after);
    this.#epoch = to;
  }

  /** Lambda has taken an answer: the first `taken` records will not be delivered again, as far as it knows. */
  acknowledged(batch: readonly TrueChange[], taken: number, quarantined: ReadonlyMap<string, string>): void {
    // What a later change of the same batch overtook is that one's to bring, even when it has to come again.
    const lastOnline = new Map<string, TrueChange>();
    const lastLabel = new Map<string, TrueChange>();
    for (const change of batch) {
      if (change.quality === 'malformed' || change.quality === 'skipped') continue;
      if (this.touchesOnline(change)) lastOnline.set(change.recordIdentifier, change);
      if (change.newLabel !== undefined) lastLabel.set(change.recordIdentifier, change);
    }
    for (const change of batch.slice(0, taken)) {
      const id = change.recordIdentifier;
      const missing = (invariant: string, found = 'it is not there') => {
        throw new Violation(invariant, `${nameOf(change)} was acknowledged, and ${found}`, id);
      };
      change.acknowledged = true;
      if (change.quality === 'skipped') continue;
      const sent = lastOnline.get(id) === change;
      const wrong = change.quality === 'malformed' || (change.quality === 'refused' && sent);
      if (wrong && quarantined.get(change.sequenceNumber) !== JSON.stringify(change.record))
        missing('wrong records are quarantined whole');
      if (change.wrongLabel && quarantined.get(change.sequenceNumber) !== JSON.stringify(change.record))
        missing('wrong labels are quarantined, and their records with them');
      if (change.quality === 'malformed') continue;
      if (!this.logged.has(change.sequenceNumber)) missing('every change is in the change log');
      const label = this.ledger.get(id);
      if (lastLabel.get(id) === change && (!label || label.order < change.order)) missing('no label is missed');
      if (!sent || wrong || this.#isExcused(id) || this.#yieldedToRefused(change)) continue;
      const online = this.online.get(id);
      if (!online || online.order < change.order) {
        missing('what is acknowledged is online', `the online store holds ${online ? nameOf(online) : 'nothing'}`);
      }
    }
  }

  /** Whether the change takes effect on the online record: the definition may keep what was deleted. */
  touchesOnline(change: TrueChange): boolean {
    if (change.eventName !== 'REMOVE') return true;
    return (change.ttlExpired ? this.#group.onTtlExpiry : this.#group.onDelete) === 'delete';
  }

  /**
   * Records whose order is only had once redrive is through, and is checked then. Discarded and trimmed changes leave no
   * fence. Where items bring their own times, a repair takes the next time there is, whatever still waits in the stream.
   */
  #isExcused(recordIdentifier: string): boolean {
    if (this.#repaired.has(recordIdentifier)) return true;
    if (this.#profile.retriesMax < 0 && this.#profile.outageHours === 0) return false;
    return (this.#table.histories.get(recordIdentifier) ?? []).some((it) => it.discarded || it.trimmed);
  }

  /**
   * Whether a later change had been delivered before, which Feature Store then refused: the record is wrong from there
   * on, and which of its older states is online until it is mended is nobody's promise.
   */
  #yieldedToRefused(change: TrueChange): boolean {
    const history = this.#table.histories.get(change.recordIdentifier) ?? [];
    return history.some((it) => it.quality === 'refused' && it.order > change.order && it.eventTimeMs !== undefined);
  }

  /**
   * A repair holds what the table is now, but is dated in the past, so that changes between its date and its state, which
   * are still in the stream, take its place again. It counts as the last change that its date outdoes for certain.
   */
  #repairedTo(change: TrueChange, eventTimeMs: number): TrueChange {
    const before = this.online.get(change.recordIdentifier);
    let outdone: TrueChange | undefined;
    let clockMs = 0;
    for (const it of this.#table.histories.get(change.recordIdentifier) ?? []) {
      // A change behind one of a later second is dated behind it, too: a record's clock never goes back.
      clockMs = Math.max(clockMs, it.eventTimeMs ?? it.second * 1_000);
      if (it.order > change.order || clockMs > eventTimeMs) break;
      outdone = it;
    }
    if (!outdone) return before ?? change;
    return before && before.order > outdone.order ? before : outdone;
  }

  #removal(recordIdentifier: string, caller: Caller): TrueChange | undefined {
    const batch = batches.get(caller);
    // Redrive sees that the item is gone, not how it went.
    const candidates = batch
      ? batch.filter((it) => it.recordIdentifier === recordIdentifier && this.touchesOnline(it))
      : this.#table.histories.get(recordIdentifier);
    return candidates?.filter((it) => it.eventName === 'REMOVE').at(-1);
  }

  #expectedFeatures(change: TrueChange): Map<string, string> {
    const texts = columnsOf(this.#group).map(({ name }, index) => [name, change.texts?.[index]] as const);
    return new Map(texts.filter((entry): entry is readonly [string, string] => typeof entry[1] === 'string'));
  }
}

/** The batch that an invocation of ingest was given. */
export const batches = new WeakMap<Caller, readonly TrueChange[]>();

export function nameOf({ eventName, recordIdentifier, sequenceNumber, texts }: TrueChange): string {
  return `${eventName} ${sequenceNumber} of ${recordIdentifier}${texts ? ` (version ${texts[0]})` : ''}`;
}

/** A feature text as the change log can hold it. */
export function fieldOf(text: FeatureText): string | null {
  return text === undefined || text === null ? null : text.replace(/\r\n|[\r\n]/g, ' ');
}

function placeOf(history: readonly TrueChange[], change: TrueChange): number {
  let low = 0;
  let high = history.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((history[middle]?.order ?? 0) < change.order) low = middle + 1;
    else high = middle;
  }
  return low;
}

function unpadded(text: string | undefined): string {
  return (text ?? '').replace(/^0+(?=\d)/, '');
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
