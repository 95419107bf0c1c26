import { describe, expect, it } from 'vitest';
import {
  type FileProgress,
  leaveFile,
  readFileProgress,
  readFilesProgress,
  takeFile,
  writeFileProgress,
} from '../../../shared/state/backfill/progress.ts';
import { beginBackfill, leaveBackfill, readBackfill, takeBackfill } from '../../../shared/state/backfill/run.ts';
import { pace } from '../../given/pace.ts';
import { TableWorld } from '../../given/table-world.ts';

const KEY = { runId: 'r1', file: '000-000001' };
const BEGINNING: FileProgress = {
  ...{ owner: '', step: 0, seizedMs: 0, line: 0, partLine: 0, parts: 0, day: '2026-01-05', begunMs: 1, done: false },
  ...{ rows: 0, rejected: 0, skipped: 0, deleted: 0, labels: 0, wrongLabels: 0 },
};

function given() {
  const world = new TableWorld();
  const table = { name: 'state', dynamodb: world.clients.dynamodb };
  const take = (owner: string, nowMs = 5) => takeFile(table, KEY, { owner, nowMs, beginning: BEGINNING });
  return { world, table, take };
}

describe('a file of a backfill', () => {
  it('is somebody’s who takes it, and keeps only what that one says', async () => {
    const { table, take } = given();
    const one = await take('one');
    expect(one).toMatchObject({ owner: 'one', step: 1, seizedMs: 0 });
    await writeFileProgress(table, KEY, { ...one, step: 2, line: 10 });
    const two = await take('two', 7);
    expect(two).toMatchObject({ owner: 'two', step: 3, line: 10, seizedMs: 7 });
    await expect(writeFileProgress(table, KEY, { ...one, step: 9, line: 20 })).rejects.toThrow(
      'File 000-000001 of the backfill was taken by somebody else.',
    );
    expect(await readFileProgress(table, KEY)).toEqual(two);
  });

  it('is not seized from who has left it', async () => {
    const { table, take } = given();
    await take('one');
    await leaveFile(table, KEY, 'another');
    await leaveFile(table, KEY, 'one');
    expect(await take('two', 7)).toMatchObject({ owner: 'two', seizedMs: 0 });
  });

  it('takes the same write again, and none that comes late', async () => {
    const { table, take } = given();
    const one = await take('one');
    const [second, third] = [2, 3].map((step) => ({ ...one, step, line: step * 10 })) as [FileProgress, FileProgress];
    await writeFileProgress(table, KEY, second);
    await writeFileProgress(table, KEY, second);
    await writeFileProgress(table, KEY, third);
    await expect(writeFileProgress(table, KEY, second)).rejects.toThrow('taken by somebody else');
    expect(await readFileProgress(table, KEY)).toEqual(third);
  });

  it('is taken once by who asks twice, and not at all when it is through', async () => {
    const { table, take } = given();
    const one = await take('one');
    expect(await take('one')).toEqual(one);
    await writeFileProgress(table, KEY, { ...one, step: 2, done: true });
    expect(await take('two')).toMatchObject({ owner: 'one', done: true });
  });

  it('is taken as it was left before files had owners', async () => {
    const { world, table, take } = given();
    const { owner: _, step: __, seizedMs: ___, ...old } = BEGINNING;
    const texts = Object.entries(old).map(([name, value]) => {
      if (typeof value === 'boolean') return [name, { BOOL: value }];
      return [name, typeof value === 'number' ? { N: String(value) } : { S: value }];
    });
    const pk = 'backfill#r1#000-000001';
    world.dynamodb.state.set(pk, { pk: { S: pk }, ...Object.fromEntries(texts) });
    expect(await take('one')).toMatchObject({ owner: 'one', step: 1, seizedMs: 0 });
    expect([...(await readFilesProgress(table, 'r1', [KEY.file, 'none'], pace())).keys()]).toEqual([KEY.file]);
  });
});

it('a backfill that its owner has left is nobody’s: who still works for the owner does not have it again', async () => {
  const { table } = given();
  await beginBackfill(table, { runId: 'r1', sinceMs: 1, sources: '', definition: '' }, 1);
  const lease = { runId: 'r1', owner: 'one', nowMs: 10, leaseMs: 20 };
  expect(await takeBackfill(table, lease)).toBe(true);
  expect(await leaveBackfill(table, 'r1', 'two')).toBe(false);
  expect(await leaveBackfill(table, 'r1', 'one')).toBe(true);
  expect(await takeBackfill(table, { ...lease, onlyKeeps: true })).toBe(false);
  expect(await takeBackfill(table, { ...lease, owner: 'two' })).toBe(true);
  expect(await readBackfill(table)).toMatchObject({ owner: 'two', leaseMs: 20 });
});
