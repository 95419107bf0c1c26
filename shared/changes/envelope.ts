import type { FeatureGroup } from '../definition/feature-group.ts';
import type { AttributeValue } from './attribute-value.ts';
import type { Change, EventName, Skipped } from './change.ts';
import { epochSecond } from './event-time.ts';
import type { ItemTest } from './items.ts';
import { EnvelopeProblem } from './problem.ts';
import { identifierOf } from './record-identifier.ts';
import { sequenceNumberOf } from './sequence-number.ts';

/** A stream record without its features. */
export interface Envelope
  extends Pick<Change, 'eventName' | 'sequenceNumber' | 'recordIdentifier' | 'second' | 'streamSecond' | 'ttlExpired'> {
  readonly newImage: Readonly<Record<string, AttributeValue>> | undefined;
  readonly oldImage: Readonly<Record<string, AttributeValue>> | undefined;
}

/**
 * Everything of a stream record but its features: which item, what happened, in which order, when.
 *
 * @param isRecord where not every item is a record. An item that becomes one is inserted, and one that is none any more is
 *   removed, whatever happened to it in the table.
 */
export function readEnvelope(
  record: unknown,
  group: FeatureGroup,
  isRecord: ItemTest | undefined,
): Envelope | Skipped | EnvelopeProblem {
  const { eventName, dynamodb, userIdentity } = (record ?? {}) as StreamRecordShape;
  if (eventName !== 'INSERT' && eventName !== 'MODIFY' && eventName !== 'REMOVE') {
    return new EnvelopeProblem('malformed-record', 'eventName', 'Expected INSERT, MODIFY or REMOVE.');
  }
  const sequenceNumber = sequenceNumberOf(record);
  if (sequenceNumber === undefined) {
    return new EnvelopeProblem('malformed-record', 'dynamodb.SequenceNumber', 'Expected a text of digits.');
  }
  const recordIdentifier = identifierOf(dynamodb?.Keys, group);
  if (recordIdentifier instanceof EnvelopeProblem) return recordIdentifier;
  let newImage = eventName === 'REMOVE' ? undefined : dynamodb?.NewImage;
  let oldImage = dynamodb?.OldImage;
  if ((eventName !== 'REMOVE' && !newImage) || (eventName === 'MODIFY' && !oldImage)) {
    return new EnvelopeProblem(
      'stream-view-type',
      'dynamodb.StreamViewType',
      `${eventName} without both images: the table's stream must be NEW_AND_OLD_IMAGES.`,
    );
  }
  let whatHappened: EventName = eventName;
  if (isRecord) {
    if (newImage && !isRecord(newImage)) newImage = undefined;
    // Of a removed item that no image tells of, it is unknown: to remove what is not there does no harm.
    const wasRecord = oldImage ? isRecord(oldImage) : eventName === 'REMOVE';
    if (!wasRecord) oldImage = undefined;
    if (!newImage && !wasRecord) {
      return { skipped: true, sequenceNumber, second: epochSecond(dynamodb?.ApproximateCreationDateTime) };
    }
    whatHappened = !newImage ? 'REMOVE' : wasRecord ? 'MODIFY' : 'INSERT';
  }
  const second = secondOf(dynamodb?.ApproximateCreationDateTime, newImage, group);
  if (second instanceof EnvelopeProblem) return second;
  return {
    eventName: whatHappened,
    sequenceNumber,
    recordIdentifier,
    second,
    streamSecond:
      group.eventTime.attribute === undefined ? undefined : epochSecond(dynamodb?.ApproximateCreationDateTime),
    // Service principal and REMOVE together: tools put userIdentity on other events too.
    ttlExpired: eventName === 'REMOVE' && userIdentity?.principalId === 'dynamodb.amazonaws.com',
    newImage,
    oldImage,
  };
}

interface StreamRecordShape {
  readonly eventName?: EventName;
  readonly userIdentity?: { readonly principalId?: string } | null;
  readonly dynamodb?: {
    readonly ApproximateCreationDateTime?: unknown;
    readonly Keys?: Readonly<Record<string, AttributeValue>>;
    readonly NewImage?: Readonly<Record<string, AttributeValue>>;
    readonly OldImage?: Readonly<Record<string, AttributeValue>>;
  };
}

function secondOf(
  creationTime: unknown,
  newImage: Readonly<Record<string, AttributeValue>> | undefined,
  group: FeatureGroup,
): number | EnvelopeProblem {
  const { attribute } = group.eventTime;
  // A deletion has no timestamp of its own: its time is the stream's.
  if (attribute !== undefined && newImage) {
    const value = newImage[attribute];
    return (
      epochSecond(value?.N ?? value?.S) ??
      new EnvelopeProblem(
        'invalid-timestamp',
        `dynamodb.NewImage.${attribute}`,
        'Expected epoch seconds (N) or an ISO 8601 time with its zone (S).',
      )
    );
  }
  return (
    epochSecond(creationTime) ??
    new EnvelopeProblem(
      'missing-creation-time',
      'dynamodb.ApproximateCreationDateTime',
      'Expected epoch seconds: without a time the change cannot be ordered.',
    )
  );
}
