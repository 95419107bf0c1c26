import { readFileSync } from 'node:fs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { rehearseIngest } from '../../../functions/ingest.ts';
import { type RehearseDependencies, rehearse } from '../../../functions/rehearse.ts';
import { systemTime } from '../../../shared/calls/client-settings.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { defineFeatureGroup, fractional, integral } from '../../../shared/feature-groups/define.ts';
import { differences } from '../../../shared/rehearsal/effects.ts';
import { recentChanges } from '../../../shared/rehearsal/recent-changes.ts';

const group = defineFeatureGroup({
  name: 'parcels',
  recordIdentifier: 'id',
  features: { weight: fractional({ min: 0 }) },
  label: { name: 'lost' },
});

/** Two changes, one of which is labeled, and one that can never be delivered. */
const changes = [{ weight: 1.5 }, { weight: 2, lost: 1 }, { weight: -1 }].map((features, index) => ({
  eventName: 'INSERT',
  dynamodb: {
    ApproximateCreationDateTime: 1_790_000_000,
    Keys: marshall({ id: `p${index}` }),
    NewImage: marshall({ id: `p${index}`, ...features }),
    SequenceNumber: String(100_000_000_000_000_000_000n + BigInt(index)),
  },
}));

const config = {
  featureGroup: 'parcels',
  stateTable: 'state',
  changeLogStream: 'log',
  quarantineBucket: 'quarantine',
  hazardWindowSeconds: 1,
  featureStoreConcurrency: 4,
  featureStoreWriter: 'sdk' as const,
  fences: 'pages' as const,
};
const NOW = 1_790_000_100_000;
/** No client is there: a rehearsal that reached for one would fail. */
const dependenciesOf = (it: FeatureGroup, featureStoreWriter: 'sdk' | 'direct' = 'sdk') => ({
  config: { ...config, featureStoreWriter },
  group: it,
  clients: {} as never,
  putObject: () => expect.unreachable(),
  time: systemTime,
  report: () => expect.unreachable(),
});
const run = (it = group, Records: readonly unknown[] = changes) =>
  rehearseIngest(
    { rehearsal: { now: NOW, key: 'secret' }, Records },
    { getRemainingTimeInMillis: () => 60_000 },
    dependenciesOf(it),
  );

describe('a rehearsal of ingest', () => {
  it('writes nothing, and says where it would have written', async () => {
    const { effects, batchItemFailures } = await run();
    const places = Object.keys(effects).map((place) => place.replaceAll(/[0-9a-f]{16}/g, '*'));
    expect(batchItemFailures).toEqual([]);
    expect([...new Set(places)].sort()).toEqual(
      expect.arrayContaining(['online/*/weight', 'online/*/lost', 'quarantine/*', 'state/fences/*', 'state/label/*']),
    );
    expect(places.filter((place) => place.startsWith('change-log/')).length).toBeGreaterThan(2);
  });

  it('ends when a write fails each time, and says that the batch was not delivered', async () => {
    // No digest can be made without a key, so that no shadow takes a write.
    const rehearsal = { now: NOW, key: undefined as never };
    const context = { getRemainingTimeInMillis: () => 60_000 };
    const answer = await rehearseIngest({ rehearsal, Records: changes }, context, dependenciesOf(group));
    expect(answer).toEqual({
      batchItemFailures: [{ itemIdentifier: changes[0]?.dynamodb.SequenceNumber }],
      effects: {},
    });
  });

  it('gives the same twice, and nothing of what is in a record', async () => {
    const first = await run();
    expect(await run()).toEqual(first);
    expect(JSON.stringify(first)).not.toMatch(/p[012]\b/);
  });

  it('takes the recorded events of the example', async () => {
    const { Records } = JSON.parse(readFileSync('test/fixtures/events/insert.json', 'utf8'));
    expect(Object.keys((await run(bankMarketing, Records)).effects).length).toBeGreaterThan(0);
  });
});

