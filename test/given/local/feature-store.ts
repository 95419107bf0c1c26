import { DatabaseSync } from 'node:sqlite';
import {
  DeleteRecordCommand,
  type FeatureValue,
  GetRecordCommand,
  PutRecordCommand,
  SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { FeatureGroupProperties } from '../../../infra/local/feature-store/feature-group.ts';
import { featureStore } from '../../../infra/local/feature-store/feature-store.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { served } from '../served.ts';

export const customers: FeatureGroupProperties = {
  FeatureGroupName: 'customers',
  RecordIdentifierFeatureName: 'id',
  EventTimeFeatureName: 'event_time',
  FeatureDefinitions: [
    { FeatureName: 'id', FeatureType: 'String' },
    { FeatureName: 'event_time', FeatureType: 'String' },
    { FeatureName: 'age', FeatureType: 'Integral' },
    { FeatureName: 'rate', FeatureType: 'Fractional' },
    { FeatureName: 'note', FeatureType: 'String' },
  ],
  OnlineStoreConfig: { EnableOnlineStore: true },
  OfflineStoreConfig: { S3StorageConfig: { S3Uri: 's3://data/offline-store/' } },
};

/** An event time of 2026-01-01, and milliseconds where they matter. */
export const at = (second: number, ms = 0) => new Date(Date.UTC(2026, 0, 1, 0, 0, second, ms)).toISOString();

/** Features as a record of Feature Store's API. */
export function values(features: Record<string, string>): FeatureValue[] {
  return Object.entries(features).map(([FeatureName, ValueAsString]) => ({ FeatureName, ValueAsString }));
}

/** The local Feature Store with the group of customers, and a client of it. */
export async function localFeatureStore() {
  const faults = new Faults();
  const local = featureStore({ db: new DatabaseSync(':memory:'), faults, tieRule: 'greater' });
  local.createFeatureGroup(customers);
  const cloud = await served([local.service], faults);
  const client = new SageMakerFeatureStoreRuntimeClient(cloud.client);
  let count = 0;
  return {
    ...{
      client,
      faults,
      close: () => cloud.close(),
      createFeatureGroup: local.createFeatureGroup,
      records: local.records,
    },
    send: ((command: never) => client.send(command)) as SageMakerFeatureStoreRuntimeClient['send'],

    /** A record of its own, whose identifier a path or a query could get wrong. */
    newRecord() {
      const id = `c/${count++} ü&=+%`;
      return recordOf(client, id);
    },
  };
}

/** A record of customers, by its identifier: `more` is put into the request. */
export function recordOf(client: Pick<SageMakerFeatureStoreRuntimeClient, 'send'>, id: string) {
  return {
    id,
    put: (features: Record<string, string>, more = {}) =>
      client.send(
        new PutRecordCommand({
          FeatureGroupName: 'customers',
          Record: values({ id, event_time: at(1), ...features }),
          ...more,
        }),
      ),
    async get(more = {}) {
      const { Record } = await client.send(
        new GetRecordCommand({ FeatureGroupName: 'customers', RecordIdentifierValueAsString: id, ...more }),
      );
      return Record && Object.fromEntries(Record.map((it) => [it.FeatureName, it.ValueAsString]));
    },
    remove: (EventTime: string, more = {}) =>
      client.send(
        new DeleteRecordCommand({
          FeatureGroupName: 'customers',
          RecordIdentifierValueAsString: id,
          EventTime,
          ...more,
        }),
      ),
  };
}
