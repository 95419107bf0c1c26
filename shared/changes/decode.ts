import { columnsOf, type Feature, type FeatureGroup, labelOf } from '../definition/feature-group.ts';
import { type ItemPlace, placeText, valueAt } from '../definition/item-path.ts';
import {
  type Change,
  type FeatureCode,
  featureTexts,
  type Rejection,
  type RejectionReason,
  type Skipped,
} from './change.ts';
import { derivedDecoder } from './derived-decoder.ts';
import { readEnvelope } from './envelope.ts';
import { type FeatureDecoder, featureDecoder, labelDecoder } from './feature-decoder.ts';
import { attributeReader } from './item-reader.ts';
import { itemTest } from './items.ts';
import { EnvelopeProblem, Problem } from './problem.ts';
import { sequenceNumberOf } from './sequence-number.ts';

/** Largest record of Feature Store, in bytes. Source: Feature Store quotas, "maximum record size 350 KB". */
const RECORD_BYTES_MAX = 350 * 1024;

/** Bytes of an event time. */
const EVENT_TIME_BYTES = 24;

/** Decodes one stream record: never throws, never returns anything that has not been checked. */
export type Decoder = (record: unknown) => Decoded;

/** What becomes of a stream record. */
export type Decoded = Change | Rejection | Skipped;

export function isRejection(decoded: Decoded): decoded is Rejection {
  return 'reason' in decoded;
}

export function isSkipped(decoded: Decoded): decoded is Skipped {
  return 'skipped' in decoded;
}

export function isChange(decoded: Decoded): decoded is Change {
  return 'recordIdentifier' in decoded;
}

/**
 * Makes the decoder of a feature group's stream records. Everything that depends only on the definition is worked out
 * here, once; a record then costs one pass over its columns, and only a rejected one pays for its explanation.
 */
export function makeDecoder(group: FeatureGroup): Decoder {
  const described = columnsOf(group);
  const { label: labelPlace } = group;
  const judgeLabel = labelPlace && labelDecoder(labelPlace);
  const columns = described.map(({ feature }) => columnOf(group, feature));
  const derivations = described.flatMap(({ feature }, index) =>
    feature !== 'label' && feature.derived ? [{ index, decode: derivedDecoder(group, feature, feature.derived) }] : [],
  );
  const read = attributeReader(columns);
  const isRecord = itemTest(group);
  const labelColumn = described.findIndex(({ feature }) => feature === 'label');
  const { recordIdentifier: identifierFeature, eventTime } = group;
  const namesBytes = described.reduce(
    (bytes, { name }) => bytes + name.length,
    identifierFeature.name.length + eventTime.name.length + EVENT_TIME_BYTES,
  );
  const categoriesBytesMax = described.reduce((bytes, { feature }) => bytes + longestCategory(feature), 0);

  const decode = (record: unknown): Change | Skipped | EnvelopeProblem => {
    const envelope = readEnvelope(record, group, isRecord);
    if (envelope instanceof EnvelopeProblem || 'skipped' in envelope) return envelope;
    const { eventName, sequenceNumber, recordIdentifier, second, streamSecond, ttlExpired, newImage, oldImage } =
      envelope;
    if (newImage === undefined) {
      const nothing = { values: undefined, newLabel: undefined };
      return { eventName, sequenceNumber, recordIdentifier, second, streamSecond, ttlExpired, ...nothing };
    }

    const written = read(newImage);
    // What is written makes way for its value, one after the other: an array less to collect for every record.
    const values = written as unknown[] as FeatureCode[];
    let wrongLabel: Rejection | undefined;
    let bytes = namesBytes + categoriesBytesMax + recordIdentifier.length;
    for (let index = 0; index < columns.length; index += 1) {
      const { type, accept, judge } = columns[index] as Column;
      const it = written[index];
      const value = accept(it) ?? judge(typeof it === 'string' || typeof it === 'boolean' ? { [type]: it } : it);
      if (typeof value === 'string') bytes += value.length;
      else if (value instanceof Problem) {
        const place = `dynamodb.NewImage.${(columns[index] as Column).place}`;
        if (index !== labelColumn) return new EnvelopeProblem(value.reason, place, value.message);
        // Good features do not wait for their label to be put right.
        wrongLabel = reject(record, value.reason, place, value.message);
        values[index] = undefined;
        continue;
      }
      values[index] = value;
    }
    for (const { index, decode: compute } of derivations) {
      const value = compute(values);
      if (value instanceof Problem) {
        return new EnvelopeProblem(
          value.reason,
          `dynamodb.NewImage.${(columns[index] as Column).place}`,
          value.message,
        );
      }
      if (typeof value === 'string') bytes += value.length;
      values[index] = value;
    }
    // A character is at least one byte and at most three, so the exact count is needed only near the limit.
    const tooLarge = bytes * 3 > RECORD_BYTES_MAX && sizeProblem(group, { values, recordIdentifier }, namesBytes);
    if (tooLarge) return tooLarge;
    const label = labelColumn < 0 ? undefined : values[labelColumn];
    const before = oldImage && labelPlace && judgeLabel?.judge(valueAt(oldImage, labelPlace));
    const newLabel = typeof label === 'string' && label !== before ? label : undefined;
    const change = { eventName, sequenceNumber, recordIdentifier, second, streamSecond, ttlExpired, values, newLabel };
    return wrongLabel ? { ...change, wrongLabel } : change;
  };

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

const reject = (record: unknown, reason: RejectionReason, path: string, message: string): Rejection => ({
  ...{ sequenceNumber: sequenceNumberOf(record), reason, path, message, record },
});

function columnOf(group: FeatureGroup, feature: Feature | 'label'): Column {
  if (feature !== 'label' && feature.derived) return { ...COMPUTED, place: feature.name };
  const { attribute, path }: ItemPlace = feature === 'label' ? labelOf(group) : feature;
  const decoder = feature === 'label' ? labelDecoder(labelOf(group)) : featureDecoder(feature);
  return { attribute, path, place: placeText({ attribute, path }), ...decoder };
}

/** What is wrong with a record that is larger than Feature Store takes. */
function sizeProblem(
  group: FeatureGroup,
  { values, recordIdentifier }: Pick<Change, 'values' | 'recordIdentifier'>,
  namesBytes: number,
): EnvelopeProblem | undefined {
  const bytes = featureTexts(group, { values }).reduce<number>(
    (sum, text) => sum + Buffer.byteLength(text ?? ''),
    namesBytes + Buffer.byteLength(recordIdentifier),
  );
  if (bytes <= RECORD_BYTES_MAX) return undefined;
  const message = `The record has ${bytes} bytes; Feature Store takes at most ${RECORD_BYTES_MAX}.`;
  return new EnvelopeProblem('record-too-large', 'dynamodb.NewImage', message);
}

function longestCategory(feature: Feature | 'label'): number {
  return feature === 'label' || feature.type !== 'categorical'
    ? 0
    : Math.max(...feature.categories.map((category) => category.length));
}

/** A column that no attribute holds, until it is computed. */
const COMPUTED = {
  attribute: '',
  path: undefined,
  type: 'S',
  accept: () => undefined,
  judge: () => undefined,
} as const;

interface Column extends FeatureDecoder, ItemPlace {
  /** How the place is written. */
  readonly place: string;
}