describe('the digests', () => {
  const effectsUnder = async (key: string) => {
    const event = { rehearsal: { now: NOW, key }, Records: changes };
    return (await rehearseIngest(event, { getRemainingTimeInMillis: () => 60_000 }, dependenciesOf(group))).effects;
  };

  it('are others under another key, so that no value is found by trying', async () => {
    const [one, other] = [Object.entries(await effectsUnder('a')), Object.entries(await effectsUnder('b'))];
    expect(one.filter(([place, digest]) => other.some(([there, its]) => there === place && its === digest))).toEqual(
      [],
    );
  });

  it('are the same by either of the two ways to the online store, the deployed one gone in bytes', async () => {
    const event = { rehearsal: { now: NOW, key: 'a' }, Records: changes };
    const context = { getRemainingTimeInMillis: () => 60_000 };
    const direct = dependenciesOf(group, 'direct');
    expect((await rehearseIngest(event, context, direct)).effects).toEqual(await effectsUnder('a'));
  });
});

describe('two versions', () => {
  it('are the same when one has gained a feature', async () => {
    const grown = defineFeatureGroup({
      name: 'parcels',
      recordIdentifier: 'id',
      features: { weight: fractional({ min: 0 }), rooms: integral({ optional: true, since: 2 }) },
      label: { name: 'lost' },
    });
    expect(differences((await run()).effects, (await run(grown)).effects)).toEqual([]);
  });

  it('differ when one refuses what the other delivers', async () => {
    const stricter = { ...group, features: group.features.map((it) => ({ ...it, min: 1.8 })) } as typeof group;
    const found = differences((await run()).effects, (await run(stricter)).effects);
    expect(found.some((place) => place.startsWith('online/'))).toBe(true);
    expect(found.some((place) => place.startsWith('quarantine/'))).toBe(true);
  });

  it('differ when a value does', async () => {
    const heavier = changes.map((it) => ({
      ...it,
      dynamodb: { ...it.dynamodb, NewImage: { ...it.dynamodb.NewImage, weight: { N: '3' } } },
    }));
    expect(differences((await run()).effects, (await run(group, heavier)).effects).length).toBeGreaterThan(0);
  });
});

