import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Embedded, openEmbedded } from '../../../given/local/embedded-dynamodb.ts';

let dynamodb: Embedded;
let arn: string;
let tables = 0;
let TableName: string;

beforeAll(async () => {
  dynamodb = await openEmbedded();
});
afterAll(() => dynamodb.close());
beforeEach(async () => {
  tables += 1;
  TableName = `orders-${tables}`;
  arn = await dynamodb.createTable(TableName, {
    isSorted: true,
    AttributeDefinitions: [{ AttributeName: 'state', AttributeType: 'S' }],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'by-state',
        KeySchema: [{ AttributeName: 'state', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'ALL' },
      },
    ],
  });
});

const run = (Statement: string, ...Parameters: object[]) =>
  dynamodb.run<{ Items: Record<string, unknown>[]; NextToken?: string }>('ExecuteStatement', {
    Statement: Statement.replaceAll('orders', `"${TableName}"`),
    ...(Parameters.length > 0 && { Parameters }),
  });
const insert = (pk: string, sk: string, more = '') =>
  run(`INSERT INTO orders VALUE {'pk': ?, 'sk': ?${more}}`, { S: pk }, { S: sk });

describe('ExecuteStatement', () => {
  test('writes and reads every type of value, and puts records on the stream', async () => {
    await insert('a', '1', `, 'n': 1.50, 'yes': true, 'none': null, 'l': [1, 'x'], 'm': {'k': 2}, 's': <<'p', 'q'>>`);
    const { Items } = await run(`SELECT * FROM orders WHERE pk = 'a' AND sk = '1'`);
    const item = {
      ...{ pk: { S: 'a' }, sk: { S: '1' }, n: { N: '1.5' }, yes: { BOOL: true }, none: { NULL: true } },
      ...{ l: { L: [{ N: '1' }, { S: 'x' }] }, m: { M: { k: { N: '2' } } }, s: { SS: ['p', 'q'] } },
    };
    expect(Items).toEqual([item]);
    expect(await dynamodb.recordsOf(arn)).toMatchObject([{ eventName: 'INSERT', dynamodb: { NewImage: item } }]);
  });

  test.each([
    [`pk = 'a'`, ['1', '2', '3']],
    [`pk = 'a' AND sk > '1'`, ['2', '3']],
    [`pk = 'a' AND sk BETWEEN '2' AND '3' AND n <> 3`, ['2']],
    [`pk = 'a' AND begins_with(sk, '2')`, ['2']],
    [`n IN [1, 3]`, ['1', '3']],
    [`n >= 2 AND NOT n = 3`, ['2']],
    [`(n = 1 OR n = 2) AND extra IS MISSING`, ['1']],
    [`extra IS NOT MISSING`, ['2']],
    [`size(sk) = 1 AND contains(tags, 'x')`, ['3']],
  ])('SELECT ... WHERE %s', async (where, expected) => {
    await insert('a', '1', ", 'n': 1");
    await insert('a', '2', ", 'n': 2, 'extra': true");
    await insert('a', '3', ", 'n': 3, 'tags': <<'x'>>");
    const { Items } = await run(`SELECT sk FROM orders WHERE ${where}`);
    expect(Items.map(({ sk }) => (sk as { S: string }).S).sort()).toEqual(expected);
  });

  test('reads an index, page by page, and backwards', async () => {
    for (const sk of ['1', '2', '3']) await insert('a', sk, ", 'state': 'open'");
    const Statement = `SELECT sk FROM "${TableName}"."by-state" WHERE state = 'open'`;
    const first = await dynamodb.run<{ Items: object[]; NextToken: string }>('ExecuteStatement', {
      Statement,
      Limit: 2,
    });
    expect(first.Items).toEqual([{ sk: { S: '1' } }, { sk: { S: '2' } }]);
    const { NextToken } = first;
    const second = await dynamodb.run('ExecuteStatement', { Statement, NextToken });
    expect(second).toEqual({ Items: [{ sk: { S: '3' } }] });
    const { Items } = await run(`SELECT sk FROM orders WHERE pk = 'a' ORDER BY sk DESC`);
    expect(Items.map((it) => it.sk)).toEqual([{ S: '3' }, { S: '2' }, { S: '1' }]);
  });

  test('updates one item, and answers what is asked for', async () => {
    await insert('a', '1', ", 'n': 1, 'old': 'x', 'tags': <<'x'>>");
    const { Items } = await run(
      `UPDATE orders SET n = n + ? SET tags = set_add(tags, <<'y'>>) REMOVE old WHERE pk = 'a' AND sk = '1' RETURNING ALL NEW *`,
      { N: '2' },
    );
    expect(Items).toEqual([{ pk: { S: 'a' }, sk: { S: '1' }, n: { N: '3' }, tags: { SS: ['x', 'y'] } }]);
  });

  test('updates nothing that is not there, or does not fit', async () => {
    await insert('a', '1', ", 'n': 1");
    const refused = { code: 'ConditionalCheckFailedException', status: 400 };
    await expect(run(`UPDATE orders SET n = 2 WHERE pk = 'a' AND sk = '9'`)).rejects.toMatchObject(refused);
    await expect(run(`DELETE FROM orders WHERE pk = 'a' AND sk = '1' AND n = 2`)).rejects.toMatchObject(refused);
    await expect(insert('a', '1')).rejects.toMatchObject({ code: 'DuplicateItemException', status: 400 });
    await run(`DELETE FROM orders WHERE pk = 'a' AND sk = '1' AND n = 1`);
    expect((await run('SELECT * FROM orders')).Items).toEqual([]);
  });

  test.each([
    ['SELEC * FROM orders', /expected SELECT, INSERT, UPDATE or DELETE, found "SELEC"/],
    ["UPDATE orders SET n = 1 WHERE pk = 'a'", /mandatory equality on all key attributes/],
    ['SELECT * FROM orders WHERE pk = ?', /Number of parameters/],
    ["SELECT * FROM orders WHERE pk = 'a' GROUP BY pk", /expected the end, found "GROUP"/],
    ['SELECT count(*) FROM orders', /expected FROM/],
  ])('refuses %s', async (statement, message) => {
    await expect(run(statement)).rejects.toMatchObject({
      code: 'ValidationException',
      message: expect.stringMatching(message),
    });
  });
});

