import { describe, expect, it } from 'vitest';
import { makeDecoder } from '../../../shared/changes/decode.ts';
import { onlineStoreOf } from '../../../shared/delivery/destinations.ts';
import { act, type HistoryRequest } from '../../../shared/history/machine/actions.ts';
import type { Begun } from '../../../shared/history/machine/begin.ts';
import type { HistoryDependencies } from '../../../shared/history/machine/dependencies.ts';
import type { Ended } from '../../../shared/history/machine/ending.ts';
import type { Listed } from '../../../shared/history/machine/files.ts';
import type { PlannedFile } from '../../../shared/history/run/plan.ts';
import { labelLedgerSink } from '../../../shared/sinks/label-ledger.ts';
import { endBackfill, readBackfill } from '../../../shared/state/backfill/run.ts';
import { exportObjects, itemLine } from '../../given/history/exports.ts';
import { passingTime } from '../../given/pace.ts';
import { TableWorld, thing } from '../../given/table-world.ts';
import { ExportBucket } from '../../simulation/backfill/history.ts';

const AS_OF_MS = 1_760_000_600_000;
const FROM_MS = AS_OF_MS - 100_000;
const EXECUTION = 'arn:aws:states:us-east-1:123456789012:execution:things-backfill:e1';
const NEXT = EXECUTION.replace('e1', 'e2');

/** Two exports of a table, the second incremental, in the data bucket; and what the function stands on. */
function given(items: readonly (readonly object[])[] = [[thing('a', 1)], [thing('b', 2, { y: { N: '1' } })]]) {
  const world = new TableWorld();
  const place = new ExportBucket();
  const put = ({ folder, objects }: ReturnType<typeof exportObjects>) => {
    for (const [key, bytes] of objects) place.objects.set(key, bytes);
    return `s3://data/${folder}`;
  };
  const iso = (ms: number) => new Date(ms).toISOString();
  const files = items.map((it) => it.map(itemLine));
  const change = JSON.stringify({ Keys: { id: { S: 'a' } }, NewImage: thing('a', 3) });
  const base = { table: 'things', prefix: 'exports' };
  const exports = [
    put(exportObjects({ ...base, id: '01-full', asOf: iso(FROM_MS), files })),
    put(exportObjects({ ...base, id: '02-inc', from: iso(FROM_MS), asOf: iso(AS_OF_MS), files: [[change]] })),
  ];
  world.items.set('a', thing('a', 3)).set('b', thing('b', 2));
  const { time, waitFor } = passingTime(AS_OF_MS + 120_000);
  const table = { name: 'state', dynamodb: world.clients.dynamodb };
  const rows = new Map<string, string>();
  const dependencies: HistoryDependencies = {
    ...{ group: world.group, decode: makeDecoder(world.group), table, bucket: 'data', place, time },
    marginSeconds: 300,
    putList: async (key, text) => void place.objects.set(key, Buffer.from(text)),
    destinations: () => ({
      onlineStore: onlineStoreOf(world.group, { featureStoreConcurrency: 4 }, world.clients),
      ...{ labelLedger: labelLedgerSink(table, 1), table, source: world.clients.dynamodb },
      quarantine: async () => [],
    }),
    putRows: async (key, bytes) => void rows.set(key, Buffer.from(bytes).toString()),
    deleteRows: async (key) => void rows.delete(key),
  };
  let invocations = 0;
  const call = async <T>(request: HistoryRequest, remainingMs: () => number = () => 900_000) => {
    invocations += 1;
    return (await act(request, { name: `i${invocations}`, remainingMs }, dependencies)) as T;
  };
  const begin = (input: object = { exports }, execution = EXECUTION) =>
    call<Begun>({ action: 'begin', execution, input });
  const list = (run: Begun, execution = EXECUTION) => call<Listed>({ action: 'list', execution, run });
  /** Works all that is listed. */
  const work = async (run: Begun, listed: Listed, execution = EXECUTION) => {
    if (listed.isOver) throw new Error('nothing is listed');
    const lines = Buffer.from(place.objects.get(listed.key) ?? '')
      .toString()
      .trim();
    for (const line of lines.split('\n')) {
      const order = { execution, runId: run.runId, rate: listed.rate, file: JSON.parse(line) as PlannedFile };
      expect(await call({ action: 'work', ...order })).toEqual({ done: true });
    }
  };
  const end = (run: Begun, execution = EXECUTION) =>
    call<Ended>({ action: 'end', execution, run, sweep: { after: '', deletes: 0 } });
  return { world, table, exports, rows, call, begin, list, work, end, place, waitFor };
}

