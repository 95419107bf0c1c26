import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CreateTableCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { FirehoseClient } from '@aws-sdk/client-firehose';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { featureGroup } from '../../../infra/aws/data/feature-group.ts';
import { embeddedDynamoDb } from '../../../infra/local/dynamodb/embedded.ts';
import { featureStore } from '../../../infra/local/feature-store/feature-store.ts';
import { firehose } from '../../../infra/local/firehose/firehose.ts';
import { type Fault, Faults } from '../../../infra/local/protocol/faults.ts';
import { serve } from '../../../infra/local/protocol/server.ts';
import { s3 } from '../../../infra/local/s3/s3.ts';
import { ObjectStore } from '../../../infra/local/storage/object-store.ts';
import type { Pace } from '../../../shared/calls/pace.ts';
import type { TimedChange } from '../../../shared/changes/change.ts';
import { directOnlineStore } from '../../../shared/online-store/direct.ts';
import { sdkOnlineStore } from '../../../shared/online-store/online-store.ts';
import { s3ObjectWriter } from '../../../shared/quarantine/object-writer.ts';
import { changeLogSink } from '../../../shared/sinks/change-log.ts';
import { featureStoreSink } from '../../../shared/sinks/feature-store.ts';
import { labelLedgerSink } from '../../../shared/sinks/label-ledger.ts';
import { quarantine } from '../../../shared/sinks/quarantine.ts';
import type { Sink } from '../../../shared/sinks/sink.ts';
import { accounts, FIRST_SECOND, timedChange } from '../../given/builders.ts';
import { pace } from '../../given/pace.ts';

/** One suite of behaviours, held against every sink over the wire. */

const faults = new Faults();
let close = async () => {};
const client = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' }, endpoint: '' };
let objects: ObjectStore;
let store: ReturnType<typeof featureStore>;
let log: ReturnType<typeof firehose>;

beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tributary-sinks-'));
  const db = new DatabaseSync(':memory:');
  objects = new ObjectStore(join(dir, 's3'));
  await objects.createBucket('data');
  await objects.createBucket('quarantine');
  store = featureStore({ db, faults, tieRule: 'greater' });
  store.createFeatureGroup(featureGroupProperties());
  log = firehose({ objects, db, faults });
  await log.createDeliveryStream({
    name: 'change-log',
    bucket: 'data',
    prefix: 'change-log/',
    errorPrefix: 'errors/',
    bufferSeconds: 900,
    bufferMB: 128,
    compression: 'UNCOMPRESSED',
  });
  const dynamodb = await embeddedDynamoDb();
  const { server, port } = await serve(
    [store.service, log.service, ...dynamodb.services, s3({ objects }).service],
    faults,
    0,
  );
  client.endpoint = `http://127.0.0.1:${port}`;
  close = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await log.close();
    await dynamodb.close();
    await rm(dir, { recursive: true });
  };
});
afterAll(() => close());
beforeEach(() => faults.clear());

function featureGroupProperties() {
  return featureGroup(accounts).FeatureGroup?.Properties as unknown as Parameters<typeof store.createFeatureGroup>[0];
}

const patient = (): Pace => pace({ now: Date.now, deadline: Date.now() + 20_000 });
/** How far the seconds of a shard's records may be out of step. */
const HAZARD_SECONDS = 1;
const outOfTime = (): Pace => ({ ...patient(), deadline: 0 });

interface Subject {
  readonly sink: Sink;
  readonly operation: Pick<Required<Fault>, 'service' | 'operation'>;
  /** What the sink's destination holds, in a form that duplicates it may hold do not show in. */
  read(): Promise<string[]>;
  /** Whether its API can answer 200 with a part undone. */
  readonly partial: boolean;
}

let table = 0;

