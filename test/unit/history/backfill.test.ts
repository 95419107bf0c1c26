import { describe, expect, it, test } from 'vitest';
import type { Rejection } from '../../../shared/changes/change.ts';
import { makeDecoder } from '../../../shared/changes/decode.ts';
import { onlineStoreOf } from '../../../shared/delivery/destinations.ts';
import { readExport } from '../../../shared/history/manifest.ts';
import { runBackfill } from '../../../shared/history/run/backfill.ts';
import type { BackfillDestinations } from '../../../shared/history/run/chunk.ts';
import { PART_AGE_MAX_MS } from '../../../shared/history/run/file.ts';
import { LEASE_MS } from '../../../shared/history/run/lease.ts';
import { plannedFiles, refusalOf, type Source, sourceOfExport } from '../../../shared/history/run/plan.ts';
import { adaptiveRate } from '../../../shared/history/run/rate.ts';
import { labelLedgerSink } from '../../../shared/sinks/label-ledger.ts';
import type { Sink } from '../../../shared/sinks/sink.ts';
import { beginBackfill, endBackfill, readBackfill, takeBackfill } from '../../../shared/state/backfill/run.ts';
import { exportObjects, itemLine } from '../../given/history/exports.ts';
import { passingTime } from '../../given/pace.ts';
import { TableWorld, thing, thingRecord, things } from '../../given/table-world.ts';
import { ExportBucket } from '../../simulation/backfill/history.ts';

/** The second at which worlds of tables begin, and the moment of the export. */
const START_MS = 1_760_000_000_000;
const AS_OF_MS = START_MS + 600_000;
const CLOCKS = { marginSeconds: 300, sinceMs: AS_OF_MS + 60_000 };

/** A table, an export of it, and a backfill that has begun to record. */
async function given(items: readonly object[], { world = new TableWorld(), sinceMs = CLOCKS.sinceMs } = {}) {
  const bucket = new ExportBucket();
  const asOf = new Date(AS_OF_MS).toISOString();
  const { folder, objects } = exportObjects({ table: 'things', asOf, files: [items.map(itemLine)] });
  for (const [key, bytes] of objects) bucket.objects.set(key, bytes);
  const sources = [sourceOfExport(await readExport(bucket, folder), bucket)];
  const table = { name: 'state', dynamodb: world.clients.dynamodb };
  const run = await beginBackfill(table, { runId: 'r1', sinceMs, sources: '', definition: '' }, 1);
  if (!run) throw new Error('another backfill is under way');
  const rows = new Map<string, string>();
  const { time, waitFor } = passingTime(AS_OF_MS + 120_000);
  const onlineStore = onlineStoreOf(world.group, { featureStoreConcurrency: 4 }, world.clients);
  const work = (overrides: Partial<BackfillDestinations> = {}) =>
    runBackfill(
      run,
      { files: plannedFiles(sources, run.firstExport, { ...CLOCKS, sinceMs }), place: bucket },
      {
        ...{
          group: world.group,
          decode: makeDecoder(world.group),
          table,
          time,
          rate: adaptiveRate(1_000, time),
          marginSeconds: 300,
        },
        owner: 'somebody',
        destinations: {
          ...{ onlineStore, labelLedger: labelLedgerSink(table, 1), table, source: world.clients.dynamodb },
          quarantine: async () => [],
          ...overrides,
        },
        putRows: async (key, bytes) => void rows.set(key, Buffer.from(bytes).toString()),
        deleteRows: async (key) => void rows.delete(key),
        onProgress() {},
      },
    );
  return { world, table, run, rows, work, onlineStore, waitFor };
}

/** A sink that takes nothing. */
const failing: Sink = {
  name: 'failing',
  write: async (changes) => ({
    failures: changes.map(({ sequenceNumber }) => ({ sequenceNumber, message: 'it rains' })),
    rejections: [],
  }),
};