describe('the state machine of a backfill', () => {
  it('works one export after the other, each by a list of its files, and ends with what it came to', async () => {
    const { begin, list, work, end, table, world, place } = given();
    const run = await begin();
    expect(run).toMatchObject({
      runId: 'e1',
      workers: 8,
      rate: 5_000,
      until: expect.stringMatching(/^2025-10-09T09:05:20/),
    });
    const first = await list(run);
    expect(first).toMatchObject({
      isOver: false,
      bucket: 'data',
      key: 'backfills/e1/000.jsonl',
      files: 2,
      rate: 2_500,
    });
    await work(run, first);
    const second = await list(run);
    expect(second).toMatchObject({ isOver: false, key: 'backfills/e1/001.jsonl', files: 1, rate: 5_000 });
    expect(
      Buffer.from(place.objects.get('backfills/e1/001.jsonl') ?? '')
        .toString()
        .split('\n'),
    ).toHaveLength(2);
    await work(run, second);
    expect(await list(run)).toEqual({ isOver: true, sweepAt: expect.stringMatching(/^2025-10-09T09:06:20/) });
    const totals = { rows: 3, rejected: 0, deleted: 0, labels: 1, runId: 'e1', asOfMs: AS_OF_MS };
    expect(await end(run)).toMatchObject({ done: true, totals });
    expect([world.online('a'), world.online('b')]).toEqual(['3', '2']);
    expect(await readBackfill(table)).toMatchObject({ status: 'done', nextExport: 2 });
  });

  it('answers its end again when the first answer was lost, and its beginning too', async () => {
    const { begin, list, work, end } = given();
    const run = await begin();
    expect(await begin()).toMatchObject({ ...run, until: expect.any(String) });
    for (let listed = await list(run); !listed.isOver; listed = await list(run)) await work(run, listed);
    const ended = await end(run);
    expect(await end(run)).toEqual(ended);
    expect(await end(run, NEXT)).toEqual(ended);
  });

  it('has no time for a file that cannot even be read as far as it has come', async () => {
    const { begin, list, call, place } = given();
    const run = await begin();
    const listed = await list(run);
    if (listed.isOver) throw new Error('nothing is listed');
    const [line = ''] = Buffer.from(place.objects.get(listed.key) ?? '')
      .toString()
      .split('\n');
    const order = { execution: EXECUTION, runId: run.runId, rate: 1, file: JSON.parse(line) as PlannedFile };
    await expect(call({ action: 'work', ...order }, () => 89_000)).rejects.toThrow(
      'takes longer than there is time for',
    );
    expect(await call({ action: 'work', ...order }, () => 91_000)).toEqual({ done: true });
  });

  it('leaves a file where it is when its time is up, and the next call goes on', async () => {
    const things = Array.from({ length: 30_000 }, (_, index) => thing(`t${index}`, index));
    const { begin, list, call, place, rows } = given([things]);
    const run = await begin();
    const listed = await list(run);
    if (listed.isOver) throw new Error('nothing is listed');
    const file = JSON.parse(Buffer.from(place.objects.get(listed.key) ?? '').toString()) as PlannedFile;
    const order = { action: 'work' as const, execution: EXECUTION, runId: run.runId, rate: 1_000_000, file };
    const done: boolean[] = [];
    while (done.at(-1) !== true) {
      let looks = 0;
      // Time for a few blocks of the file.
      const remainingMs = () => {
        looks += 1;
        return looks > 3 * (done.length + 2) ? 0 : 900_000;
      };
      done.push((await call<{ done: boolean }>(order, remainingMs)).done);
    }
    expect(done.length).toBeGreaterThan(1);
    expect([...rows.values()].join('').split('\n')).toHaveLength(30_001);
    expect(await list(run)).toMatchObject({ key: 'backfills/e1/001.jsonl' });
  });

  it('is one execution’s: another takes it up when that one has left it, or is not heard of any more', async () => {
    const { begin, list, call, waitFor } = given();
    const run = await begin();
    await expect(begin({ resume: true }, NEXT)).rejects.toThrow('Somebody else works on this backfill');
    await expect(begin({}, NEXT)).rejects.toThrow('A backfill is under way');
    expect(await call({ action: 'leave', execution: EXECUTION, run })).toEqual({ done: true });
    expect(await begin({ resume: true }, NEXT)).toMatchObject({ runId: 'e1' });
    await expect(list(run)).rejects.toThrow('Somebody else works on this backfill');
    waitFor(900_001);
    expect(await begin({ resume: true })).toMatchObject({ runId: 'e1' });
  });

  it('sweeps later when a file was taken from somebody who may still be at it', async () => {
    const { begin, list, work, table, world } = given();
    const run = await begin();
    const first = await list(run);
    const pk = 'backfill#e1#000-000000';
    const zero = { N: '0' };
    const numbers = { line: zero, partLine: zero, parts: zero, begunMs: zero, rows: zero, rejected: zero };
    const counts = { skipped: zero, deleted: zero, labels: zero, wrongLabels: zero, seizedMs: zero };
    const held = { owner: { S: 'lost' }, step: { N: '1' }, day: { S: '2025-10-09' }, done: { BOOL: false } };
    world.dynamodb.state.set(pk, { pk: { S: pk }, ...numbers, ...counts, ...held });
    await work(run, first);
    await work(run, await list(run));
    expect(await list(run)).toEqual({ isOver: true, sweepAt: expect.stringMatching(/^2025-10-09T09:07:50/) });
    expect(await readBackfill(table)).toMatchObject({ status: 'recording' });
  });

  it('ends for nobody once somebody has ended it', async () => {
    const { begin, end, table, list } = given();
    const run = await begin();
    await endBackfill(table, run.runId, 'aborted', AS_OF_MS);
    await expect(list(run)).rejects.toThrow('it was ended');
    await expect(end(run)).rejects.toThrow('it was ended');
    await expect(begin({ resume: true }, NEXT)).rejects.toThrow('No backfill is under way');
  });

  it.each([
    [{ workers: 0 }, 'has 0 as workers, expected a whole number, 1 to 1000'],
    [{ rate: 'fast' }, 'has "fast" as rate'],
    [{ worker: 1 }, 'has "worker", expected exports, workers, rate or resume'],
    [{ exports: 'a' }, 'has no list of s3:// URIs as its exports'],
    [{ exports: ['s3://data/exports/a'], resume: true }, 'has exports beside resume'],
    [{ exports: ['s3://other/exports/a'] }, 's3://other/exports/a is not under s3://data/exports/'],
    [{ exports: ['s3://data/exports/none'] }, 'is not there'],
  ])('refuses the input %j in one sentence, and begins nothing', async (input, message) => {
    const { begin, table } = given();
    await expect(begin(input)).rejects.toThrow(message);
    expect(await readBackfill(table)).toBeUndefined();
  });

  it('exports the table when no export is given, and begins nothing when that cannot be', async () => {
    const { begin, call, world, table } = given();
    const described: string[] = [];
    const statuses = ['IN_PROGRESS', 'FAILED', 'IN_PROGRESS', 'COMPLETED'];
    let recovery = 'DISABLED';
    const handle = world.dynamodb.handle.bind(world.dynamodb);
    world.dynamodb.handle = (operation, input, caller) => {
      const { ClientToken = '' } = input as { ClientToken?: string };
      if (operation === 'DescribeContinuousBackupsCommand') {
        const PointInTimeRecoveryDescription = { PointInTimeRecoveryStatus: recovery };
        return { ContinuousBackupsDescription: { PointInTimeRecoveryDescription } };
      }
      if (operation === 'ExportTableToPointInTimeCommand') {
        described.push(ClientToken);
        return { ExportDescription: { ExportArn: `arn:aws:dynamodb:x:1:table/things/export/${ClientToken}` } };
      }
      if (operation !== 'DescribeExportCommand') return handle(operation, input, caller);
      return { ExportDescription: { ExportStatus: statuses.shift(), FailureCode: 'F', FailureMessage: 'no' } };
    };
    await expect(begin({})).rejects.toThrow('The table things has no point-in-time recovery');
    expect(await readBackfill(table)).toBeUndefined();
    recovery = 'ENABLED';
    const run = await begin({});
    // Two margins after the backfill began to record, and one second.
    expect(Date.parse(run.until)).toBeGreaterThanOrEqual(AS_OF_MS + 120_000 + 601_000);
    const look = () => call({ action: 'export', execution: EXECUTION, run });
    expect(await look()).toEqual({ done: false, waitSeconds: 2 });
    expect(await look()).toEqual({ done: false, waitSeconds: 2 });
    await expect(look()).rejects.toThrow('failed (F: no)');
    expect(await look()).toEqual({ done: false, waitSeconds: 2 });
    expect(await look()).toEqual({ done: false, waitSeconds: 2 });
    expect(await look()).toEqual({ done: true });
    expect(await look()).toEqual({ done: true });
    expect(described).toEqual(['e1-0', 'e1-1']);
    const { sources = '' } = (await readBackfill(table)) ?? {};
    expect(JSON.parse(sources)).toMatchObject({ locations: ['s3://data/exports/AWSDynamoDB/e1-1/'] });
  });

  it('refuses what is no action', async () => {
    const { call } = given();
    await expect(call({ action: 'swim' } as never)).rejects.toThrow('action is "swim"');
  });
});
