import { describe, expect, test } from 'vitest';
import type { TimedChange } from '../../../shared/changes/change.ts';
import { sdkOnlineStore } from '../../../shared/online-store/online-store.ts';
import { featureStoreSink } from '../../../shared/sinks/feature-store.ts';
import { accounts, timedChange } from '../../given/builders.ts';
import { pace } from '../../given/pace.ts';

/** The sink before Feature Store that answers what a test says. */

interface Sent {
  readonly Entries?: readonly { readonly Record: readonly { FeatureName: string; ValueAsString: string }[] }[];
  readonly RecordIdentifierValueAsString?: string;
}

const identifiersOf = ({ Entries = [], RecordIdentifierValueAsString }: Sent): string[] =>
  RecordIdentifierValueAsString === undefined
    ? Entries.map(({ Record }) => Record.find((it) => it.FeatureName === 'account_id')?.ValueAsString ?? '')
    : [`delete ${RecordIdentifierValueAsString}`];

/** @param answer to the nth call; undefined: all was written. */
function sinkOver(answer: (input: Sent, nth: number) => unknown = () => undefined) {
  const calls: string[][] = [];
  const send = async ({ input }: { input: Sent }) => {
    calls.push(identifiersOf(input));
    return (await answer(input, calls.length)) ?? {};
  };
  return { calls, sink: featureStoreSink(accounts, sdkOnlineStore(accounts, { send } as never), 1) };
}

const put = (n: number, recordIdentifier = `a-${n}`) => timedChange({ sequenceNumber: String(n), recordIdentifier });
const removal = (n: number, recordIdentifier = `a-${n}`): TimedChange => ({
  ...put(n, recordIdentifier),
  eventName: 'REMOVE',
  values: undefined,
});
const failWith = (name: string, message = 'm') => {
  throw Object.assign(new Error(message), { name });
};
/** Time that is up after so many looks at the clock. */
const until = (looks: number) => {
  let looked = 0;
  return pace({ deadline: 1, now: () => (looked++ < looks ? 0 : 1) });
};

