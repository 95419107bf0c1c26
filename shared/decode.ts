import { type AttributeValue, attributeType, textOf } from './attribute-text.ts';
import type { Change, EventName, FeatureText, Rejection, RejectionReason } from './change.ts';
import { compareDecimals, integerText, plainDecimal } from './decimal.ts';
import { epochSecond } from './event-time.ts';
import { columnsOf, type Feature, type FeatureGroup } from './feature-groups/define.ts';

/** Largest record of Feature Store, in bytes. Source: Feature Store quotas, "maximum record size 350 KB". */
export const RECORD_BYTES_MAX = 350 * 1024;
/** Longest record identifier, in bytes. Source: Feature Store quotas, 2 KB. */
export const RECORD_IDENTIFIER_BYTES_MAX = 2 * 1024;

const INT64_MIN = '-9223372036854775808';
const INT64_MAX = '9223372036854775807';

/** Decodes one stream record: never throws, never returns anything that has not been checked. */
export type Decoder = (record: unknown) => Change | Rejection;

/** What is wrong with one attribute. Its message never holds the value, which may be personal data. */
class Problem {
  readonly reason: RejectionReason;
  readonly message: string;

  constructor(reason: RejectionReason, message: string) {
    this.reason = reason;
    this.message = message;
  }
}

type FeatureDecoder = (value: AttributeValue | undefined) => FeatureText | Problem;

export function isRejection(decoded: Change | Rejection): decoded is Rejection {
  return 'reason' in decoded;
}

export function isChange(decoded: Change | Rejection): decoded is Change {
  return !isRejection(decoded);
}

/**
 * Makes the decoder of a feature group's stream records. Everything that depends only on the definition is worked out
 * here, once; a record then costs one pass over its columns, and only a rejected one pays for its explanation.
 */
export function makeDecoder(group: FeatureGroup): Decoder {
  const columns = columnsOf(group).map(({ feature }) =>
    feature === 'label'
      ? { attribute: group.label.attribute, decode: decodeLabel }
      : { attribute: feature.attribute, decode: featureDecoder(feature) },
  );
  const labelColumn = columnsOf(group).findIndex(({ feature }) => feature === 'label');
  const namesBytes = columnsOf(group).reduce((bytes, { name }) => bytes + name.length, 64);

  const decode = (record: unknown, reject: Reject): Change | Rejection => {
    const envelope = readEnvelope(record, group);
    if (envelope instanceof EnvelopeProblem) return reject(envelope.reason, envelope.path, envelope.message);
    const { eventName, newImage, oldImage, ...rest } = envelope;
    if (newImage === undefined) return { ...rest, eventName, values: undefined, newLabel: undefined };

    const values: FeatureText[] = new Array(columns.length);
    let bytes = namesBytes + rest.recordIdentifier.length;
    for (const [index, column] of columns.entries()) {
      const value = column.decode(newImage[column.attribute]);
      if (value instanceof Problem) {
        return reject(value.reason, `dynamodb.NewImage.${column.attribute}`, value.message);
      }
      values[index] = value;
      if (typeof value === 'string') bytes += value.length;
    }
    // A character is at least one byte and at most three, so the exact count is needed only near the limit.
    if (bytes * 3 > RECORD_BYTES_MAX) {
      bytes = namesBytes + values.reduce((sum, value) => sum + Buffer.byteLength(value ?? ''), 0);
      if (bytes > RECORD_BYTES_MAX) {
        return reject(
          'record-too-large',
          'dynamodb.NewImage',
          `The record has ${bytes} bytes; Feature Store takes at most ${RECORD_BYTES_MAX}.`,
        );
      }
    }
    const label = values[labelColumn];
    const before = oldImage && decodeLabel(oldImage[group.label.attribute]);
    const newLabel = typeof label === 'string' && label !== before ? (label as '0' | '1') : undefined;
    return { ...rest, eventName, values, newLabel };
  };

  return (record) => {
    const reject: Reject = (reason, path, message) => ({
      sequenceNumber: sequenceNumberOf(record),
      reason,
      path,
      message,
      record,
    });
    try {
      return decode(record, reject);
    } catch (error) {
      // Only an "attribute value" that DynamoDB cannot have sent (a set that is no list, say) gets here.
      return reject('malformed-record', 'dynamodb', `Not a DynamoDB stream record: ${(error as Error).message}`);
    }
  };
}

type Reject = (reason: RejectionReason, path: string, message: string) => Rejection;

interface Envelope extends Pick<Change, 'eventName' | 'sequenceNumber' | 'recordIdentifier' | 'second' | 'ttlExpired'> {
  readonly newImage: Readonly<Record<string, AttributeValue>> | undefined;
  readonly oldImage: Readonly<Record<string, AttributeValue>> | undefined;
}

