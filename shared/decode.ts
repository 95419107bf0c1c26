import type { Change, FeatureText, Rejection, RejectionReason } from './change.ts';
import { decodeLabel, featureDecoder, Problem } from './feature-decoder.ts';
import { columnsOf, type FeatureGroup } from './feature-groups/define.ts';
import { EnvelopeProblem, readEnvelope, sequenceNumberOf } from './stream-record.ts';

/** Largest record of Feature Store, in bytes. Source: Feature Store quotas, "maximum record size 350 KB". */
const RECORD_BYTES_MAX = 350 * 1024;

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