describe('a backfill', () => {
  it('puts what is still in the table, deletes what is gone, counts labels once, and leaves a row for each', async () => {
    const { world, work, rows, table } = await given([
      thing('a', 1),
      thing('b', 2, { y: { N: '1' } }),
      thing('gone', 3),
    ]);
    world.items.set('a', thing('a', 1)).set('b', thing('b', 2));
    expect(await work()).toMatchObject({ rows: 3, rejected: 0, skipped: 0, deleted: 1, labels: 1 });
    expect(['a', 'b', 'gone'].map((id) => world.online(id))).toEqual(['1', '2', 'gone']);
    expect([...rows.keys()]).toEqual([expect.stringMatching(/^dt=2025-10-09\/backfill\/r1\/000-000000-0000\.csv$/)]);
    expect([...rows.values()][0]?.split('\n')).toHaveLength(4);
    expect(world.dynamodb.state.get('label#b')).toMatchObject({ label: { S: '1' }, streamSecond: { N: '0' } });
    expect(await readBackfill(table)).toMatchObject({ status: 'done', nextExport: 1 });
  });

  it('loses against a change of the stream, whichever is written first', async () => {
    const { world, work } = await given([thing('a', 1), thing('b', 1)]);
    world.items.set('a', thing('a', 2)).set('b', thing('b', 2));
    await world.ingest(thingRecord('MODIFY', 10, 400, { before: thing('a', 1), after: thing('a', 2) }));
    await work();
    await world.ingest(thingRecord('MODIFY', 11, 400, { before: thing('b', 1), after: thing('b', 2) }));
    expect([world.online('a'), world.online('b')]).toEqual(['2', '2']);
  });

  it('is taken up where it was left: what every sink has taken is not written again', async () => {
    const { world, work, rows } = await given([thing('a', 1), thing('b', 2)]);
    world.items.set('a', thing('a', 1)).set('b', thing('b', 2));
    await expect(work({ onlineStore: failing })).rejects.toThrow('2 records were not written: it rains');
    await expect(work({ labelLedger: failing })).resolves.toMatchObject({ rows: 2 });
    expect(rows.size).toBe(1);
  });

  it('is not through while a label is not counted', async () => {
    const { world, work } = await given([thing('a', 1, { y: { N: '0' } })]);
    world.items.set('a', thing('a', 1));
    await expect(work({ labelLedger: failing })).rejects.toThrow('labels were not counted: it rains');
    expect(await work()).toMatchObject({ labels: 1 });
  });

  it('begins an object again under a new day when it was away for too long', async () => {
    const { work, rows, waitFor, world } = await given([thing('a', 1)]);
    world.items.set('a', thing('a', 1));
    await expect(work({ onlineStore: failing })).rejects.toThrow();
    waitFor(PART_AGE_MAX_MS + 1);
    await work();
    expect([...rows.keys()]).toEqual([expect.stringContaining('dt=2025-10-10/')]);
  });

  it('keeps rejected rows so that a redrive puts them right from the table', async () => {
    const kept: Rejection[] = [];
    const { world, work } = await given([thing('a', 'much'), thing('b', 2)]);
    world.items.set('a', thing('a', 'much')).set('b', thing('b', 2));
    const quarantine = async (rejections: readonly Rejection[]) => {
      kept.push(...rejections);
      return [];
    };
    expect(await work({ quarantine })).toMatchObject({ rows: 2, rejected: 1 });
    expect(kept[0]?.message).toMatch(/\(prefix\/.+\.json\.gz, line 1\)$/);
    world.bucket.put('quarantine/things/a.jsonl', `${JSON.stringify(kept[0])}\n`);
    world.items.set('a', thing('a', 7));
    world.second = 2_000;
    expect((await world.redrive()).waiting).toEqual([]);
    expect(world.online('a')).toBe('7');
    expect(world.latest('a')).toBe('7');
  });

  it('writes a row whose label is none, counts it apart, and keeps the label in quarantine', async () => {
    const kept: Rejection[] = [];
    const labeled = { ...thing('a', 1), y: { S: 'perhaps' } };
    const { world, work } = await given([labeled]);
    world.items.set('a', labeled);
    const quarantine = async (rejections: readonly Rejection[]) => {
      kept.push(...rejections);
      return [];
    };
    expect(await work({ quarantine })).toMatchObject({ rows: 1, rejected: 0, labels: 0, wrongLabels: 1 });
    expect(kept.map(({ reason }) => reason)).toEqual(['invalid-label']);
    expect(world.online('a')).toBe('1');
  });

  it('is worked on by one at a time', async () => {
    const { work, table, run, waitFor } = await given([]);
    const nowMs = AS_OF_MS + 120_000;
    await takeBackfill(table, { runId: run.runId, owner: 'another', nowMs, leaseMs: nowMs + 3 * LEASE_MS });
    await expect(work()).rejects.toThrow(/Somebody else works on this backfill/);
    waitFor(2 * LEASE_MS);
    await expect(work()).resolves.toMatchObject({ rows: 0 });
  });

  it('is the only one: another begins when it has ended, and numbers its exports on', async () => {
    const { table, run } = await given([]);
    const begun = { runId: 'r2', sinceMs: 1, sources: '', definition: '' };
    expect(await beginBackfill(table, begun, 2)).toBeUndefined();
    expect(await endBackfill(table, run.runId, 'aborted', 5)).toBe(true);
    expect(await endBackfill(table, run.runId, 'done', 6)).toBe(false);
    expect(await beginBackfill(table, begun, 2)).toMatchObject({ firstExport: 1, nextExport: 3 });
  });
});