const subjects: Record<string, () => Promise<Subject>> = {
  'feature-store by the SDK': async () => featureStoreSubject(sdkOnlineStore),
  'feature-store directly': async () => featureStoreSubject(directOnlineStore),
  'change-log': async () => ({
    sink: changeLogSink(accounts, 'change-log', new FirehoseClient(client)),
    operation: { service: 'firehose', operation: 'PutRecordBatch' },
    partial: true,
    async read() {
      await log.flush('change-log');
      const files = await objects.list('data', 'change-log/');
      const texts = await Promise.all(files.map(({ key }) => objects.get('data', key)));
      return [...new Set(texts.flatMap((text) => text.toString().trimEnd().split('\n')))].sort();
    },
  }),
  'label-ledger': async () => {
    const dynamodb = new DynamoDBClient(client);
    table += 1;
    const TableName = `state-${table}`;
    await dynamodb.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      }),
    );
    return {
      sink: labelLedgerSink({ name: TableName, dynamodb }, HAZARD_SECONDS),
      operation: { service: 'dynamodb', operation: 'BatchExecuteStatement' },
      partial: false,
      read: async () =>
        ((await dynamodb.send(new ScanCommand({ TableName }))).Items ?? [])
          .map(({ pk, label, epoch }) => `${pk?.S} ${label?.S} ${epoch?.N}`)
          .sort(),
    };
  },
  quarantine: async () => {
    const to = { bucket: 'quarantine', featureGroup: 'accounts', putObject: s3ObjectWriter(client) };
    return {
      sink: {
        name: 'quarantine',
        async write(changes, pace) {
          const left = await quarantine(changes.map(rejectionOf), to, pace);
          const failures = left.map(({ rejection, message }) => ({
            sequenceNumber: rejection.sequenceNumber ?? '',
            message,
          }));
          return { failures, rejections: [] };
        },
      },
      operation: { service: 's3', operation: 'PutObject' },
      partial: false,
      async read() {
        const files = await objects.list('quarantine');
        const texts = await Promise.all(files.map(({ key }) => objects.get('quarantine', key)));
        return texts.flatMap((text) => text.toString().trimEnd().split('\n')).sort();
      },
    };
  },
};

function featureStoreSubject(onlineStore: typeof directOnlineStore): Subject {
  return {
    sink: featureStoreSink(accounts, onlineStore(accounts, new SageMakerFeatureStoreRuntimeClient(client)), 4),
    operation: { service: 'featurestore', operation: 'BatchWriteRecord' },
    partial: true,
    read: async () =>
      [...store.records('accounts')].map((record) => JSON.stringify([record.recordIdentifier, record.eventTime])),
  };
}

function rejectionOf(change: TimedChange) {
  const { sequenceNumber } = change;
  return { sequenceNumber, reason: 'wrong-type', path: 'p', message: 'm', record: change } as const;
}

/** Changes of `count` accounts, each labeled, that no other call has made. */
let made = 0;
function changes(count: number): TimedChange[] {
  made += count;
  return Array.from({ length: count }, (_, index) =>
    timedChange({
      sequenceNumber: String(10n ** 20n + BigInt(made * 1_000 + index)),
      recordIdentifier: `a-${made}-${index}`,
      eventTimeMs: (FIRST_SECOND + made) * 1_000,
      newLabel: '1',
    }),
  );
}

