import { plainDecimal } from '../definition/decimal.ts';
import type { FeatureGroup } from '../feature-groups/define.ts';
import type { AttributeValue } from './attribute-value.ts';
import type { Change, EventName, RejectionReason } from './change.ts';
import { epochSecond } from './event-time.ts';
import { Problem } from './feature-decoder.ts';

/** Longest record identifier, in bytes. Source: Feature Store quotas, 2 KB. */
const RECORD_IDENTIFIER_BYTES_MAX = 2 * 1024;

/** A stream record without its features. */
export interface Envelope
  extends Pick<Change, 'eventName' | 'sequenceNumber' | 'recordIdentifier' | 'second' | 'ttlExpired'> {
  readonly newImage: Readonly<Record<string, AttributeValue>> | undefined;
  readonly oldImage: Readonly<Record<string, AttributeValue>> | undefined;
}

/** What is wrong with a stream record, and where. */
export class EnvelopeProblem extends Problem {
  readonly path: string;

  constructor(reason: RejectionReason, path: string, message: string) {
    super(reason, message);
    this.path = path;
  }
}

/** The record's sequence number, if it has one. */
export function sequenceNumberOf(record: unknown): string | undefined {
  const value = (record as { dynamodb?: { SequenceNumber?: unknown } } | null)?.dynamodb?.SequenceNumber;
  return typeof value === 'string' && isDigits(value) ? value : undefined;
}

function isDigits(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text.length > 0;
}

/** Everything of a stream record but its features: which item, what happened, in which order, when. */
export function readEnvelope(record: unknown, group: FeatureGroup): Envelope | EnvelopeProblem {
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
  const newImage = eventName === 'REMOVE' ? undefined : dynamodb?.NewImage;
  if ((eventName !== 'REMOVE' && !newImage) || (eventName === 'MODIFY' && !dynamodb?.OldImage)) {
    return new EnvelopeProblem(
      'stream-view-type',
      'dynamodb.StreamViewType',
      `${eventName} without both images: the table's stream must be NEW_AND_OLD_IMAGES.`,
    );
  }
  const second = secondOf(dynamodb?.ApproximateCreationDateTime, newImage, group);
  if (second instanceof EnvelopeProblem) return second;
  return {
    eventName,
    sequenceNumber,
    recordIdentifier,
    second,
    // Service principal and REMOVE together: tools put userIdentity on other events too.
    ttlExpired: eventName === 'REMOVE' && userIdentity?.principalId === 'dynamodb.amazonaws.com',
    newImage,
    oldImage: dynamodb?.OldImage,
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

/**
 * The record identifier: the key attribute's text; of two key attributes, both, joined by `|` with `\` and `|` escaped
 * by `\`, so that different keys never give the same identifier.
 */
function identifierOf(
  keys: Readonly<Record<string, AttributeValue>> | undefined,
  group: FeatureGroup,
): string | EnvelopeProblem {
  const { attributes } = group.recordIdentifier;
  let count = 0;
  for (const _ in keys) count += 1;
  if (!keys || count !== attributes.length) {
    const found = Object.keys(keys ?? {});
    return new EnvelopeProblem(
      'key-schema',
      'dynamodb.Keys',
      `Expected the key attributes ${attributes.join(', ')} of the definition, found ${found.join(', ') || 'none'}.`,
    );
  }
  let identifier = '';
  for (let index = 0; index < attributes.length; index += 1) {
    const attribute = attributes[index] as string;
    const part = keyText(keys[attribute]);
    if (part === undefined) return new EnvelopeProblem('key-schema', `dynamodb.Keys.${attribute}`, 'Expected S or N.');
    identifier = attributes.length === 1 ? part : `${identifier}${index === 0 ? '' : '|'}${escaped(part)}`;
  }
  if (
    identifier.length * 3 > RECORD_IDENTIFIER_BYTES_MAX &&
    Buffer.byteLength(identifier) > RECORD_IDENTIFIER_BYTES_MAX
  ) {
    return new EnvelopeProblem(
      'record-too-large',
      'dynamodb.Keys',
      `The record identifier has more than ${RECORD_IDENTIFIER_BYTES_MAX} bytes, the most Feature Store takes.`,
    );
  }
  return identifier;
}

function keyText(value: AttributeValue | undefined): string | undefined {
  if (typeof value?.S === 'string') return value.S;
  return typeof value?.N === 'string' ? plainDecimal(value.N) : undefined;
}

function escaped(part: string): string {
  return part.replace(/[\\|]/g, '\\$&');
}

/** An item as the SDK reads it, in the form of a Lambda event: binary as base64 text. */
export function toEventImage(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(toEventImage);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toEventImage(member)]));
}
