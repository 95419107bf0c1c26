import { columnsOf, type FeatureGroup } from '../definition/feature-group.ts';

/**
 * A feature's value as text, exactly as the sinks take it. `null` is DynamoDB's NULL, `undefined` an absent attribute,
 * `''` an empty string: three different things here, of which the sinks can tell the last from the first two.
 */
export type FeatureText = string | null | undefined;

/**
 * A feature's value as decoded: its text, but a category by its position in the definition, so that whoever writes it
 * need not search for it again.
 */
export type FeatureCode = FeatureText | number;

/**
 * The stream's own three, and what a repair states instead: as of a moment the item was this (`REPAIR`), or was not there
 * (`REPAIR_REMOVE`). `SNAPSHOT` is how an item was as of a moment before the stream was read.
 */
export type EventName = 'INSERT' | 'MODIFY' | 'REMOVE' | 'REPAIR' | 'REPAIR_REMOVE' | 'SNAPSHOT';

/** One decoded stream record. */
export interface Change {
  readonly eventName: EventName;
  /** Digits only, 21 to 40 of them in AWS; compare with {@link compareSequenceNumbers}, never as text. */
  readonly sequenceNumber: string;
  readonly recordIdentifier: string;
  /** Epoch second that the event time is made from. */
  readonly second: number;
  /** Epoch second by the stream's clock, where event times come from the items; elsewhere `second` is that. */
  readonly streamSecond?: number | undefined;
  /** DynamoDB's TTL removed the item, nobody asked for it. */
  readonly ttlExpired: boolean;
  /** Features and label after the change, in the order of `columnsOf`. Undefined for REMOVE. */
  readonly values: readonly FeatureCode[] | undefined;
  /** The label this change brought, when it is a label event: after-image labeled, before-image not or otherwise. */
  readonly newLabel: string | undefined;
  /** The record's label is none: it counts as absent, and is put into quarantine apart from the change. */
  readonly wrongLabel?: Rejection | undefined;
}

/** Epoch second of a change by the stream's clock. */
export const streamSecondOf = ({ second, streamSecond }: Pick<Change, 'second' | 'streamSecond'>): number =>
  streamSecond ?? second;

/** The texts of a change's features and label, in the order of `columnsOf`; none for REMOVE. */
export function featureTexts(group: FeatureGroup, { values = [] }: Pick<Change, 'values'>): FeatureText[] {
  const columns = columnsOf(group);
  return values.map((value, index) => {
    if (typeof value !== 'number') return value;
    const feature = columns[index]?.feature;
    return feature !== 'label' && feature?.type === 'categorical' ? feature.categories[value] : undefined;
  });
}

/** A change with its event time, in epoch milliseconds. */
export interface TimedChange extends Change {
  readonly eventTimeMs: number;
}

/** Why a record can never be delivered as it is. */
export type RejectionReason =
  | 'malformed-record'
  | 'missing-creation-time'
  | 'stream-view-type'
  | 'key-schema'
  | 'missing-feature'
  | 'wrong-type'
  | 'not-integral'
  | 'out-of-range'
  | 'unknown-category'
  | 'invalid-label'
  | 'invalid-timestamp'
  | 'derived-failed'
  | 'record-too-large'
  | 'refused-by-feature-store';

/** A record that is wrong: retrying cannot help, so it goes to quarantine, whole. A value, never thrown. */
export interface Rejection {
  /** Undefined when the record has none, which AWS never sends. */
  readonly sequenceNumber: string | undefined;
  readonly reason: RejectionReason;
  /** Where in the record, such as `dynamodb.NewImage.age`. */
  readonly path: string;
  /** One sentence: what was found (never the value: it may be personal data) and what is expected. */
  readonly message: string;
  /** What the service that refused the record said of it. Kept with the record only, as it may repeat a value. */
  readonly detail?: string;
  /** The stream record as it came. */
  readonly record: unknown;
}

/** A change of an item that the definition does not take in, before it nor after it: it has no effect. */
export interface Skipped {
  readonly skipped: true;
  readonly sequenceNumber: string;
  /** Epoch second by the stream's clock, where the record has it. */
  readonly second: number | undefined;
}

/** Something could not be delivered because the world is wrong just now; the change is to be delivered again. */
export interface Failure {
  readonly sequenceNumber: string;
  /** What could not be done, and the last error. */
  readonly message: string;
}
