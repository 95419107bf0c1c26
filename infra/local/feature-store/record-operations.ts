import type {
  DeleteRecordRequest,
  FeatureValue,
  GetRecordRequest,
  GetRecordResponse,
  ListRecordsRequest,
  ListRecordsResponse,
  PutRecordRequest,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import type { FeatureGroup } from './feature-group.ts';
import type { OnlineRecord } from './online-store.ts';
import { targetsOnline, validRecord } from './record.ts';
import type { FeatureStore } from './store.ts';

/** Source: ListRecords, MaxResults. */
const LIST_RECORDS_MAX = 100;

/** PutRecord, and what BatchWriteRecord does to each of its entries. */
export function putRecord(store: FeatureStore, operation: string, input: PutRecordRequest): object {
  const { FeatureGroupName, Record, TargetStores, ...rest } = input;
  refuseUnknown('featurestore', operation, rest, []);
  const group = store.group(FeatureGroupName);
  const record = validRecord(group, Record);
  if (targetsOnline(group, TargetStores)) store.online.put(group, record);
  return {};
}

export function deleteRecord(store: FeatureStore, input: DeleteRecordRequest): object {
  const { FeatureGroupName, RecordIdentifierValueAsString, EventTime, TargetStores, DeletionMode, ...rest } = input;
  refuseUnknown('featurestore', 'DeleteRecord', rest, []);
  const group = store.group(FeatureGroupName);
  const mode = DeletionMode ?? 'SoftDelete';
  if (mode !== 'SoftDelete' && mode !== 'HardDelete') {
    throw invalid(`DeletionMode ${mode} is neither SoftDelete nor HardDelete`);
  }
  const marker = validRecord(group, [
    { FeatureName: group.recordIdentifier, ValueAsString: RecordIdentifierValueAsString },
    { FeatureName: group.eventTime, ValueAsString: EventTime },
  ]);
  if (!targetsOnline(group, TargetStores)) return {};
  if (mode === 'HardDelete') store.online.hardDelete(group, marker);
  else store.online.softDelete(group, marker);
  return {};
}

/** A record that is not there is an empty answer; only an unknown feature group is an error. */
export function getRecord(store: FeatureStore, input: GetRecordRequest): GetRecordResponse {
  const { FeatureGroupName, RecordIdentifierValueAsString, FeatureNames, ...rest } = input;
  checkExpirationTimeResponse('GetRecord', rest);
  if (!RecordIdentifierValueAsString) throw invalid('RecordIdentifierValueAsString is missing');
  const record = readRecord(store.group(FeatureGroupName), store, RecordIdentifierValueAsString, FeatureNames);
  return record ? { Record: record } : {};
}

export function listRecords(store: FeatureStore, input: ListRecordsRequest): ListRecordsResponse {
  const { FeatureGroupName, MaxResults = LIST_RECORDS_MAX, NextToken, IncludeSoftDeletedRecords, ...rest } = input;
  refuseUnknown('featurestore', 'ListRecords', rest, []);
  const group = store.group(FeatureGroupName);
  if (!Number.isInteger(MaxResults) || MaxResults < 1 || MaxResults > LIST_RECORDS_MAX) {
    throw invalid(`MaxResults must be 1 to ${LIST_RECORDS_MAX}`);
  }
  const after = Buffer.from(NextToken ?? '', 'base64url').toString('utf8');
  const records = store.online.page(group.name, after, MaxResults + 1, IncludeSoftDeletedRecords ?? false);
  const page = records.slice(0, MaxResults).map((record) => record.recordIdentifier);
  const last = page.at(-1);
  return {
    RecordIdentifiers: page,
    ...(records.length > MaxResults && last !== undefined && { NextToken: Buffer.from(last).toString('base64url') }),
  };
}

/**
 * A record's feature values, in the order of the definition. A feature that was not put is absent, not null.
 *
 * @throws AwsError ValidationError for names that are not features of the group.
 */
export function readRecord(
  group: FeatureGroup,
  store: FeatureStore,
  recordIdentifier: string,
  names: readonly string[] | undefined,
): FeatureValue[] | undefined {
  const unknown = names?.find((name) => !group.features.has(name));
  if (unknown !== undefined) throw invalid(`feature [${unknown}] is not defined in feature group ${group.name}`);
  const record: OnlineRecord | undefined = store.online.get(group, recordIdentifier);
  if (!record) return undefined;
  return [...group.features.keys()].flatMap((name) => {
    const value = record.values[name];
    return value === undefined || names?.includes(name) === false ? [] : [{ FeatureName: name, ValueAsString: value }];
  });
}

/** No record here has a TTL, so there is never an ExpiresAt to answer: the parameter is checked, and that is all. */
export function checkExpirationTimeResponse(
  operation: string,
  { ExpirationTimeResponse = 'Disabled', ...rest }: { ExpirationTimeResponse?: string | undefined },
): void {
  refuseUnknown('featurestore', operation, rest, []);
  if (ExpirationTimeResponse !== 'Enabled' && ExpirationTimeResponse !== 'Disabled') {
    throw invalid(`ExpirationTimeResponse ${ExpirationTimeResponse} is neither Enabled nor Disabled`);
  }
}

function invalid(problem: string): AwsError {
  return new AwsError('ValidationError', `Validation Error: ${problem}`);
}