describe('while a backfill records', () => {
  const remove = thingRecord('REMOVE', 12, 500, { before: thing('a', 1) });

  it('a delete leaves a tombstone first, and the backfill deletes what it put after it', async () => {
    // The export was made long after the recording began: nobody asks the table.
    const { world, work } = await given([thing('a', 1)], { sinceMs: START_MS - 600_000 });
    await world.ingest(remove);
    expect(world.dynamodb.state.get('tombstone#a')).toMatchObject({ eventTimeMs: { N: String(START_MS + 500_000) } });
    world.featureStore.records.clear();
    expect(await work()).toMatchObject({ deleted: 1, swept: 1 });
    expect(world.online('a')).toBe('gone');
  });

  it('a delete that cannot leave one is not made', async () => {
    const { world } = await given([]);
    world.callMs.DynamoDB = 5_000;
    const handle = world.dynamodb.handle.bind(world.dynamodb);
    world.dynamodb.handle = (operation, input, caller) => {
      if (operation.startsWith('BatchExecute')) throw Object.assign(new Error('no'), { name: 'AccessDeniedException' });
      return handle(operation, input, caller);
    };
    const { checkpoint, failures } = await world.ingest(remove);
    expect([checkpoint, failures[0]?.message]).toEqual(['12', expect.stringMatching(/tombstones were not written/)]);
    expect(world.featureStore.records.has('a')).toBe(false);
  });
});

test('without a backfill a delete leaves no tombstone', async () => {
  const world = new TableWorld();
  await world.ingest(thingRecord('REMOVE', 12, 500, { before: thing('a', 1) }));
  expect([...world.dynamodb.state.keys()].filter((pk) => pk.startsWith('tombstone#'))).toEqual([]);
  expect(world.online('a')).toBe('gone');
});

describe('a feature group cannot be backfilled', () => {
  const source: Source = { form: 'full', asOfMs: AS_OF_MS, files: [] };
  const covered = AS_OF_MS - 600_000;
  const changed: Source = { ...source, form: 'incremental', oldImages: false };

  it.each([
    [
      'by the event times of its items',
      things({ eventTime: { attribute: 'at' } }),
      [source],
      covered,
      /come from the attribute at/,
    ],
    [
      'from an export before the stream was read',
      things(),
      [source],
      covered + 1,
      /as of 2025-10-09T09:03:20.001Z or later/,
    ],
    ['whose removals differ', things({ onDelete: 'keep' }), [source], covered, /onDelete and onTtlExpiry differ/],
    ['from nothing', things(), [], covered, /nothing to read/],
  ] as const)('%s', (_, group, sources, coveredMs, message) => {
    expect(refusalOf(group, sources, CLOCKS, coveredMs)).toMatch(message);
  });

  it('but otherwise it can', () => {
    expect(refusalOf(things(), [source, changed], CLOCKS, covered)).toBeUndefined();
    expect(refusalOf(things({ onDelete: 'keep', onTtlExpiry: 'keep' }), [source], CLOCKS, covered)).toBeUndefined();
  });
});
