import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countedClasses } from '../../../shared/definition/label.ts';
import { labelLedgerSink } from '../../../shared/sinks/label-ledger.ts';
import { labelKey } from '../../../shared/state/keys.ts';
import { countLabels, currentEpoch } from '../../../shared/state/label-ledger.ts';
import { FIRST_SECOND, timedChange } from '../../given/builders.ts';
import { pace } from '../../given/pace.ts';
import { stateTableInProcess } from '../../given/state-table.ts';

let table: Awaited<ReturnType<typeof stateTableInProcess>>;
beforeAll(async () => {
  table = await stateTableInProcess();
});
afterAll(() => table.close());

const labeled = (sequence: number, recordIdentifier: string, newLabel: string | undefined, second = FIRST_SECOND) =>
  timedChange({ sequenceNumber: String(sequence), recordIdentifier, newLabel, second });
const write = (...changes: ReturnType<typeof labeled>[]) => labelLedgerSink(table, 1).write(changes, pace());
const stored = async (recordIdentifier: string) => {
  const command = new GetItemCommand({ TableName: table.name, Key: { pk: { S: labelKey(recordIdentifier) } } });
  const { Item } = (await table.dynamodb.send(command)) as { Item?: Record<string, { S?: string; N?: string }> };
  return Item && [Item.label?.S, Number(Item.sequenceNumber?.S)];
};

test('the newest label of a record is kept, whichever way they come', async () => {
  await write(labeled(1, 'a', '0'), labeled(3, 'a', '1'), labeled(2, 'a', '0'));
  expect(await stored('a')).toEqual(['1', 3]);
  await write(labeled(2, 'a', '0'));
  expect(await stored('a')).toEqual(['1', 3]);
  await write(labeled(4, 'a', '0'));
  expect(await stored('a')).toEqual(['0', 4]);
});

test('of two that are further apart than the clock errs the later second is newer, whatever the numbers', async () => {
  await write(labeled(9, 'b', '0'));
  await write(labeled(5, 'b', '1', FIRST_SECOND + 2));
  expect(await stored('b')).toEqual(['1', 5]);
  await write(labeled(7, 'b', '0'));
  expect(await stored('b')).toEqual(['1', 5]);
});

test('a change without a label event leaves the ledger as it is', async () => {
  await write(labeled(1, 'c', undefined));
  expect(await stored('c')).toBeUndefined();
});

test('labels are counted by class, a record once', async () => {
  await write(labeled(11, 'd', '1'), labeled(12, 'e', '1'), labeled(13, 'f', '0'));
  await write(labeled(12, 'e', '1'));
  expect(await countLabels(table, 1)).toEqual({ total: 5, 0: 2, 1: 3 });
});

test('labels of several classes are counted by class, and such that are numbers all together', async () => {
  const several = { name: 'y', attribute: 'y', since: 1, classes: ['a', 'b', 'c'] };
  const number = { name: 'y', attribute: 'y', since: 1, type: 'fractional' as const };
  const [one, other] = [await stateTableInProcess(), await stateTableInProcess()];
  const changes = ['2', '0', '2'].map((label, n) => labeled(n + 1, `s-${n}`, label));
  await labelLedgerSink(one, 1, several).write(changes, pace());
  expect(await countLabels(one, 1, countedClasses(several))).toEqual({ total: 3, 0: 1, 1: 0, 2: 2 });
  const numbers = ['12.5', '0', '-3'].map((label, n) => labeled(n + 1, `n-${n}`, label));
  await labelLedgerSink(other, 1, number).write([...numbers, ...numbers], pace());
  expect(await countLabels(other, 1, countedClasses(number))).toEqual({ total: 3 });
  await Promise.all([one.close(), other.close()]);
});

test('an entry that could not be written is a failure of its change, and of no other', async () => {
  const send = async ({ input }: { input: { Statements?: { Parameters: { S?: string }[] }[] } }) => {
    const isOfB = ({ Parameters }: { Parameters: { S?: string }[] }) => Parameters.some(({ S }) => S === labelKey('b'));
    return { Responses: input.Statements?.map((it) => (isOfB(it) ? { Error: { Code: 'InternalServerError' } } : {})) };
  };
  let looks = 0;
  const short = pace({ deadline: 1, now: () => (looks++ < 6 ? 0 : 1) });
  const sink = labelLedgerSink({ name: 'state', dynamodb: { send } as never }, 1);
  const { failures } = await sink.write([labeled(1, 'a', '0'), labeled(2, 'b', '1')], short);
  expect(failures).toEqual([{ sequenceNumber: '2', message: 'label-ledger: InternalServerError' }]);
});

test.each(['ThrottlingError', 'ProvisionedThroughputExceeded', 'RequestLimitExceeded'])(
  'after %s fewer calls are made at once',
  async (Code) => {
    let [begun, open, most, isRetried] = [0, 0, 0, false];
    const send = async ({ input }: { input: { Statements?: unknown[] } }) => {
      if (!input.Statements) return {};
      begun += 1;
      open += 1;
      // 32 are under way before the first is answered.
      if (begun > 32 && !isRetried) most = Math.max(most, open);
      await new Promise(setImmediate);
      open -= 1;
      return { Responses: input.Statements.map(() => (isRetried ? {} : { Error: { Code } })) };
    };
    const sleep = async () => {
      isRetried = true;
    };
    const changes = Array.from({ length: 40 * 25 }, (_, n) => labeled(n + 1, `r${n}`, '1'));
    const sink = labelLedgerSink({ name: 'state', dynamodb: { send } as never }, 1);
    expect((await sink.write(changes, pace({ sleep }))).failures).toEqual([]);
    expect(most).toBe(1);
  },
);

test('an epoch that is no number is not counted into', async () => {
  const send = async () => ({ Item: { epoch: { N: 'next' } } });
  await expect(currentEpoch({ name: 'state', dynamodb: { send } as never })).rejects.toThrow(
    'the current epoch is next; expected a whole number',
  );
});

test('without the epoch no label can be counted: every change fails', async () => {
  let looks = 0;
  const short = pace({ deadline: 1, now: () => (looks++ < 6 ? 0 : 1) });
  const send = async () => {
    throw Object.assign(new Error('m'), { name: 'InternalServerError' });
  };
  const sink = labelLedgerSink({ name: 'state', dynamodb: { send } as never }, 1);
  expect((await sink.write([labeled(1, 'a', '0')], short)).failures).toHaveLength(1);
});

test('pages of an index are counted to the last', async () => {
  let asked = 0;
  const send = async ({ input }: { input: { ExclusiveStartKey?: object } }) => {
    asked += 1;
    return input.ExclusiveStartKey ? { Count: 2 } : { Count: 1, LastEvaluatedKey: { pk: { S: 'x' } } };
  };
  const { total } = await countLabels({ name: 'state', dynamodb: { send } as never }, 1);
  expect(total).toBe((asked / 2) * 3);
});
