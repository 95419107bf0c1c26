import { expect, test } from 'vitest';
import type { Rejection, TimedChange } from '../../../shared/changes/change.ts';
import type { Fence, FenceOf } from '../../../shared/changes/event-order.ts';
import { type DecodedRecord, type Destinations, deliver } from '../../../shared/delivery/deliver.ts';
import { accounts, change, FIRST_SECOND } from '../../given/builders.ts';
import { pace } from '../../given/pace.ts';

const HAZARD_SECONDS = 1;
const patient = pace({ deadline: 1 });

const record = (sequence: number, recordIdentifier = `a-${sequence}`, overrides = {}): DecodedRecord => ({
  record: { sequence },
  decoded: change({ sequenceNumber: String(sequence), recordIdentifier, ...overrides }),
});
const rejected = (sequenceNumber: string | undefined): DecodedRecord => ({
  record: {},
  decoded: { sequenceNumber, reason: 'wrong-type', path: 'p', message: 'm', record: {} },
});

/** Destinations that remember what they were given, and fail or refuse the sequence numbers they are told to. */
function destinations(
  options: { fail?: number[]; refuse?: number[]; failFences?: number[]; failQuarantine?: boolean } = {},
) {
  const fences = new Map<string, Fence>();
  const kept: Rejection[] = [];
  const has = (list: number[] | undefined, { sequenceNumber }: TimedChange) => list?.includes(Number(sequenceNumber));
  const value: Destinations = {
    sinks: [
      {
        name: 'test',
        write: async (changes) => ({
          failures: changes
            .filter((it) => has(options.fail, it))
            .map(({ sequenceNumber }) => ({ sequenceNumber, message: 'down' })),
          rejections: changes
            .filter((it) => has(options.refuse, it))
            .map((it) => ({ change: it, message: 'refused', detail: 'refused: its words' })),
        }),
      },
    ],
    fences: {
      read: async () => fences,
      write: async (left) => {
        const failed = left.filter(({ change: it }) => has(options.failFences, it));
        for (const it of left)
          if (!failed.includes(it)) fences.set(it.change.recordIdentifier, { ...it.change, earlier: [] });
        return failed.map(({ change: { sequenceNumber } }) => ({ sequenceNumber, message: 'down' }));
      },
    },
    quarantine: async (rejections) => {
      kept.push(...rejections);
      return options.failQuarantine ? rejections.map((rejection) => ({ rejection, message: 'down' })) : [];
    },
  };
  return { value, fences, kept };
}

const run = (batch: DecodedRecord[], to = destinations()) =>
  deliver(accounts, batch, to.value, HAZARD_SECONDS, { sinks: patient, fences: patient });

test('a batch that every sink has taken is acknowledged whole', async () => {
  const outcome = await run([record(1), record(2)]);
  expect(outcome.checkpoint).toBeUndefined();
  expect(outcome.counts).toMatchObject({ recordsIn: 2, delivered: 2, failed: 0 });
});

test('the answer is the lowest failed sequence number, compared as a number', async () => {
  const outcome = await run([record(9), record(10), record(11)], destinations({ fail: [11, 9] }));
  expect(outcome.checkpoint).toBe('9');
  expect(outcome.counts).toMatchObject({ recordsIn: 3, delivered: 0, failed: 3 });
});

test('of two sinks that fail the answer is the lower number, whichever failed first', async () => {
  const to = destinations({ fail: [11] });
  const [first] = to.value.sinks;
  const second = destinations({ fail: [9] }).value.sinks[0];
  const value = { ...to.value, sinks: [first, second].filter((it) => it !== undefined) };
  expect((await run([record(9), record(10), record(11)], { ...to, value })).checkpoint).toBe('9');
});

test('only records of the first seconds look for fences: those of later ones are ordered by their seconds', async () => {
  const to = destinations();
  const asked: string[] = [];
  to.value.fences.read = async (sought) => {
    asked.push(...sought.map(({ recordIdentifier }) => recordIdentifier));
    return new Map();
  };
  const last = FIRST_SECOND + HAZARD_SECONDS + 2;
  await run([record(1, 'a'), record(2, 'b', { second: last }), record(3, 'c', { second: last + 1 })], to);
  expect(asked).toEqual(['a', 'b']);
});

test('a removal that is kept leaves a fence with the change before it still in force', async () => {
  const removal = { eventName: 'REMOVE', values: undefined } as const;
  const left: FenceOf[] = [];
  const to = destinations();
  to.value.fences.write = async (fences) => {
    left.push(...fences);
    return [];
  };
  const kept = { ...accounts, onDelete: 'keep' as const };
  const paces = { sinks: patient, fences: patient };
  await deliver(kept, [record(1, 'a'), record(2, 'a', removal)], to.value, HAZARD_SECONDS, paces);
  expect(left).toMatchObject([{ change: { sequenceNumber: '2' }, effective: { sequenceNumber: '1', removed: false } }]);
});

test('fences are left only for what is acknowledged', async () => {
  const to = destinations({ fail: [2] });
  await run([record(1), record(2), record(3)], to);
  expect([...to.fences.keys()]).toEqual(['a-1']);
});

