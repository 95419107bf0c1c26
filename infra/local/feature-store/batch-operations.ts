import type {
  BatchGetRecordRequest,
  BatchGetRecordResponse,
  BatchWriteRecordRequest,
  BatchWriteRecordResponse,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { AwsError, notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import type { Faults } from '../protocol/faults.ts';
import { checkExpirationTimeResponse, putRecord, readRecord } from './record-operations.ts';
import type { FeatureStore } from './store.ts';

/** Source: BatchWriteRecord, Entries. */
const ENTRIES_MAX = 25;
/** Source: BatchGetRecord, Identifiers and RecordIdentifiersValueAsString. */
const IDENTIFIERS_MAX = 100;

type Complete<T> = { [K in keyof T]-?: NonNullable<T[K]> };

/** Entries are written in the order given. A partial fault leaves the first entry and every second one after it undone. */
export function batchWriteRecord(
  store: FeatureStore,
  faults: Faults,
  { Entries = [], ...rest }: BatchWriteRecordRequest,
): BatchWriteRecordResponse {
  refuseUnknown('featurestore', 'BatchWriteRecord', rest, []);
  checkCount('Entries', Entries, ENTRIES_MAX);
  if (Entries.some((entry) => entry.TtlDuration)) {
    throw notImplemented('featurestore', 'parameter TtlDuration of BatchWriteRecord');
  }
  const isPartial = faults.partial('featurestore', 'BatchWriteRecord');
  const answer: Complete<BatchWriteRecordResponse> = { Errors: [], UnprocessedEntries: [] };
  store.online.together(() => {
    for (const [index, entry] of Entries.entries()) {
      if (isPartial && index % 2 === 0) {
        answer.UnprocessedEntries.push(entry);
        continue;
      }
      try {
        putRecord(store, 'BatchWriteRecord', entry);
      } catch (error) {
        const { code, message } = refusal(error);
        answer.Errors.push({ Entry: entry, ErrorCode: code, ErrorMessage: message });
      }
    }
  });
  return answer;
}

/** Records that are not there are left out. A partial fault leaves the first group and every second one after it unread. */
export function batchGetRecord(
  store: FeatureStore,
  faults: Faults,
  { Identifiers = [], ...rest }: BatchGetRecordRequest,
): BatchGetRecordResponse {
  checkExpirationTimeResponse('BatchGetRecord', rest);
  checkCount('Identifiers', Identifiers, IDENTIFIERS_MAX);
  const isPartial = faults.partial('featurestore', 'BatchGetRecord');
  const answer: Complete<BatchGetRecordResponse> = { Records: [], Errors: [], UnprocessedIdentifiers: [] };
  for (const [index, identifier] of Identifiers.entries()) {
    const { FeatureGroupName, RecordIdentifiersValueAsString: ids = [], FeatureNames, ...others } = identifier;
    refuseUnknown('featurestore', 'BatchGetRecord', others, []);
    checkCount('RecordIdentifiersValueAsString', ids, IDENTIFIERS_MAX);
    if (isPartial && index % 2 === 0) {
      answer.UnprocessedIdentifiers.push(identifier);
      continue;
    }
    for (const id of ids) {
      const key = { FeatureGroupName, RecordIdentifierValueAsString: id };
      try {
        const record = readRecord(store.group(FeatureGroupName), store, id, FeatureNames);
        if (record) answer.Records.push({ ...key, Record: record });
      } catch (error) {
        const { code, message } = refusal(error);
        answer.Errors.push({ ...key, ErrorCode: code, ErrorMessage: message });
      }
    }
  }
  return answer;
}

/** What is wrong with one entry is answered beside it; what is wrong with the local cloud fails the call. */
function refusal(error: unknown): AwsError {
  if (error instanceof AwsError && error.status < 500) return error;
  throw error;
}

function checkCount(name: string, list: readonly unknown[], max: number): void {
  if (!Array.isArray(list) || list.length < 1 || list.length > max) {
    throw new AwsError('ValidationError', `Validation Error: ${name} must have 1 to ${max} elements`);
  }
}
