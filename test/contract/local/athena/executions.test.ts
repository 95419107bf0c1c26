import { GetQueryResultsCommand, ListNamedQueriesCommand, StopQueryExecutionCommand } from '@aws-sdk/client-athena';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { athena } from '../../../../infra/local/athena/athena.ts';
import { athenaOfShop } from '../../../given/local/athena-of-shop.ts';

let shop: Awaited<ReturnType<typeof athenaOfShop>>;

beforeAll(async () => {
  shop = await athenaOfShop();
});
afterAll(() => shop.close());

describe('failures', () => {
  test('say in the execution what is wrong', async () => {
    expect(await shop.failure('SELECT * FROM nowhere')).toMatch(/^TABLE_NOT_FOUND: .*nowhere/);
    expect(await shop.failure('SELECT nothing FROM change_log')).toBe(
      "COLUMN_NOT_FOUND: line 1:8: Column 'nothing' cannot be resolved",
    );
    expect(await shop.failure('SELECT skewness(rate) FROM change_log')).toMatch(
      /^NOT_SUPPORTED: line 1:8: The local Athena does not run the function skewness/,
    );
    expect(await shop.failure(`SELECT CAST(id AS bigint) FROM change_log`)).toMatch(/^INVALID_CAST_ARGUMENT: /);
    expect(await shop.failure(`SELECT * FROM '/etc/passwd'`)).toMatch(/^SYNTAX_ERROR: line 1:15: /);
    expect(
      await shop.failure('SELECT sum("count") FROM (SELECT "count" FROM change_log UNION ALL SELECT 100)'),
    ).toMatch(/^NUMERIC_VALUE_OUT_OF_RANGE: /);
  });

  test('have no results', async () => {
    const QueryExecutionId = await shop.start('SELECT * FROM nowhere');
    await shop.finished(QueryExecutionId);
    await expect(shop.send(new GetQueryResultsCommand({ QueryExecutionId }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
  });

  test('of the request itself are refused at once', async () => {
    await expect(shop.start('SELECT 1', { WorkGroup: 'none' })).rejects.toThrow('WorkGroup none is not found');
    await expect(shop.start('SELECT 1', { WorkGroup: 'primary' })).rejects.toThrow('No output location provided');
    await expect(shop.finished('none')).rejects.toMatchObject({ name: 'InvalidRequestException' });
    await expect(shop.send(new ListNamedQueriesCommand({}))).rejects.toMatchObject({
      name: 'NotImplementedException',
    });
  });
});

describe('starting', () => {
  test('with the same token and query gives the same execution, with another query an error', async () => {
    const ClientRequestToken = 'token'.padEnd(32, '-');
    const id = await shop.start('SELECT 1', { ClientRequestToken });
    expect(await shop.start('SELECT 1', { ClientRequestToken })).toBe(id);
    await expect(shop.start('SELECT 2', { ClientRequestToken })).rejects.toThrow('Idempotent parameters do not match');
  });

  test('may be undone: a query that was stopped is cancelled', async () => {
    const big =
      'SELECT count(*) AS n FROM change_log a, change_log b, change_log c, change_log d, change_log e, change_log f';
    const running = await shop.start(
      `${big}, change_log g, change_log h, change_log i, change_log j, change_log k, change_log l`,
    );
    const queued = await shop.start('SELECT 1');
    for (const QueryExecutionId of [queued, running])
      await shop.send(new StopQueryExecutionCommand({ QueryExecutionId }));
    expect((await shop.finished(queued))?.Status?.State).toBe('CANCELLED');
    expect((await shop.finished(running))?.Status?.State).toBe('CANCELLED');
    expect(await shop.query('SELECT 1 AS one')).toEqual([['one'], ['1']]);
  });

  test('is remembered after a restart', async () => {
    const id = await shop.start('SELECT 1');
    await shop.finished(id);
    const again = athena({ objects: shop.objects, catalog: shop.catalog, db: shop.db });
    const { GetQueryExecution } = again.service.operations ?? {};
    expect(GetQueryExecution?.({ QueryExecutionId: id } as never, undefined)).toMatchObject({
      QueryExecution: { QueryExecutionId: id, Status: { State: 'SUCCEEDED' } },
    });
  });
});
