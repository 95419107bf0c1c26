import { DatabaseSync } from 'node:sqlite';
import {
  BatchGetRecordCommand,
  BatchWriteRecordCommand,
  ListRecordsCommand,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readOnlineStore } from '../../../../infra/demo/findings/online-store.ts';
import { featureStore } from '../../../../infra/local/feature-store/feature-store.ts';
import type { FeatureGroup } from '../../../../shared/definition/feature-group.ts';
import { at, customers, localFeatureStore, recordOf, values } from '../../../given/local/feature-store.ts';

let store: Awaited<ReturnType<typeof localFeatureStore>>;
let record: ReturnType<typeof store.newRecord>;

beforeAll(async () => {
  store = await localFeatureStore();
});
beforeEach(() => {
  record = store.newRecord();
});
afterAll(() => store.close());

describe('batches', () => {
  const entry = (entryId: string, features: Record<string, string> = {}) => ({
    FeatureGroupName: 'customers',
    Record: values({ id: entryId, event_time: at(1), ...features }),
  });
  const write = (...Entries: ReturnType<typeof entry>[]) => store.send(new BatchWriteRecordCommand({ Entries }));
  const read = (...ids: string[]) =>
    store.send(
      new BatchGetRecordCommand({
        Identifiers: [{ FeatureGroupName: 'customers', RecordIdentifiersValueAsString: ids, FeatureNames: ['id'] }],
      }),
    );

  test('write what is right and answer beside it what is wrong', async () => {
    const wrong = entry(`${record.id}2`, { age: 'x' });
    const elsewhere = { ...entry(`${record.id}3`), FeatureGroupName: 'none' };
    const { Errors, UnprocessedEntries } = await write(entry(`${record.id}1`), wrong, elsewhere);
    expect(Errors).toEqual([
      { Entry: wrong, ErrorCode: 'ValidationError', ErrorMessage: expect.stringContaining('[age]') },
      { Entry: elsewhere, ErrorCode: 'ResourceNotFound', ErrorMessage: expect.stringContaining('none') },
    ]);
    expect(UnprocessedEntries).toEqual([]);
    const { Records } = await read(`${record.id}1`, `${record.id}2`);
    expect(Records).toEqual([
      {
        FeatureGroupName: 'customers',
        RecordIdentifierValueAsString: `${record.id}1`,
        Record: [{ FeatureName: 'id', ValueAsString: `${record.id}1` }],
      },
    ]);
  });

  test('follow the event-time rule of a single put', async () => {
    await record.put({ event_time: at(5), age: '5' });
    await write(entry(record.id, { event_time: at(5), age: '6' }));
    expect(await record.get()).toMatchObject({ age: '5' });
  });

  test('take 1 to 25 entries', async () => {
    await write(...Array.from({ length: 25 }, (_, n) => entry(`${record.id}-${n}`)));
    const tooMany = Array.from({ length: 26 }, (_, n) => entry(`${record.id}-${n}`));
    await expect(write(...tooMany)).rejects.toMatchObject({ name: 'ValidationError' });
    await expect(write()).rejects.toMatchObject({ name: 'ValidationError' });
  });

  test('may leave entries unprocessed, which can be sent again', async () => {
    store.faults.inject({ service: 'featurestore', operation: 'BatchWriteRecord', kind: 'partial' });
    const entries = [entry(`${record.id}1`), entry(`${record.id}2`), entry(`${record.id}3`)];
    const { UnprocessedEntries = [] } = await write(...entries);
    expect(UnprocessedEntries).toEqual([entries[0], entries[2]]);
    expect((await read(`${record.id}1`, `${record.id}2`, `${record.id}3`)).Records).toHaveLength(1);
    await store.send(new BatchWriteRecordCommand({ Entries: UnprocessedEntries }));
    expect((await read(`${record.id}1`, `${record.id}2`, `${record.id}3`)).Records).toHaveLength(3);
  });

  test('can be throttled, or carried out with the answer lost', async () => {
    store.faults.inject({ service: 'featurestore', operation: 'BatchWriteRecord', kind: 'before' });
    await expect(write(entry(record.id))).rejects.toMatchObject({ name: 'ThrottlingException' });
    expect(await record.get()).toBeUndefined();
    store.faults.inject({ service: 'featurestore', operation: 'BatchWriteRecord', kind: 'after' });
    await expect(write(entry(record.id))).rejects.toThrow();
    expect(await record.get()).toBeDefined();
  });

  test('that read from an unknown group answer an error for each record', async () => {
    const { Errors } = await store.send(
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

describe('a reader of the whole online store', () => {
  const group = { name: 'customers' } as FeatureGroup;
  const partial = (times: number) =>
    store.faults.inject({ service: 'featurestore', operation: 'BatchGetRecord', kind: 'partial', times });

  test('asks again for what is left unprocessed', async () => {
    await record.put({ event_time: at(5), age: '5' });
    partial(2);
    const read = await readOnlineStore(store.client, group);
    expect(read.get(record.id)?.get('age')).toBe('5');
  });

  test('takes nothing for missing that stays unprocessed', async () => {
    await record.put({ event_time: at(5), age: '5' });
    partial(6);
    await expect(readOnlineStore(store.client, group)).rejects.toThrow('stayed unprocessed');
  });
});

describe('ListRecords', () => {
  test('pages through all identifiers, with or without what was soft deleted', async () => {
    const group = { ...customers, FeatureGroupName: 'listed' };
    store.createFeatureGroup(group);
    const ids = Array.from({ length: 7 }, (_, n) => `r${n}`);
    for (const recordId of ids) await record.put({ id: recordId }, { FeatureGroupName: 'listed' });
    await recordOf(store, 'r3').remove(at(2), { FeatureGroupName: 'listed' });
    const list = async (IncludeSoftDeletedRecords: boolean) => {
      const seen: string[] = [];
      let NextToken: string | undefined;
      do {
        const page = await store.send(
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
    const before = featureStore({ db, faults: store.faults, tieRule: 'greater' });
    before.createFeatureGroup(customers);
    const { PutRecord } = before.service.operations ?? {};
    PutRecord?.(
      { FeatureGroupName: 'customers', Record: values({ id: record.id, event_time: at(1) }) } as never,
      undefined,
    );
    const after = featureStore({ db, faults: store.faults, tieRule: 'greater' });
    expect([...after.records('customers')]).toMatchObject([{ recordIdentifier: record.id, deleted: false }]);
    const more = [...customers.FeatureDefinitions, { FeatureName: 'new', FeatureType: 'Integral' } as const];
    after.createFeatureGroup({ ...customers, FeatureDefinitions: more });
    expect(() => after.createFeatureGroup(customers)).toThrow('features can be added, never removed');
  });

  test('that the local cloud cannot be are refused', () => {
    const create = (more: object) => () => store.createFeatureGroup({ ...customers, FeatureGroupName: 'x', ...more });
    expect(create({ OnlineStoreConfig: {} })).toThrow('without an online store');
    expect(create({ OnlineStoreConfig: { EnableOnlineStore: true, StorageType: 'InMemory' } })).toThrow('InMemory');
    expect(create({ ThroughputConfig: {} })).toThrow('ThroughputConfig');
    expect(create({ EventTimeFeatureName: 'age' })).toThrow('Event time age must be a feature of type String');
  });
});
