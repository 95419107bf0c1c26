import { columnsOf, type Feature, type FeatureGroup } from '../definition/feature-group.ts';
import type { AttributeValue } from './attribute-value.ts';
import { type Change, type FeatureCode, featureTexts, type Rejection, type RejectionReason } from './change.ts';
import { readEnvelope } from './envelope.ts';
import { type FeatureDecoder, featureDecoder, labelDecoder } from './feature-decoder.ts';
import { attributeReader } from './item-reader.ts';
import { EnvelopeProblem, Problem } from './problem.ts';
import { sequenceNumberOf } from './sequence-number.ts';

/** Largest record of Feature Store, in bytes. Source: Feature Store quotas, "maximum record size 350 KB". */
const RECORD_BYTES_MAX = 350 * 1024;

/** Bytes of an event time. */
const EVENT_TIME_BYTES = 24;

/** Decodes one stream record: never throws, never returns anything that has not been checked. */
export type Decoder = (record: unknown) => Change | Rejection;

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
  const described = columnsOf(group);
  const columns = described.map(({ feature }): Column => {
    const { attribute } = feature === 'label' ? group.label : feature;
    return { attribute, ...(feature === 'label' ? labelDecoder : featureDecoder(feature)) };
  });
  const read = attributeReader(columns);
  const labelColumn = described.findIndex(({ feature }) => feature === 'label');
  const { recordIdentifier: identifierFeature, eventTime } = group;
  const namesBytes = described.reduce(
    (bytes, { name }) => bytes + name.length,
    identifierFeature.name.length + eventTime.name.length + EVENT_TIME_BYTES,
  );
  const categoriesBytesMax = described.reduce((bytes, { feature }) => bytes + longestCategory(feature), 0);

  const decode = (record: unknown): Change | EnvelopeProblem => {
    const envelope = readEnvelope(record, group);
    if (envelope instanceof EnvelopeProblem) return envelope;
    const { eventName, sequenceNumber, recordIdentifier, second, streamSecond, ttlExpired, newImage, oldImage } =
      envelope;
    if (newImage === undefined) {
      const nothing = { values: undefined, newLabel: undefined };
      return { eventName, sequenceNumber, recordIdentifier, second, streamSecond, ttlExpired, ...nothing };
    }

    const written = read(newImage);
    // What is written makes way for its value, one after the other: an array less to collect for every record.
    const values = written as unknown[] as FeatureCode[];
    let bytes = namesBytes + categoriesBytesMax + recordIdentifier.length;
    for (let index = 0; index < columns.length; index += 1) {
      const { attribute, type, accept, judge } = columns[index] as Column;
      const it = written[index];
      const value = accept(it) ?? judge(typeof it === 'string' || typeof it === 'boolean' ? { [type]: it } : it);
      if (typeof value === 'string') bytes += value.length;
      else if (value instanceof Problem) {
        return new EnvelopeProblem(value.reason, `dynamodb.NewImage.${attribute}`, value.message);
      }
      values[index] = value;
    }
    // A character is at least one byte and at most three, so the exact count is needed only near the limit.
    if (bytes * 3 > RECORD_BYTES_MAX) {
      const texts = featureTexts(group, { values });
      bytes = texts.reduce<number>(
        (sum, text) => sum + Buffer.byteLength(text ?? ''),
        namesBytes + Buffer.byteLength(recordIdentifier),
      );
      if (bytes > RECORD_BYTES_MAX) {
        const message = `The record has ${bytes} bytes; Feature Store takes at most ${RECORD_BYTES_MAX}.`;
        return new EnvelopeProblem('record-too-large', 'dynamodb.NewImage', message);
      }
    }
    const label = values[labelColumn];
    const before = oldImage && labelDecoder.judge(ownAttribute(oldImage, group.label.attribute));
    const newLabel = typeof label === 'string' && label !== before ? (label as '0' | '1') : undefined;
    return { eventName, sequenceNumber, recordIdentifier, second, streamSecond, ttlExpired, values, newLabel };
  };

  const reject = (record: unknown, reason: RejectionReason, path: string, message: string): Rejection => ({
    sequenceNumber: sequenceNumberOf(record),
    reason,
    path,
    message,
    record,
  });

  return (record) => {
    try {
      const decoded = decode(record);
      if (!(decoded instanceof EnvelopeProblem)) return decoded;
      return reject(record, decoded.reason, decoded.path, decoded.message);
    } catch (error) {
      // Only an "attribute value" that DynamoDB cannot have sent (a set that is no list, say) gets here.
      const message = `Not a DynamoDB stream record: ${(error as Error).message}`;
      return reject(record, 'malformed-record', 'dynamodb', message);
    }
  };
}

function longestCategory(feature: Feature | 'label'): number {
  return feature === 'label' || feature.type !== 'categorical'
    ? 0
    : Math.max(...feature.categories.map((category) => category.length));
}

interface Column extends FeatureDecoder {
  readonly attribute: string;
}

/** Every object has properties of some names, `constructor` say: only the item's own are its attributes. */
function ownAttribute(image: Readonly<Record<string, AttributeValue>>, name: string): AttributeValue | undefined {
  return Object.hasOwn(image, name) ? image[name] : undefined;
}