describe('the feature store sink', () => {
  test('writes the last put of a record before the delete of the same batch, which leaves something only then', async () => {
    const { sink, calls } = sinkOver();
    const result = await sink.write([put(1, 'a'), put(2, 'a'), removal(3, 'a'), put(4, 'b')], pace());
    expect(result).toEqual({ failures: [], rejections: [] });
    expect(calls).toEqual([['a'], ['b'], ['delete a']]);
  });

  test('writes nothing before the deletes of a batch that put nothing before them', async () => {
    const { sink, calls } = sinkOver();
    await sink.write([put(1, 'b'), removal(2, 'a')], pace());
    expect(calls).toEqual([['b'], ['delete a']]);
  });

  test('writes puts by 25', async () => {
    const { sink, calls } = sinkOver();
    await sink.write(
      Array.from({ length: 60 }, (_, n) => put(n + 1)),
      pace(),
    );
    expect(calls.map((call) => call.length)).toEqual([25, 25, 10]);
  });

  test('does not delete a record whose put before it could not be written: the delete remains a failure', async () => {
    const { sink, calls } = sinkOver((input) => input.Entries && failWith('InternalServerError'));
    const { failures } = await sink.write([put(1, 'a'), removal(2, 'a')], until(6));
    expect(failures).toEqual([{ sequenceNumber: '2', message: 'feature-store: no time left' }]);
    expect(calls.flat()).not.toContain('delete a');
  });

  test('tells each record of a call that was refused whole whether it is the one', async () => {
    const { sink, calls } = sinkOver(
      (input) => identifiersOf(input).includes('a-2') && failWith('ValidationError', 'w'),
    );
    const { failures, rejections } = await sink.write([put(1), put(2), put(3)], pace());
    expect(calls).toEqual([['a-1', 'a-2', 'a-3'], ['a-1'], ['a-2'], ['a-3']]);
    expect(failures).toEqual([]);
    expect(rejections).toEqual([
      {
        change: put(2),
        message: 'Feature Store refused the record: ValidationError.',
        detail: 'ValidationError: w',
      },
    ]);
  });

  test('halves a call that has too many bytes, until each half passes', async () => {
    const { sink, calls } = sinkOver(
      (input) => identifiersOf(input).length > 1 && failWith('PayloadTooLargeException'),
    );
    expect(await sink.write([put(1), put(2), put(3)], pace())).toEqual({ failures: [], rejections: [] });
    expect(calls.map((call) => call.length)).toEqual([3, 2, 1, 1, 1]);
  });

  test('takes ten records that are all refused for a wrong feature group, and nine for wrong records', async () => {
    const { sink } = sinkOver(() => failWith('ValidationError'));
    const all = (count: number) =>
      sink.write(
        Array.from({ length: count }, (_, n) => put(n + 1)),
        pace(),
      );
    const [nine, ten] = [await all(9), await all(10)];
    expect([nine.failures.length, nine.rejections.length]).toEqual([0, 9]);
    expect([ten.failures.length, ten.rejections.length]).toEqual([10, 0]);
    expect(ten.failures[0]?.message).toMatch(/ValidationError for every one of 10 records/);
  });

  test('keeps what was left unprocessed or answered as an error, and writes it again alone', async () => {
    const echo = (input: Sent, id: string) =>
      input.Entries?.find((entry) => identifiersOf({ Entries: [entry] })[0] === id);
    const { sink, calls } = sinkOver((input, nth) => {
      if (nth > 1) return undefined;
      return {
        Errors: [{ Entry: echo(input, 'a-1'), ErrorCode: 'InternalFailure', ErrorMessage: 'm' }],
        UnprocessedEntries: [echo(input, 'a-3')],
      };
    });
    expect(await sink.write([put(1), put(2), put(3)], pace())).toEqual({ failures: [], rejections: [] });
    expect(calls).toEqual([
      ['a-1', 'a-2', 'a-3'],
      ['a-1', 'a-3'],
    ]);
  });

  test('names in a failure why it is one', async () => {
    const { sink } = sinkOver(() => failWith('InternalServerError'));
    const { failures } = await sink.write([put(1)], until(4));
    expect(failures[0]?.message).toMatch(/^feature-store: (InternalServerError|no time left)$/);
  });

  test.each([
    ['an error', { Errors: [{ ErrorCode: 'InternalFailure' }] }],
    ['an unprocessed entry', { UnprocessedEntries: [{ Record: [] }] }],
  ])('holds a whole call for unwritten when %s does not tell its record', async (_, answer) => {
    const { sink, calls } = sinkOver((__, nth) => (nth === 1 ? answer : undefined));
    await sink.write([put(1), put(2)], pace());
    expect(calls).toEqual([
      ['a-1', 'a-2'],
      ['a-1', 'a-2'],
    ]);
  });

  test('puts an entry apart that is refused in an answer of 200', async () => {
    const { sink } = sinkOver((input) => ({
      Errors: [{ Entry: input.Entries?.[0], ErrorCode: 'ValidationError', ErrorMessage: 'its words' }],
    }));
    const { failures, rejections } = await sink.write([put(1), put(2)], pace());
    expect(failures).toEqual([]);
    expect(rejections).toMatchObject([{ change: { sequenceNumber: '1' }, detail: 'ValidationError: its words' }]);
  });

  test.each([
    ['ThrottlingException', 1],
    ['InternalFailure', 4],
  ])('makes, after %s, at most %i of its 4 calls at once', async (code, most) => {
    let open = 0;
    const atOnce: number[] = [];
    const send = async () => {
      open += 1;
      atOnce.push(open);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      return atOnce.length <= 10 ? failWith(code) : {};
    };
    const sink = featureStoreSink(accounts, sdkOnlineStore(accounts, { send } as never), 4);
    const changes = Array.from({ length: 250 }, (_, n) => put(n + 1));
    expect((await sink.write(changes, pace())).failures).toEqual([]);
    expect(Math.max(...atOnce.slice(0, 4))).toBe(4);
    expect(Math.max(...atOnce.slice(4, 10))).toBe(most);
  });
});
