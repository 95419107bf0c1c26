import { DatabaseSync } from 'node:sqlite';
import {
  BatchGetRecordCommand,
  BatchWriteRecordCommand,
  DeleteRecordCommand,
  type FeatureValue,
  GetRecordCommand,
  ListRecordsCommand,
  PutRecordCommand,
  SageMakerFeatureStoreRuntimeClient,
  UpdateRecordCommand,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FeatureGroupProperties } from '../../../infra/local/feature-store/feature-group.ts';
import { featureStore } from '../../../infra/local/feature-store/feature-store.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { served } from '../../given/served.ts';

const customers: FeatureGroupProperties = {
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

const at = (second: number, ms = 0) => new Date(Date.UTC(2026, 0, 1, 0, 0, second, ms)).toISOString();

function values(features: Record<string, string>): FeatureValue[] {
  return Object.entries(features).map(([FeatureName, ValueAsString]) => ({ FeatureName, ValueAsString }));
}

const faults = new Faults();
let local: ReturnType<typeof featureStore>;
let cloud: Awaited<ReturnType<typeof served>>;
let client: SageMakerFeatureStoreRuntimeClient;
let id: string;
let count = 0;

beforeAll(async () => {
  local = featureStore({ db: new DatabaseSync(':memory:'), faults, tieRule: 'greater' });
  local.createFeatureGroup(customers);
  cloud = await served([local.service], faults);
  client = new SageMakerFeatureStoreRuntimeClient(cloud.client);
});
beforeEach(() => {
  // An identifier that a path or a query could get wrong.
  id = `c/${count++} ü&=+%`;
});
afterAll(() => cloud.close());

const put = (features: Record<string, string>, more = {}) =>
  client.send(
    new PutRecordCommand({
      FeatureGroupName: 'customers',
      Record: values({ id, event_time: at(1), ...features }),
      ...more,
    }),
  );
const get = async (more = {}) => {
  const { Record } = await client.send(
    new GetRecordCommand({ FeatureGroupName: 'customers', RecordIdentifierValueAsString: id, ...more }),
  );
  return Record && Object.fromEntries(Record.map((it) => [it.FeatureName, it.ValueAsString]));
};
const remove = (EventTime: string, more = {}) =>
  client.send(
    new DeleteRecordCommand({ FeatureGroupName: 'customers', RecordIdentifierValueAsString: id, EventTime, ...more }),
  );

describe('a put', () => {
  test('is read back exactly as it was sent; what it left out is absent', async () => {
    await put({ age: '+9223372036854775807', rate: '1.50e-7', note: '' });
    expect(await get()).toEqual({ id, event_time: at(1), age: '+9223372036854775807', rate: '1.50e-7', note: '' });
    await put({ event_time: at(2), age: '1' });
    expect(await get()).toEqual({ id, event_time: at(2), age: '1' });
  });

  test('that is older, or as old, is history: answered 200 and not in the online store', async () => {
    await put({ event_time: at(2), age: '2' });
    await put({ event_time: at(1, 999), age: '1' });
    await put({ event_time: at(2), age: '3' });
    expect(await get()).toMatchObject({ age: '2' });
    await put({ event_time: at(2, 1), age: '4' });
    expect(await get()).toMatchObject({ age: '4' });
  });

  test('that is as old is taken under the other tie rule', async () => {
    const other = featureStore({ db: new DatabaseSync(':memory:'), faults, tieRule: 'greater-or-equal' });
    other.createFeatureGroup(customers);
    const { PutRecord } = other.service.operations ?? {};
    for (const age of ['1', '2']) {
      const Record = values({ id, event_time: at(1), age });
      PutRecord?.({ FeatureGroupName: 'customers', Record } as never, undefined);
    }
    expect([...other.records('customers')].map((record) => record.values.age)).toEqual(['2']);
  });

  test('has an event time of seconds, milliseconds or nanoseconds', async () => {
    await put({ event_time: '2026-01-01T00:00:01Z', age: '1' });
    await put({ event_time: '2026-01-01T00:00:01.000000001Z', age: '2' });
    await put({ event_time: '2026-01-01T00:00:01.000Z', age: '3' });
    expect(await get()).toMatchObject({ age: '2' });
  });

  test('aimed at the offline store leaves the online store alone', async () => {
    await put({ age: '1' }, { TargetStores: ['OfflineStore'] });
    expect(await get()).toBeUndefined();
    await put({ age: '1' }, { TargetStores: ['OnlineStore', 'OfflineStore'] });
    expect(await get()).toMatchObject({ age: '1' });
  });

  test.each([
    [{ nothing: 'x' }, 'feature [nothing] is not defined'],
    [{ age: '1.5' }, 'feature [age] of type Integral'],
    [{ age: '9223372036854775808' }, 'feature [age] of type Integral'],
    [{ age: '' }, 'feature [age] of type Integral'],
    [{ rate: 'NaN' }, 'feature [rate] of type Fractional'],
    [{ rate: '1,5' }, 'feature [rate] of type Fractional'],
    [{ id: '' }, 'the record identifier [id] is missing'],
    [{ event_time: '' }, 'the event time [event_time] is missing'],
    [{ event_time: '2026-01-01' }, 'event time 2026-01-01 is not in the format'],
    [{ event_time: '2026-02-30T00:00:00Z' }, 'is not in the format'],
    [{ event_time: '2026-01-01T00:00:00.1Z' }, 'is not in the format'],
    [{ note: 'x'.repeat(350 * 1024) }, 'at most 358400 are allowed'],
  ])('that is wrong is a ValidationError: %j', async (features, message) => {
    const error = await put(features).catch((it) => it);
    expect(error).toMatchObject({ name: 'ValidationError', $metadata: { httpStatusCode: 400 } });
    expect(error.message).toContain(message);
    expect(await get()).toBeUndefined();
  });

  test('of almost 350 KB is taken', async () => {
    await put({ note: 'x'.repeat(350 * 1024 - 100) });
    expect((await get())?.note).toHaveLength(350 * 1024 - 100);
  });

  test('with a TTL, and an UpdateRecord, are refused loudly', async () => {
    await expect(put({}, { TtlDuration: { Unit: 'Days', Value: 1 } })).rejects.toMatchObject({
      name: 'NotImplementedException',
    });
    const update = new UpdateRecordCommand({
      FeatureGroupName: 'customers',
      RecordIdentifierValueAsString: id,
      Features: values({ age: '1' }),
    });
    await expect(client.send(update)).rejects.toMatchObject({ name: 'NotImplementedException' });
  });
});

describe('a soft delete', () => {
  test('hides the record and leaves a tombstone that an older put cannot lift', async () => {
    await put({ event_time: at(1) });
    await remove(at(3));
    expect(await get()).toBeUndefined();
    await put({ event_time: at(2) });
    await put({ event_time: at(3) });
    expect(await get()).toBeUndefined();
    const tombstone = [...local.records('customers')].find((record) => record.recordIdentifier === id);
    expect(tombstone).toMatchObject({ deleted: true, eventTime: at(3), values: { id, event_time: at(3) } });
    await put({ event_time: at(4), age: '4' });
    expect(await get()).toMatchObject({ age: '4' });
  });

  test('that is not later than the record is ignored', async () => {
    await put({ event_time: at(2) });
    await remove(at(1));
    await remove(at(2));
    expect(await get()).toMatchObject({ event_time: at(2) });
  });

  test('of a record that is not there leaves its tombstone', async () => {
    await remove(at(2));
    await put({ event_time: at(1) });
    expect(await get()).toBeUndefined();
  });
});

describe('a hard delete', () => {
  const DeletionMode = 'HardDelete';

  test('removes the record with its event time, so that an older put brings it back', async () => {
    await put({ event_time: at(2) });
    await remove(at(3), { DeletionMode });
    expect([...local.records('customers')].some((record) => record.recordIdentifier === id)).toBe(false);
    await put({ event_time: at(1) });
    expect(await get()).toMatchObject({ event_time: at(1) });
  });

  test('that is not later than the record is a ValidationException', async () => {
    await put({ event_time: at(2) });
    await expect(remove(at(2), { DeletionMode })).rejects.toMatchObject({
      name: 'ValidationException',
      $metadata: { httpStatusCode: 400 },
    });
    expect(await get()).toMatchObject({ event_time: at(2) });
  });
});

describe('GetRecord', () => {
  test('answers the features asked for, in the order of the definition', async () => {
    await put({ note: 'n', age: '1' });
    const command = new GetRecordCommand({
      FeatureGroupName: 'arn:aws:sagemaker:us-east-1:000000000000:feature-group/customers',
      RecordIdentifierValueAsString: id,
      FeatureNames: ['note', 'age', 'rate'],
      ExpirationTimeResponse: 'Enabled',
    });
    const answer = await client.send(command);
    expect(answer.Record).toEqual([
      { FeatureName: 'age', ValueAsString: '1' },
      { FeatureName: 'note', ValueAsString: 'n' },
    ]);
    expect(answer.ExpiresAt).toBeUndefined();
  });

  test('of a record that is not there is empty; of an unknown group ResourceNotFound', async () => {
    expect(await get()).toBeUndefined();
    await expect(get({ FeatureGroupName: 'none' })).rejects.toMatchObject({
      name: 'ResourceNotFound',
      $metadata: { httpStatusCode: 404 },
    });
    await expect(get({ FeatureNames: ['none'] })).rejects.toMatchObject({ name: 'ValidationError' });
  });
});

describe('batches', () => {
  const entry = (entryId: string, features: Record<string, string> = {}) => ({
    FeatureGroupName: 'customers',
    Record: values({ id: entryId, event_time: at(1), ...features }),
  });
  const write = (...Entries: ReturnType<typeof entry>[]) => client.send(new BatchWriteRecordCommand({ Entries }));
  const read = (...ids: string[]) =>
    client.send(
      new BatchGetRecordCommand({
        Identifiers: [{ FeatureGroupName: 'customers', RecordIdentifiersValueAsString: ids, FeatureNames: ['id'] }],
      }),
    );

  test('write what is right and answer beside it what is wrong', async () => {
    const wrong = entry(`${id}2`, { age: 'x' });
    const elsewhere = { ...entry(`${id}3`), FeatureGroupName: 'none' };
    const { Errors, UnprocessedEntries } = await write(entry(`${id}1`), wrong, elsewhere);
    expect(Errors).toEqual([
      { Entry: wrong, ErrorCode: 'ValidationError', ErrorMessage: expect.stringContaining('[age]') },
      { Entry: elsewhere, ErrorCode: 'ResourceNotFound', ErrorMessage: expect.stringContaining('none') },
    ]);
    expect(UnprocessedEntries).toEqual([]);
    const { Records } = await read(`${id}1`, `${id}2`);
    expect(Records).toEqual([
      {
        FeatureGroupName: 'customers',
        RecordIdentifierValueAsString: `${id}1`,
        Record: [{ FeatureName: 'id', ValueAsString: `${id}1` }],
      },
    ]);
  });

  test('follow the event-time rule of a single put', async () => {
    await put({ event_time: at(5), age: '5' });
    await write(entry(id, { event_time: at(5), age: '6' }));
    expect(await get()).toMatchObject({ age: '5' });
  });

  test('take 1 to 25 entries', async () => {
    await write(...Array.from({ length: 25 }, (_, n) => entry(`${id}-${n}`)));
    const tooMany = Array.from({ length: 26 }, (_, n) => entry(`${id}-${n}`));
    await expect(write(...tooMany)).rejects.toMatchObject({ name: 'ValidationError' });
    await expect(write()).rejects.toMatchObject({ name: 'ValidationError' });
  });

  test('may leave entries unprocessed, which can be sent again', async () => {
    faults.inject({ service: 'featurestore', operation: 'BatchWriteRecord', kind: 'partial' });
    const entries = [entry(`${id}1`), entry(`${id}2`), entry(`${id}3`)];
    const { UnprocessedEntries = [] } = await write(...entries);
    expect(UnprocessedEntries).toEqual([entries[0], entries[2]]);
    expect((await read(`${id}1`, `${id}2`, `${id}3`)).Records).toHaveLength(1);
    await client.send(new BatchWriteRecordCommand({ Entries: UnprocessedEntries }));
    expect((await read(`${id}1`, `${id}2`, `${id}3`)).Records).toHaveLength(3);
  });

  test('can be throttled, or carried out with the answer lost', async () => {
    faults.inject({ service: 'featurestore', operation: 'BatchWriteRecord', kind: 'before' });
    await expect(write(entry(id))).rejects.toMatchObject({ name: 'ThrottlingException' });
    expect(await get()).toBeUndefined();
    faults.inject({ service: 'featurestore', operation: 'BatchWriteRecord', kind: 'after' });
    await expect(write(entry(id))).rejects.toThrow();
    expect(await get()).toBeDefined();
  });

  test('that read from an unknown group answer an error for each record', async () => {
    const { Errors } = await client.send(
      new BatchGetRecordCommand({
        Identifiers: [{ FeatureGroupName: 'none', RecordIdentifiersValueAsString: ['a', 'b'] }],
      }),
    );
    expect(Errors?.map((it) => [it.RecordIdentifierValueAsString, it.ErrorCode])).toEqual([
      ['a', 'ResourceNotFound'],
      ['b', 'ResourceNotFound'],
    ]);
  });
});

describe('ListRecords', () => {
  test('pages through all identifiers, with or without what was soft deleted', async () => {
    const group = { ...customers, FeatureGroupName: 'listed' };
    local.createFeatureGroup(group);
    const ids = Array.from({ length: 7 }, (_, n) => `r${n}`);
    for (const recordId of ids) await put({ id: recordId }, { FeatureGroupName: 'listed' });
    id = 'r3';
    await remove(at(2), { FeatureGroupName: 'listed' });
    const list = async (IncludeSoftDeletedRecords: boolean) => {
      const seen: string[] = [];
      let NextToken: string | undefined;
      do {
        const page = await client.send(
          new ListRecordsCommand({ FeatureGroupName: 'listed', MaxResults: 3, IncludeSoftDeletedRecords, NextToken }),
        );
        seen.push(...(page.RecordIdentifiers ?? []));
        ({ NextToken } = page);
      } while (NextToken);
      return seen;
    };
    expect(await list(true)).toEqual(ids);
    expect(await list(false)).toEqual(ids.filter((it) => it !== 'r3'));
  });
});

describe('feature groups', () => {
  test('and records survive a restart; features can be added and not removed', async () => {
    const db = new DatabaseSync(':memory:');
    const before = featureStore({ db, faults, tieRule: 'greater' });
    before.createFeatureGroup(customers);
    const { PutRecord } = before.service.operations ?? {};
    PutRecord?.({ FeatureGroupName: 'customers', Record: values({ id, event_time: at(1) }) } as never, undefined);
    const after = featureStore({ db, faults, tieRule: 'greater' });
    expect([...after.records('customers')]).toMatchObject([{ recordIdentifier: id, deleted: false }]);
    const more = [...customers.FeatureDefinitions, { FeatureName: 'new', FeatureType: 'Integral' } as const];
    after.createFeatureGroup({ ...customers, FeatureDefinitions: more });
    expect(() => after.createFeatureGroup(customers)).toThrow('features can be added, never removed');
  });

  test('that the local cloud cannot be are refused', () => {
    const create = (more: object) => () => local.createFeatureGroup({ ...customers, FeatureGroupName: 'x', ...more });
    expect(create({ OnlineStoreConfig: {} })).toThrow('without an online store');
    expect(create({ OnlineStoreConfig: { EnableOnlineStore: true, StorageType: 'InMemory' } })).toThrow('InMemory');
    expect(create({ ThroughputConfig: {} })).toThrow('ThroughputConfig');
    expect(create({ EventTimeFeatureName: 'age' })).toThrow('Event time age must be a feature of type String');
  });
});