class EnvelopeProblem extends Problem {
  readonly path: string;

  constructor(reason: RejectionReason, path: string, message: string) {
    super(reason, message);
    this.path = path;
  }
}

function sequenceNumberOf(record: unknown): string | undefined {
  const value = (record as { dynamodb?: { SequenceNumber?: unknown } } | null)?.dynamodb?.SequenceNumber;
  return typeof value === 'string' && /^\d+$/.test(value) ? value : undefined;
}

/** Everything of a stream record but its features: which item, what happened, in which order, when. */
function readEnvelope(record: unknown, group: FeatureGroup): Envelope | EnvelopeProblem {
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
  const found = keys ? Object.keys(keys) : [];
  if (!keys || found.length !== attributes.length) {
    return new EnvelopeProblem(
      'key-schema',
      'dynamodb.Keys',
      `Expected the key attributes ${attributes.join(', ')} of the definition, found ${found.join(', ') || 'none'}.`,
    );
  }
  const parts: string[] = [];
  for (const attribute of attributes) {
    const value = keys[attribute];
    const part =
      typeof value?.S === 'string' ? value.S : typeof value?.N === 'string' ? plainDecimal(value.N) : undefined;
    if (part === undefined) {
      return new EnvelopeProblem('key-schema', `dynamodb.Keys.${attribute}`, 'Expected S or N.');
    }
    parts.push(part);
  }
  const identifier = joinIdentifier(parts);
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

/** One identifier from the texts of the key attributes, partition key first. */
export function joinIdentifier(parts: readonly string[]): string {
  if (parts.length === 1) return parts[0] as string;
  return parts.map((part) => part.replace(/[\\|]/g, '\\$&')).join('|');
}

function decodeLabel(value: AttributeValue | undefined): FeatureText | Problem {
  if (value === undefined || value === null) return undefined;
  if (value.NULL === true) return null;
  if (value.N === '0' || value.BOOL === false) return '0';
  if (value.N === '1' || value.BOOL === true) return '1';
  return new Problem('invalid-label', 'Expected N 0 or 1, or BOOL.');
}

function featureDecoder(feature: Feature): FeatureDecoder {
  const decode = presentDecoder(feature);
  const missing = feature.optional
    ? undefined
    : new Problem(
        'missing-feature',
        `${feature.name} is required; mark it optional in the definition if it may be absent.`,
      );
  return (value) => {
    if (value === undefined || value === null) return missing;
    if (value.NULL === true) return missing ?? null;
    return decode(value);
  };
}

function presentDecoder(feature: Feature): (value: AttributeValue) => FeatureText | Problem {
  const wrongType = (value: AttributeValue, expected: string) =>
    new Problem('wrong-type', `Expected ${expected}, found ${attributeType(value) ?? 'no attribute value'}.`);
  switch (feature.type) {
    case 'string':
      return (value) => textOf(value) ?? wrongType(value, 'S, B, SS, NS, BS, L or M');
    case 'boolean':
      return (value) => (value.BOOL === true ? '1' : value.BOOL === false ? '0' : wrongType(value, 'BOOL'));
    case 'categorical': {
      const categories = new Set(feature.categories);
      const unknown = new Problem('unknown-category', `Expected one of ${feature.categories.join(', ')}.`);
      return (value) =>
        typeof value.S !== 'string' ? wrongType(value, 'S') : categories.has(value.S) ? value.S : unknown;
    }
    case 'integral':
      return numberDecoder(feature, wrongType, INT64_MIN, INT64_MAX);
    case 'fractional':
      return numberDecoder(feature, wrongType, undefined, undefined);
  }
}

function numberDecoder(
  feature: Extract<Feature, { type: 'integral' | 'fractional' }>,
  wrongType: (value: AttributeValue, expected: string) => Problem,
  typeMin: string | undefined,
  typeMax: string | undefined,
): (value: AttributeValue) => FeatureText | Problem {
  const min = feature.min === undefined ? typeMin : plainDecimal(String(feature.min));
  const max = feature.max === undefined ? typeMax : plainDecimal(String(feature.max));
  const outOfRange = new Problem('out-of-range', `Expected ${min ?? 'any number'} to ${max ?? 'any number'}.`);
  const notIntegral = new Problem('not-integral', 'Expected a whole number.');
  return (value) => {
    const number = typeof value.N === 'string' ? plainDecimal(value.N) : undefined;
    if (number === undefined) return wrongType(value, 'N');
    const text = feature.type === 'integral' ? integerText(number) : number;
    if (text === undefined) return notIntegral;
    if (min !== undefined && compareDecimals(text, min) < 0) return outOfRange;
    if (max !== undefined && compareDecimals(text, max) > 0) return outOfRange;
    return text;
  };
}
