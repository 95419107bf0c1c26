import type { FeatureValue } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { AwsError } from '../protocol/aws-error.ts';
import { eventTimeNs } from './event-time.ts';
import type { FeatureGroup, FeatureType } from './feature-group.ts';

/** Source: Feature Store quotas, maximum size of a record (350 KB). */
const RECORD_BYTES_MAX = 350 * 1024;
/** Source: Feature Store quotas, maximum size of a record identifier (2 KB). */
const RECORD_IDENTIFIER_BYTES_MAX = 2 * 1024;
const INT64_MAX = 2n ** 63n - 1n;
/** An integer without leading zeros, of no more digits than 64 bits have. */
const INTEGRAL = /^([+-]?)0*(\d{1,19})$/;
/** A decimal fraction. Digits are split in one way only: in several, a long text would take its square in time. */
const FRACTIONAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A record that may be written. Values are the texts that were sent. */
export interface ValidRecord {
  readonly recordIdentifier: string;
  readonly eventTime: string;
  readonly eventTimeNs: bigint;
  readonly values: Readonly<Record<string, string>>;
}

/**
 * Checks a record against its feature group.
 *
 * @throws AwsError ValidationError naming the feature that is wrong.
 */
export function validRecord(group: FeatureGroup, record: readonly FeatureValue[] | undefined): ValidRecord {
  if (!Array.isArray(record) || record.length === 0) throw invalid('Record must have at least one feature value');
  const values: Record<string, string> = {};
  let bytes = 0;
  for (const { FeatureName: name = '', ValueAsString: value, ValueAsStringList: list } of record) {
    const type = group.features.get(name);
    if (!type) throw invalid(`feature [${name}] is not defined in feature group ${group.name}`);
    if (list !== undefined) throw invalid(`feature [${name}] is not a collection, and has a ValueAsStringList`);
    if (typeof value !== 'string')
      throw invalid(`feature [${name}] has no ValueAsString; omit a feature to leave it null`);
    if (Object.hasOwn(values, name)) throw invalid(`feature [${name}] is given twice`);
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
    // Before a value is read: what is too long is not worth reading.
    if (bytes > RECORD_BYTES_MAX)
      throw invalid(`the record is too large: at most ${RECORD_BYTES_MAX} are allowed, in bytes`);
    checkValue(name, type, value);
    values[name] = value;
  }
  const recordIdentifier = values[group.recordIdentifier];
  if (!recordIdentifier) throw invalid(`the record identifier [${group.recordIdentifier}] is missing or empty`);
  const eventTime = values[group.eventTime];
  if (!eventTime) throw invalid(`the event time [${group.eventTime}] is missing or empty`);
  if (Buffer.byteLength(recordIdentifier) > RECORD_IDENTIFIER_BYTES_MAX) {
    throw invalid(`the record identifier exceeds ${RECORD_IDENTIFIER_BYTES_MAX} bytes`);
  }
  return { recordIdentifier, eventTime, eventTimeNs: eventTimeNs(eventTime, group.eventTimeType), values };
}

/**
 * Checks where a record is to be written, and says whether that includes the online store.
 *
 * @throws AwsError ValidationError
 */
export function targetsOnline(group: FeatureGroup, targets: readonly string[] | undefined): boolean {
  if (targets === undefined) return true;
  if (targets.length < 1 || targets.length > 2) throw invalid('TargetStores must name one or two stores');
  for (const target of targets) {
    if (target !== 'OnlineStore' && target !== 'OfflineStore') throw invalid(`TargetStores: ${target} is no store`);
    if (target === 'OfflineStore' && !group.hasOfflineStore) {
      throw invalid(`feature group ${group.name} has no offline store`);
    }
  }
  return targets.includes('OnlineStore');
}

function checkValue(name: string, type: FeatureType, value: string): void {
  if (type === 'String') return;
  if (type === 'Integral' ? isInt64(value) : FRACTIONAL.test(value)) return;
  throw invalid(`feature [${name}] of type ${type} cannot be parsed from "${value.slice(0, 64)}"`);
}

function isInt64(text: string): boolean {
  const [, sign, digits] = INTEGRAL.exec(text) ?? [];
  return digits !== undefined && BigInt(digits) <= (sign === '-' ? INT64_MAX + 1n : INT64_MAX);
}

function invalid(problem: string): AwsError {
  return new AwsError('ValidationError', `Validation Error: ${problem}`);
}