describe.each(Object.keys(subjects))('%s', (name) => {
  const make = subjects[name] as () => Promise<Subject>;

  test('writes every change of a batch', async () => {
    const { sink, read } = await make();
    const before = (await read()).length;
    expect(await sink.write(changes(60), patient())).toEqual({ failures: [], rejections: [] });
    expect((await read()).length - before).toBe(60);
  });

  test('writing a batch again leaves what was there', async () => {
    const { sink, read } = await make();
    const batch = changes(30);
    await sink.write(batch, patient());
    const once = await read();
    expect(await sink.write(batch, patient())).toEqual({ failures: [], rejections: [] });
    expect(await read()).toEqual(once);
  });

  test('what is throttled is written later', async () => {
    const { sink, operation, read } = await make();
    const before = (await read()).length;
    faults.inject({ ...operation, kind: 'before', times: 8 });
    expect((await sink.write(changes(30), patient())).failures).toEqual([]);
    expect((await read()).length - before).toBe(30);
  });

  test('a call whose answer was lost is made again, and counts once', async () => {
    const { sink, operation, read } = await make();
    const before = (await read()).length;
    faults.inject({ ...operation, kind: 'after', times: 2 });
    expect((await sink.write(changes(30), patient())).failures).toEqual([]);
    expect((await read()).length - before).toBe(30);
  });

  test('what is refused to the end is a failure of every change, and the message says by whom', async () => {
    const { sink, operation } = await make();
    faults.inject({ ...operation, kind: 'before', times: 10_000, code: 'AccessDeniedException', status: 403 });
    const batch = changes(30);
    const { failures } = await sink.write(batch, { ...patient(), deadline: Date.now() + 300 });
    expect(failures.map(({ sequenceNumber }) => sequenceNumber).sort()).toEqual(
      batch.map(({ sequenceNumber }) => sequenceNumber),
    );
    expect(failures[0]?.message).toMatch(new RegExp(`^${sink.name}: (AccessDeniedException|no time left)`));
  });

  test('without time left nothing is begun, and every change is a failure', async () => {
    const { sink, read } = await make();
    const before = await read();
    expect((await sink.write(changes(30), outOfTime())).failures).toHaveLength(30);
    expect(await read()).toEqual(before);
  });

  test('an empty batch calls nobody', async () => {
    const { sink, operation } = await make();
    faults.inject({ ...operation, kind: 'before' });
    expect(await sink.write([], patient())).toEqual({ failures: [], rejections: [] });
  });

  test('a part that was left undone in a 200 is written later', async ({ skip }) => {
    const { sink, operation, read, partial } = await make();
    skip(!partial, 'its API has no partial success');
    const before = (await read()).length;
    faults.inject({ ...operation, kind: 'partial', times: 3 });
    expect((await sink.write(changes(60), patient())).failures).toEqual([]);
    expect((await read()).length - before).toBe(60);
  });
});

