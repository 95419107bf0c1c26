import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FUNCTION_NAMES } from '../../../../infra/local/athena/sql/calls/calls.ts';
import { SPECIAL_NAMES } from '../../../../infra/local/athena/sql/calls/function-call.ts';
import { ALTERNATIVES } from '../../../../infra/local/athena/sql/functions/alternatives.ts';
import { localAthena } from '../../../given/local/local-athena.ts';
import type { Answered, Refused } from './cases/case.ts';
import { CASTS, REFUSED_CASTS } from './cases/casts.ts';
import { COLLECTIONS, REFUSED_COLLECTIONS } from './cases/collections.ts';
import { DATES, REFUSED_DATES } from './cases/dates.ts';
import { NUMBERS, REFUSED_NUMBERS } from './cases/numbers.ts';
import { QUERIES, REFUSED_QUERIES } from './cases/queries.ts';
import { REFUSED_TEXTS, TEXTS } from './cases/texts.ts';

/** Every answer of the local Athena against Trino's: equal to it, or refused. */

const ANSWERED: readonly Answered[] = [...NUMBERS, ...CASTS, ...TEXTS, ...DATES, ...COLLECTIONS, ...QUERIES];
const REFUSED: readonly Refused[] = [
  ...[...REFUSED_NUMBERS, ...REFUSED_CASTS, ...REFUSED_TEXTS, ...REFUSED_DATES],
  ...[...REFUSED_COLLECTIONS, ...REFUSED_QUERIES],
];

let athena: Awaited<ReturnType<typeof localAthena>>;
const outcome = { proven: 0, refused: 0, wrong: [] as string[] };

beforeAll(async () => {
  athena = await localAthena();
});
afterAll(async () => {
  await athena.close();
  const functions = [...FUNCTION_NAMES.scalar, ...FUNCTION_NAMES.aggregate, ...FUNCTION_NAMES.window, ...SPECIAL_NAMES];
  console.log(
    `Trino's answers: ${outcome.proven} proven, ${outcome.refused} refused, ${outcome.wrong.length} wrong. Functions: ${functions.length} proven, ${Object.keys(ALTERNATIVES).length} refused with what to write instead.`,
  );
});

const isQuery = (sql: string) => /^(SELECT|WITH|VALUES)\b/.test(sql);
const statement = (sql: string) =>
  /^([A-Z]{3,}|)( |$)/.test(sql) &&
  !/^(CASE|NOT|NULL|DATE|TIMESTAMP|INTERVAL|CAST|ARRAY|ROW|MAP|JSON|REAL|DOUBLE|DECIMAL|BIGINT|TINYINT|SMALLINT)\b/.test(
    sql,
  )
    ? sql
    : `SELECT ${sql}`;

describe('equal to Trino, in value and type', () => {
  test.each(ANSWERED)('%s is %s: %s', async (sql, type, value) => {
    const query = isQuery(sql) ? sql : `SELECT ${sql}`;
    const answer = await athena.firstRow(`SELECT v, typeof(v) AS t FROM (${query}) AS answer (v)`);
    const isRight = answer.t === type && (answer.v ?? null) === value;
    if (isRight) outcome.proven += 1;
    else outcome.wrong.push(sql);
    expect({ type: answer.t, value: answer.v ?? null }).toEqual({ type, value });
  });
});

describe('refused, by the name of the error', () => {
  test.each(REFUSED)('%s: %s', async (sql, code) => {
    const reason = await athena.run(statement(sql)).then(
      () => 'it was answered',
      (error: Error) => error.message,
    );
    if (reason.startsWith(`${code}: `)) outcome.refused += 1;
    else outcome.wrong.push(sql);
    expect(reason).toMatch(new RegExp(`^${code}: `));
    // DuckDB's own texts are about SQL that nobody wrote.
    expect(reason).not.toMatch(/DuckDB|Binder|Catalog Error|Parser Error|Did you mean|LINE 1/);
    if (code === 'NOT_SUPPORTED') expect(reason).toMatch(/Instead, |is not|depends|does not/);
  });
});

describe('functions', () => {
  const cases = ANSWERED.map(([sql]) => sql.toLowerCase()).join('\n');
  const names = [...FUNCTION_NAMES.scalar, ...FUNCTION_NAMES.aggregate, ...FUNCTION_NAMES.window, ...SPECIAL_NAMES];

  test('all have a case that proves them', () => {
    expect(names.filter((name) => !cases.includes(`${name}(`))).toEqual([]);
  });

  test('that are refused say what to write instead', async () => {
    for (const [name, instead] of Object.entries(ALTERNATIVES)) {
      expect(names).not.toContain(name);
      const reason = await athena.run(`SELECT ${name}(1)`).catch((error: Error) => error.message);
      expect(reason).toMatch(/^NOT_SUPPORTED: line 1:8: The local Athena does not run the function/);
      expect(reason).toContain(instead);
    }
  });
});