test('BatchExecuteStatement answers for each statement by itself', async () => {
  await insert('a', '1');
  const of = (Statement: string) => ({ Statement: Statement.replaceAll('orders', `"${TableName}"`) });
  const { Responses } = await dynamodb.run('BatchExecuteStatement', {
    Statements: [
      of(`INSERT INTO orders VALUE {'pk': 'a', 'sk': '1'}`),
      of(`INSERT INTO orders VALUE {'pk': 'a', 'sk': '2'}`),
    ],
  });
  expect(Responses).toMatchObject([{ Error: { Code: 'DuplicateItem' }, TableName }, { TableName }]);
  expect((await run('SELECT * FROM orders')).Items).toHaveLength(2);
});

test('ExecuteTransaction carries out all statements or none', async () => {
  await insert('a', '1');
  const of = (Statement: string) => ({ Statement: Statement.replaceAll('orders', `"${TableName}"`) });
  const added = of(`INSERT INTO orders VALUE {'pk': 'a', 'sk': '2'}`);
  const transact = (...TransactStatements: object[]) => dynamodb.run('ExecuteTransaction', { TransactStatements });
  await expect(
    transact(added, of(`EXISTS(SELECT * FROM orders WHERE pk = 'a' AND sk = '1' AND n = 1)`)),
  ).rejects.toMatchObject({ fields: { CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed' }] } });
  expect((await run('SELECT * FROM orders')).Items).toHaveLength(1);
  await transact(added, of(`UPDATE orders SET n = 1 WHERE pk = 'a' AND sk = '1'`));
  expect((await run('SELECT * FROM orders')).Items).toHaveLength(2);
});
