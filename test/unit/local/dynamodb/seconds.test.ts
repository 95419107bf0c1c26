import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { secondsRestored } from '../../../../infra/local/dynamodb/seconds.ts';

const MINUTE = 1_700_000_040;
const ITERATOR = 'arn:of-a-stream|001|x';

/** Reads records, given as event id and minute, at a time in seconds; answers their restored seconds. */
function reader(db = new DatabaseSync(':memory:')) {
  let now = 0;
  const restore = secondsRestored(db, () => now * 1_000);
  return (at: number, records: readonly (readonly [string, number])[], iterator = ITERATOR): number[] => {
    now = at;
    const Records = records.map(([eventID, minute]) => ({
      eventID,
      dynamodb: { ApproximateCreationDateTime: minute },
    }));
    const answer = restore(iterator, { Records }) as { Records: typeof Records };
    return answer.Records.map((it) => it.dynamodb.ApproximateCreationDateTime);
  };
}

test('a record has the second in which it was first read, also when it is read again', () => {
  const db = new DatabaseSync(':memory:');
  const read = reader(db);
  expect(read(MINUTE + 7, [['a', MINUTE]])).toEqual([MINUTE + 7]);
  expect(
    read(MINUTE + 9, [
      ['a', MINUTE],
      ['b', MINUTE],
    ]),
  ).toEqual([MINUTE + 7, MINUTE + 9]);
  expect(reader(db)(MINUTE + 30, [['a', MINUTE]])).toEqual([MINUTE + 7]);
});

test('a record that is read late stays within its minute', () => {
  expect(reader()(MINUTE + 3_600, [['a', MINUTE]])).toEqual([MINUTE + 59]);
});

test('seconds never go back within a stream, and one stream does not move another', () => {
  const read = reader();
  expect(read(MINUTE + 70, [['a', MINUTE + 60]])).toEqual([MINUTE + 70]);
  expect(read(MINUTE + 65, [['b', MINUTE + 60]])).toEqual([MINUTE + 70]);
  expect(read(MINUTE + 80, [['c', MINUTE]], 'arn:of-another|001|x')).toEqual([MINUTE + 59]);
});
