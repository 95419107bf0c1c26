import { describe, expect, test } from 'vitest';
import {
  afterInvocation,
  type Batch,
  splitExpired,
  verdictOf,
} from '../../../infra/local/event-source-mapping/batch-outcome.ts';

const numbers = ['99', '100', '101'];
const answer = (response: unknown, functionError?: string) => ({ payload: JSON.stringify(response), functionError });
const failed = (...itemIdentifiers: unknown[]) => ({
  batchItemFailures: itemIdentifiers.map((itemIdentifier) => ({ itemIdentifier })),
});
const batch = (from: number, to: number, failures = 0): Batch => ({ from, to, failures, invocations: 0 });
const fails = (at: number) => ({ kind: 'failed', at }) as const;
const unlimited = { bisect: false, retriesMax: -1 };

describe('a function that reports item failures', () => {
  test.each([[null], [{}], [{ batchItemFailures: null }], [{ batchItemFailures: [] }]])(
    'has succeeded with %j',
    (it) => {
      expect(verdictOf(answer(it), numbers, true)).toEqual({ kind: 'succeeded' });
    },
  );

  test('fails from the lowest sequence number, which is not the first in the alphabet', () => {
    expect(verdictOf(answer(failed('101', '100')), numbers, true)).toEqual(fails(1));
    expect(verdictOf(answer(failed('100', '99')), numbers, true)).toEqual(fails(0));
  });

  test.each([
    ['an empty identifier', failed('100', '')],
    ['a null identifier', failed(null)],
    ['a number of another batch', failed('101', '7')],
    ['a wrong key', { batchItemFailures: [{ id: '100' }] }],
    ['a null item', { batchItemFailures: [null] }],
    ['a list that is none', { batchItemFailures: 'none' }],
    ['another answer', 'done'],
  ])('fails the whole batch with %s', (_, response) => {
    expect(verdictOf(answer(response), numbers, true)).toEqual(fails(0));
  });

  test('fails the whole batch by throwing, whatever it returned', () => {
    expect(verdictOf(answer(failed('101'), 'Unhandled'), numbers, true)).toEqual(fails(0));
  });
});

test('without ReportBatchItemFailures the answer is ignored, but not an error', () => {
  expect(verdictOf(answer(failed('99')), numbers, false)).toEqual({ kind: 'succeeded' });
  expect(verdictOf(answer(null, 'Unhandled'), numbers, false)).toEqual(fails(0));
});

describe('after an invocation', () => {
  test('that succeeded, the whole batch is done', () => {
    const step = afterInvocation(batch(2, 5), { kind: 'succeeded' }, unlimited);
    expect(step).toEqual({ checkpoint: 5, discarded: undefined, retried: [] });
  });

  test('that failed in part, what comes before is done and the rest is retried', () => {
    const step = afterInvocation(batch(0, 10), fails(4), unlimited);
    expect(step).toMatchObject({ checkpoint: 4, discarded: undefined, retried: [{ from: 4, to: 10, failures: 1 }] });
  });

  test('retries are counted, and the batch is discarded when they are used up', () => {
    const policy = { bisect: false, retriesMax: 1 };
    const first = afterInvocation(batch(0, 3), fails(0), policy);
    expect(first.retried).toMatchObject([{ from: 0, to: 3, failures: 1 }]);
    const second = afterInvocation(first.retried[0] ?? batch(0, 0), fails(0), policy);
    expect(second).toMatchObject({ checkpoint: 0, retried: [], discarded: { from: 0, to: 3, invocations: 2 } });
  });

  test('bisecting halves a batch and consumes no retry', () => {
    const step = afterInvocation(batch(0, 5), fails(0), { bisect: true, retriesMax: 0 });
    expect(step.retried).toMatchObject([
      { from: 0, to: 3, failures: 0 },
      { from: 3, to: 5, failures: 0 },
    ]);
  });

  test('bisecting goes by the returned sequence number if there is one', () => {
    const step = afterInvocation(batch(0, 5), fails(3), { bisect: true, retriesMax: 0 });
    expect(step).toMatchObject({ checkpoint: 3, discarded: undefined, retried: [{ from: 3, to: 5, failures: 0 }] });
  });

  test('a single record cannot be bisected: it uses up its retries', () => {
    const step = afterInvocation(batch(3, 4), fails(0), { bisect: true, retriesMax: 0 });
    expect(step).toMatchObject({ retried: [], discarded: { from: 3, to: 4 } });
  });

  test.each([0, 6, 9])('bisecting isolates poison record %i of ten and loses no other', (poison) => {
    const done: number[] = [];
    const discarded: number[] = [];
    let pending: readonly Batch[] = [batch(0, 10)];
    for (let invocations = 0; pending.length > 0; invocations += 1) {
      expect(invocations).toBeLessThan(20);
      const [next = batch(0, 0), ...later] = pending;
      const verdict = next.from <= poison && poison < next.to ? fails(0) : ({ kind: 'succeeded' } as const);
      const step = afterInvocation(next, verdict, { bisect: true, retriesMax: 1 });
      for (let it = next.from; it < step.checkpoint; it += 1) done.push(it);
      if (step.discarded) discarded.push(step.discarded.from);
      pending = [...step.retried, ...later];
    }
    expect(discarded).toEqual([poison]);
    expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((it) => it !== poison));
  });
});

test('records that are too old are split off from the front', () => {
  const seconds = (position: number) => 100 + position;
  expect(splitExpired(batch(0, 4), seconds, 102)).toMatchObject({
    expired: { from: 0, to: 2 },
    live: { from: 2, to: 4 },
  });
  expect(splitExpired(batch(0, 4), seconds, 100)).toMatchObject({ expired: undefined, live: { from: 0, to: 4 } });
  expect(splitExpired(batch(0, 4), seconds, 200)).toMatchObject({ expired: { from: 0, to: 4 }, live: undefined });
});
