import { DatabaseSync } from 'node:sqlite';
import { GetRecordCommand, UpdateRecordCommand } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { featureStore } from '../../../../infra/local/feature-store/feature-store.ts';
import { at, customers, localFeatureStore, values } from '../../../given/local/feature-store.ts';

let store: Awaited<ReturnType<typeof localFeatureStore>>;
let record: ReturnType<typeof store.newRecord>;

beforeAll(async () => {
  store = await localFeatureStore();
});
beforeEach(() => {
  record = store.newRecord();
});
afterAll(() => store.close());

describe('a put', () => {
  test('is read back exactly as it was sent; what it left out is absent', async () => {
    await record.put({ age: '+9223372036854775807', rate: '1.50e-7', note: '' });
    expect(await record.get()).toEqual({
      id: record.id,
      event_time: at(1),
      age: '+9223372036854775807',
      rate: '1.50e-7',
      note: '',
    });
    await record.put({ event_time: at(2), age: '1' });
    expect(await record.get()).toEqual({ id: record.id, event_time: at(2), age: '1' });
  });

  test('that is older, or as old, is history: answered 200 and not in the online store', async () => {
    await record.put({ event_time: at(2), age: '2' });
    await record.put({ event_time: at(1, 999), age: '1' });
    await record.put({ event_time: at(2), age: '3' });
    expect(await record.get()).toMatchObject({ age: '2' });
    await record.put({ event_time: at(2, 1), age: '4' });
    expect(await record.get()).toMatchObject({ age: '4' });
  });

  test('that is as old is taken under the other tie rule', async () => {
    const other = featureStore({ db: new DatabaseSync(':memory:'), faults: store.faults, tieRule: 'greater-or-equal' });
    other.createFeatureGroup(customers);
    const { PutRecord } = other.service.operations ?? {};
    for (const age of ['1', '2']) {
      const Record = values({ id: record.id, event_time: at(1), age });
      PutRecord?.({ FeatureGroupName: 'customers', Record } as never, undefined);
    }
    expect([...other.records('customers')].map((record) => record.values.age)).toEqual(['2']);
  });

  test('has an event time of seconds, milliseconds or nanoseconds', async () => {
    await record.put({ event_time: '2026-01-01T00:00:01Z', age: '1' });
    await record.put({ event_time: '2026-01-01T00:00:01.000000001Z', age: '2' });
    await record.put({ event_time: '2026-01-01T00:00:01.000Z', age: '3' });
    expect(await record.get()).toMatchObject({ age: '2' });
  });

  test('aimed at the offline store leaves the online store alone', async () => {
    await record.put({ age: '1' }, { TargetStores: ['OfflineStore'] });
    expect(await record.get()).toBeUndefined();
    await record.put({ age: '1' }, { TargetStores: ['OnlineStore', 'OfflineStore'] });
    expect(await record.get()).toMatchObject({ age: '1' });
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
    const error = await record.put(features).catch((it) => it);
    expect(error).toMatchObject({ name: 'ValidationError', $metadata: { httpStatusCode: 400 } });
    expect(error.message).toContain(message);
    expect(await record.get()).toBeUndefined();
  });

  test('of almost 350 KB is taken', async () => {
    await record.put({ note: 'x'.repeat(350 * 1024 - 100) });
    expect((await record.get())?.note).toHaveLength(350 * 1024 - 100);
  });

  test('with a TTL, and an UpdateRecord, are refused loudly', async () => {
    await expect(record.put({}, { TtlDuration: { Unit: 'Days', Value: 1 } })).rejects.toMatchObject({
      name: 'NotImplementedException',
    });
    const update = new UpdateRecordCommand({
      FeatureGroupName: 'customers',
      RecordIdentifierValueAsString: record.id,
      Features: values({ age: '1' }),
    });
    await expect(store.send(update)).rejects.toMatchObject({ name: 'NotImplementedException' });
  });
});

describe('a soft delete', () => {
  test('hides the record and leaves a tombstone that an older put cannot lift', async () => {
    await record.put({ event_time: at(1) });
    await record.remove(at(3));
    expect(await record.get()).toBeUndefined();
    await record.put({ event_time: at(2) });
    await record.put({ event_time: at(3) });
    expect(await record.get()).toBeUndefined();
    const tombstone = [...store.records('customers')].find((it) => it.recordIdentifier === record.id);
    expect(tombstone).toMatchObject({ deleted: true, eventTime: at(3), values: { id: record.id, event_time: at(3) } });
    await record.put({ event_time: at(4), age: '4' });
    expect(await record.get()).toMatchObject({ age: '4' });
  });

  test('that is not later than the record is ignored', async () => {
    await record.put({ event_time: at(2) });
    await record.remove(at(1));
    await record.remove(at(2));
    expect(await record.get()).toMatchObject({ event_time: at(2) });
  });

  test('of a record that is not there leaves its tombstone', async () => {
    await record.remove(at(2));
    await record.put({ event_time: at(1) });
    expect(await record.get()).toBeUndefined();
  });
});

describe('a hard delete', () => {
  const DeletionMode = 'HardDelete';

  test('removes the record with its event time, so that an older put brings it back', async () => {
    await record.put({ event_time: at(2) });
    await record.remove(at(3), { DeletionMode });
    expect([...store.records('customers')].some((it) => it.recordIdentifier === record.id)).toBe(false);
    await record.put({ event_time: at(1) });
    expect(await record.get()).toMatchObject({ event_time: at(1) });
  });

  test('that is not later than the record is a ValidationException', async () => {
    await record.put({ event_time: at(2) });
    await expect(record.remove(at(2), { DeletionMode })).rejects.toMatchObject({
      name: 'ValidationException',
      $metadata: { httpStatusCode: 400 },
    });
    expect(await record.get()).toMatchObject({ event_time: at(2) });
  });
});

describe('GetRecord', () => {
  test('answers the features asked for, in the order of the definition', async () => {
    await record.put({ note: 'n', age: '1' });
    const command = new GetRecordCommand({
      FeatureGroupName: 'arn:aws:sagemaker:us-east-1:000000000000:feature-group/customers',
      RecordIdentifierValueAsString: record.id,
      FeatureNames: ['note', 'age', 'rate'],
      ExpirationTimeResponse: 'Enabled',
    });
    const answer = await store.send(command);
    expect(answer.Record).toEqual([
      { FeatureName: 'age', ValueAsString: '1' },
      { FeatureName: 'note', ValueAsString: 'n' },
    ]);
    expect(answer.ExpiresAt).toBeUndefined();
  });

  test('of a record that is not there is empty; of an unknown group ResourceNotFound', async () => {
    expect(await record.get()).toBeUndefined();
    await expect(record.get({ FeatureGroupName: 'none' })).rejects.toMatchObject({
      name: 'ResourceNotFound',
      $metadata: { httpStatusCode: 404 },
    });
    await expect(record.get({ FeatureNames: ['none'] })).rejects.toMatchObject({ name: 'ValidationError' });
  });
});