describe.each([
  ['by the SDK', sdkOnlineStore],
  ['directly', directOnlineStore],
])('feature-store %s', (_, onlineStore) => {
  const sink = () =>
    featureStoreSink(accounts, onlineStore(accounts, new SageMakerFeatureStoreRuntimeClient(client)), 4);
  const online = (identifier: string) =>
    [...store.records('accounts')].find((it) => it.recordIdentifier === identifier);

  test('of several changes of a record the last is written', async () => {
    const [first] = changes(1) as [TimedChange];
    const later = { ...first, sequenceNumber: `${first.sequenceNumber}0`, eventTimeMs: first.eventTimeMs + 1 };
    await sink().write([first, { ...later, values: ['9', '1', 'free', '0', '', null, undefined] }], patient());
    expect(online(first.recordIdentifier)?.values).toMatchObject({ logins: '9', plan: 'free', note: '' });
    expect(Object.keys(online(first.recordIdentifier)?.values ?? {})).not.toContain('score');
  });

  test('a deletion leaves a tombstone that an older change does not bring back', async () => {
    const [first] = changes(1) as [TimedChange];
    const removal = { ...first, eventName: 'REMOVE', values: undefined, eventTimeMs: first.eventTimeMs + 1 } as const;
    await sink().write([first], patient());
    await sink().write([removal], patient());
    await sink().write([first], patient());
    expect(online(first.recordIdentifier)?.deleted).toBe(true);
  });

  test('what Feature Store says of a record is kept with it, and is in no message', async () => {
    const batch = changes(2);
    const wrong = { ...batch[1], values: ['jane@example.org', '1', 'free', '0', '', null, undefined] } as TimedChange;
    const { rejections } = await sink().write([batch[0] as TimedChange, wrong], patient());
    expect(rejections[0]?.message).toBe('Feature Store refused the record: ValidationError.');
    expect(rejections[0]?.detail).toContain('ValidationError: ');
  });

  test('when every record of many is refused it is the group that is wrong, and nobody goes to quarantine', async () => {
    const wrong = changes(30).map((it) => ({ ...it, values: ['x', '1', 'free', '0', '', null, undefined] }));
    const { failures, rejections } = await sink().write(wrong, patient());
    expect([failures.length, rejections.length]).toEqual([30, 0]);
    expect(failures[0]?.message).toMatch(/every one of 30 records: is the feature group as the definition has it\?$/);
  });

  test('a call of too many bytes is made in parts', async () => {
    faults.inject({
      ...{ service: 'featurestore', operation: 'BatchWriteRecord', kind: 'before', times: 3 },
      ...{ code: 'RequestEntityTooLargeException', status: 413 },
    });
    const batch = changes(20);
    expect(await sink().write(batch, patient())).toEqual({ failures: [], rejections: [] });
    expect(batch.every(({ recordIdentifier }) => online(recordIdentifier))).toBe(true);
  });

  test('a record that a batch makes and deletes leaves a tombstone that its insertion cannot undo', async () => {
    const [first] = changes(1) as [TimedChange];
    const removal = { ...first, eventName: 'REMOVE', values: undefined, eventTimeMs: first.eventTimeMs + 1 } as const;
    await sink().write([first, { ...removal, sequenceNumber: `${first.sequenceNumber}0` }], patient());
    await sink().write([first], patient());
    expect(online(first.recordIdentifier)?.deleted).toBe(true);
  });

  test('a record that Feature Store refuses is a rejection, and the others of its call are written', async () => {
    const batch = changes(3);
    const wrong = { ...batch[1], values: ['no number', '1', 'free', '0', '', null, undefined] } as TimedChange;
    const { failures, rejections } = await sink().write([batch[0], wrong, batch[2]] as TimedChange[], patient());
    expect(failures).toEqual([]);
    expect(rejections.map(({ change }) => change.recordIdentifier)).toEqual([wrong.recordIdentifier]);
    expect(online(batch[2]?.recordIdentifier ?? '')).toBeDefined();
  });
});

describe('quarantine', () => {
  test('keeps the rejections of a batch in one object, a line each', async () => {
    const { sink } = await (subjects.quarantine as () => Promise<Subject>)();
    const before = (await objects.list('quarantine')).length;
    await sink.write(changes(1_000), patient());
    expect((await objects.list('quarantine')).length - before).toBe(1);
  });
});

describe('label-ledger', () => {
  test('a label event of a stream that was made anew counts, however low its number', async () => {
    const { sink, read } = await (subjects['label-ledger'] as () => Promise<Subject>)();
    const [first] = changes(1) as [TimedChange];
    const later = { ...first, sequenceNumber: '20500000000000000910398', second: first.second + 86_400 };
    await sink.write([{ ...first, sequenceNumber: '1683700000000001135967000', newLabel: '0' }], patient());
    await sink.write([{ ...later, newLabel: '1' }], patient());
    expect(await read()).toEqual([`label#${first.recordIdentifier} 1 1`]);
    await sink.write([{ ...first, sequenceNumber: '1683700000000001135967000', newLabel: '0' }], patient());
    expect(await read()).toEqual([`label#${first.recordIdentifier} 1 1`]);
  });

  test('an older label event that comes late changes nothing', async () => {
    const { sink, read } = await (subjects['label-ledger'] as () => Promise<Subject>)();
    const [first] = changes(1) as [TimedChange];
    await sink.write([{ ...first, sequenceNumber: '1000', newLabel: '0' }], patient());
    await sink.write([{ ...first, sequenceNumber: '999', newLabel: '1' }], patient());
    expect(await read()).toEqual([`label#${first.recordIdentifier} 0 1`]);
  });
});