test('fences are left for the last seconds before the checkpoint, and for no earlier ones', async () => {
  const to = destinations();
  await run(
    [record(1), record(2, 'a-2', { second: FIRST_SECOND + 5 }), record(3, 'a-3', { second: FIRST_SECOND + 6 })],
    to,
  );
  expect([...to.fences.keys()]).toEqual(['a-2', 'a-3']);
});

test('a change whose fence could not be left is not acknowledged', async () => {
  const outcome = await run([record(1), record(2), record(3)], destinations({ failFences: [2] }));
  expect(outcome.checkpoint).toBe('2');
  expect(outcome.counts).toMatchObject({ delivered: 1, failed: 2 });
});

test('when the time is up, fences that could not be left give the whole batch back, at once', async () => {
  const batch = Array.from({ length: 2_000 }, (_, n) => record(n + 1, `a-${n}`, { second: FIRST_SECOND + n }));
  const to = destinations();
  let asked = 0;
  to.value.fences.write = async (left) => {
    asked += 1;
    return left.map(({ change: { sequenceNumber } }) => ({ sequenceNumber, message: 'no time left' }));
  };
  const over = { ...patient, deadline: 0 };
  const outcome = await deliver(accounts, batch, to.value, HAZARD_SECONDS, { sinks: patient, fences: over });
  expect(outcome.checkpoint).toBe('1');
  expect(asked).toBe(2);
});

test('a record whose clock is ahead of the second is looked for in the seconds that it may be ahead', async () => {
  const to = destinations();
  const asked: unknown[] = [];
  to.value.fences.read = async (sought) => {
    asked.push(...sought);
    return new Map();
  };
  await deliver(accounts, [record(1, 'b'), record(2, 'a', { second: FIRST_SECOND + 1 })], to.value, 0, {
    sinks: patient,
    fences: patient,
  });
  expect(asked).toEqual([
    { recordIdentifier: 'b', from: FIRST_SECOND, to: FIRST_SECOND + 2 },
    { recordIdentifier: 'a', from: FIRST_SECOND + 1, to: FIRST_SECOND + 3 },
  ]);
});

test('without fences no event time can be given, so the whole batch fails', async () => {
  const to = destinations();
  to.value.fences.read = async () => {
    throw new Error('down');
  };
  expect(await run([record(1)], to)).toMatchObject({
    checkpoint: '',
    counts: { recordsIn: 1, failed: 1 },
    failures: [{ message: 'down' }],
  });
});

test('of several changes of one record the last is delivered and the others are superseded', async () => {
  const removal = { eventName: 'REMOVE', values: undefined } as const;
  const outcome = await run([record(1, 'a'), record(2, 'a'), record(3, 'b'), record(4, 'b', removal)]);
  expect(outcome.counts).toMatchObject({ recordsIn: 4, delivered: 1, superseded: 2, deleted: 1 });
});

test('rejected records are quarantined whole and block nobody', async () => {
  const to = destinations();
  const outcome = await run([record(1), rejected('2'), record(3)], to);
  expect(outcome.checkpoint).toBeUndefined();
  expect(to.kept).toHaveLength(1);
  expect(outcome.counts).toMatchObject({ recordsIn: 3, delivered: 2, quarantined: 1 });
});

test('a change that Feature Store refuses is quarantined with its stream record', async () => {
  const to = destinations({ refuse: [2] });
  const outcome = await run([record(1), record(2)], to);
  expect(to.kept).toMatchObject([{ sequenceNumber: '2', reason: 'refused-by-feature-store', record: { sequence: 2 } }]);
  expect(outcome.counts).toMatchObject({ delivered: 1, quarantined: 1 });
});

test('a rejection that could not be kept fails its record', async () => {
  expect((await run([record(1), rejected('2')], destinations({ failQuarantine: true }))).checkpoint).toBe('2');
});

test('a rejection without a sequence number that could not be kept fails the whole batch', async () => {
  expect((await run([record(1), rejected(undefined)], destinations({ failQuarantine: true }))).checkpoint).toBe('');
});

test('every record is counted exactly once', async () => {
  const batch = [record(1, 'a'), record(2, 'a'), rejected('3'), record(4), record(5)];
  const { counts } = await run(batch, destinations({ fail: [5] }));
  const { recordsIn, labelEvents: _, ...rest } = counts;
  expect(Object.values(rest).reduce((sum, it) => sum + it)).toBe(recordsIn);
});

test('the shard is complete up to before the last delivered second and its neighbours', async () => {
  const batch = [
    record(1),
    record(2, 'a-2', { second: FIRST_SECOND + 5 }),
    record(3, 'a-3', { second: FIRST_SECOND + 9 }),
  ];
  expect((await run(batch)).completeThrough).toBe(FIRST_SECOND + 9 - HAZARD_SECONDS - 1);
  expect((await run(batch, destinations({ fail: [3] }))).completeThrough).toBe(FIRST_SECOND + 5 - HAZARD_SECONDS - 1);
  expect((await run(batch, destinations({ fail: [1] }))).completeThrough).toBeUndefined();
});