describe('the hook of CodeDeploy', () => {
  const event = { DeploymentId: 'd-1', LifecycleEventHookExecutionId: 'h-1' };

  /** AWS as the hook sees it: a stream with one shard, two versions of ingest, and CodeDeploy, which notes its answer. */
  async function ask(answers: Record<string, object>, { acceptDifferences = false, records = 1 } = {}) {
    const told: object[] = [];
    const stream = [
      { StreamDescription: { Shards: [{ ShardId: 's' }] } },
      { ShardIterator: 'i' },
      { Records: Array.from({ length: records }, () => ({ eventName: 'INSERT', dynamodb: {} })) },
    ];
    const dependencies = {
      config: { sourceStreamArn: 'arn', ingestFunction: 'ingest', newVersion: 'ingest:2', acceptDifferences },
      streams: { send: async () => stream.shift() },
      lambda: {
        send: async ({ input }: { input: { FunctionName: string } }) => ({
          Payload: Buffer.from(JSON.stringify(answers[input.FunctionName])),
        }),
      },
      codedeploy: { send: async ({ input }: { input: object }) => told.push(input) },
      now: () => NOW,
    } as unknown as RehearseDependencies;
    const answer = await rehearse(event, dependencies);
    expect(told).toEqual([{ deploymentId: 'd-1', lifecycleEventHookExecutionId: 'h-1', status: answer.status }]);
    return answer;
  }
  const same = { effects: { 'online/a/x': '1' } };
  const other = { effects: { 'online/a/x': '2' } };

  it('lets a version pass that does the same as the one that serves', async () => {
    expect(await ask({ 'ingest:live': same, 'ingest:2': same })).toMatchObject({ status: 'Succeeded' });
  });

  it('stops a version that does something else, and names the place', async () => {
    expect(await ask({ 'ingest:live': same, 'ingest:2': other })).toEqual({
      status: 'Failed',
      reason: 'Of 1 changes, 1 writes differ: online/a/x',
    });
  });

  it('lets a version that leaves fences in both forms follow one of either, and be followed by one', async () => {
    const [items, pages] = [{ 'state/fence/1': 'a' }, { 'state/fences/2': 'b' }];
    const both = { ...items, ...pages };
    for (const [live, next] of [
      [items, both],
      [both, pages],
      [pages, both],
      [both, items],
    ]) {
      const answers = { 'ingest:live': { effects: live }, 'ingest:2': { effects: next } };
      expect((await ask(answers as never)).status).toBe('Succeeded');
    }
  });

  it('never lets versions share a shard that do not find each other’s fences, whatever is accepted', async () => {
    const answers = {
      'ingest:live': { effects: { 'state/fence/1': 'a' } },
      'ingest:2': { effects: { 'state/fences/2': 'b' } },
    };
    const answer = await ask(answers as never, { acceptDifferences: true });
    expect(answer).toEqual({ status: 'Failed', reason: expect.stringContaining('--param="fences=both"') });
  });

  it('lets it pass when that is what was meant', async () => {
    const answer = await ask({ 'ingest:live': same, 'ingest:2': other }, { acceptDifferences: true });
    expect(answer).toMatchObject({ status: 'Succeeded', reason: expect.stringContaining('online/a/x') });
  });

  it('stops a version that cannot be asked', async () => {
    expect(await ask({ 'ingest:live': same, 'ingest:2': { errorMessage: 'x' } })).toMatchObject({ status: 'Failed' });
  });

  it.each(['RequestEntityTooLargeException', 'Function.ResponseSizeTooLarge'])(
    'compares on fewer records when Lambda answers %s',
    async (error) => {
      const sizes: number[] = [];
      const stream = [
        { StreamDescription: { Shards: [{ ShardId: 's' }] } },
        { ShardIterator: 'i' },
        { Records: Array.from({ length: 8 }, () => ({ eventName: 'INSERT', dynamodb: {} })) },
      ];
      const answer = await rehearse(event, {
        config: { sourceStreamArn: 'arn', ingestFunction: 'ingest', newVersion: 'ingest:2', acceptDifferences: false },
        streams: { send: async () => stream.shift() },
        lambda: {
          async send({ input }: { input: { Payload: string } }) {
            const { Records } = JSON.parse(input.Payload);
            sizes.push(Records.length);
            if (Records.length > 2 && error.startsWith('Request')) throw Object.assign(new Error(''), { name: error });
            const tooLarge = { errorType: error };
            return { Payload: Buffer.from(JSON.stringify(Records.length > 2 ? tooLarge : same)) };
          },
        },
        codedeploy: { send: async () => ({}) },
        now: () => NOW,
      } as unknown as RehearseDependencies);
      expect(answer).toEqual({ status: 'Succeeded', reason: 'Both versions make the same of 2 changes.' });
      expect(sizes).toEqual([8, 4, 2, 2]);
    },
  );

  it('takes no more of large records than an invocation does', async () => {
    const image = (n: number) => ({ id: { S: 'x' }, v: { N: String(n) }, note: { S: 'x'.repeat(16 * 1_024) } });
    const shards = Array.from({ length: 10 }, (_, n) => ({ ShardId: `s${n}` }));
    const records = Array.from({ length: 50 }, (_, n) => ({ dynamodb: { NewImage: image(n), OldImage: image(n) } }));
    const answers: Record<string, object> = {
      DescribeStreamCommand: { StreamDescription: { Shards: shards } },
      GetShardIteratorCommand: { ShardIterator: 'i' },
      GetRecordsCommand: { Records: records },
    };
    const streams = { send: async (command: object) => answers[command.constructor.name] } as never;
    const changes = await recentChanges(streams, 'arn');
    expect(changes.length).toBeGreaterThanOrEqual(10);
    expect(Buffer.byteLength(JSON.stringify(changes))).toBeLessThan(6_291_456);
  });

  it('says so when there is nothing to compare on', async () => {
    expect(await ask({}, { records: 0 })).toEqual({
      status: 'Succeeded',
      reason: 'The table has not changed for a day: there is nothing to compare on.',
    });
  });
});
