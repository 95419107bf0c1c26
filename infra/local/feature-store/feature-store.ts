import type { DatabaseSync } from 'node:sqlite';
import type {
  BatchGetRecordRequest,
  BatchWriteRecordRequest,
  DeleteRecordRequest,
  GetRecordRequest,
  ListRecordsRequest,
  PutRecordRequest,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { Faults } from '../protocol/faults.ts';
import type { RestRoute, Service } from '../protocol/service.ts';
import { batchGetRecord, batchWriteRecord } from './batch-operations.ts';
import type { FeatureGroupProperties } from './feature-group.ts';
import { groupOperations } from './group-operations.ts';
import type { OnlineRecord, TieRule } from './online-store.ts';
import { deleteRecord, getRecord, listRecords, putRecord } from './record-operations.ts';
import { FeatureStore } from './store.ts';

const GROUP_PATH = /^\/FeatureGroup\/(?<FeatureGroupName>[^/]+)$/;

const ROUTES: RestRoute[] = [
  { method: 'PUT', path: GROUP_PATH, operation: 'PutRecord' },
  {
    method: 'GET',
    path: GROUP_PATH,
    operation: 'GetRecord',
    query: {
      RecordIdentifierValueAsString: 'RecordIdentifierValueAsString',
      FeatureName: 'FeatureNames',
      ExpirationTimeResponse: 'ExpirationTimeResponse',
    },
    lists: ['FeatureNames'],
  },
  {
    method: 'DELETE',
    path: GROUP_PATH,
    operation: 'DeleteRecord',
    query: {
      RecordIdentifierValueAsString: 'RecordIdentifierValueAsString',
      EventTime: 'EventTime',
      TargetStores: 'TargetStores',
      DeletionMode: 'DeletionMode',
    },
    lists: ['TargetStores'],
  },
  { method: 'POST', path: /^\/FeatureGroup\/(?<FeatureGroupName>[^/]+)\/ListRecords$/, operation: 'ListRecords' },
  // Standard online stores, the only ones here, do not take UpdateRecord: the server answers that it is not implemented.
  { method: 'POST', path: /^\/FeatureGroup\/(?<FeatureGroupName>[^/]+)\/Record$/, operation: 'UpdateRecord' },
  { method: 'POST', path: /^\/BatchGetRecord$/, operation: 'BatchGetRecord' },
  { method: 'POST', path: /^\/BatchWriteRecord$/, operation: 'BatchWriteRecord' },
];

/** Records read at once by {@link featureStore}'s `records`. */
const RECORDS_PER_PAGE = 500;

export interface FeatureStoreOptions {
  readonly db: DatabaseSync;
  readonly faults: Faults;
  readonly tieRule: TieRule;
}

/**
 * SageMaker Feature Store's runtime API with its online store in SQLite. Writes aimed at the offline store are checked
 * and taken, but the offline store's Parquet files, which nothing in Tributary reads, are not written.
 */
export function featureStore({ db, faults, tieRule }: FeatureStoreOptions) {
  const store = new FeatureStore(db, tieRule);
  const service: Service = {
    name: 'featurestore',
    routes: ROUTES,
    operations: {
      PutRecord: (input: PutRecordRequest) => putRecord(store, 'PutRecord', input),
      BatchWriteRecord: (input: BatchWriteRecordRequest) => batchWriteRecord(store, faults, input),
      DeleteRecord: (input: DeleteRecordRequest) => deleteRecord(store, input),
      GetRecord: (input: GetRecordRequest) => getRecord(store, input),
      BatchGetRecord: (input: BatchGetRecordRequest) => batchGetRecord(store, faults, input),
      ListRecords: (input: ListRecordsRequest) => listRecords(store, input),
    },
  };
  return {
    service,

    /** Operations of SageMaker's own API about the groups. */
    groupOperations: groupOperations(store),

    /**
     * Makes a group from the properties of CloudFormation's AWS::SageMaker::FeatureGroup, or adds features to the one
     * of that name. Nothing happens when it exists as described.
     *
     * @throws AwsError ValidationException when the description is wrong or would change existing features.
     */
    createFeatureGroup: (properties: FeatureGroupProperties) => store.create(properties),

    /** Every record of a group's online store, tombstones included, in the order of their identifiers. */
    *records(featureGroupName: string): IterableIterator<OnlineRecord> {
      store.group(featureGroupName);
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page: OnlineRecord[] = store.online.page(featureGroupName, after, RECORDS_PER_PAGE, true);
        yield* page;
        after = page.at(-1)?.recordIdentifier;
      }
    },
  };
}
