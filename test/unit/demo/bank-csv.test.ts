import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseBankCsv, readBankCsv } from '../../../infra/demo/customers/bank-csv.ts';
import group from '../../../shared/feature-groups/bank-marketing.ts';

const COLUMNS = [...group.features.map((feature) => feature.name), 'y'];
const ROW: Readonly<Record<string, string>> = {
  ...{ age: '41', job: 'admin.', marital: 'single', education: 'basic.9y', default: 'no', housing: 'yes', loan: 'no' },
  ...{ contact: 'cellular', month: 'may', day_of_week: 'fri', duration: '100', campaign: '2', pdays: '999' },
  ...{ previous: '0', poutcome: 'nonexistent', emp_var_rate: '-1.80', cons_price_idx: '92.5', cons_conf_idx: '-42' },
  ...{ euribor3m: '1.310', nr_employed: '5100', y: '0' },
};

const line = (changes: Readonly<Record<string, string>> = {}) =>
  COLUMNS.map((name) => ({ ...ROW, ...changes })[name]).join(',');
const comma = (...lines: string[]) => [COLUMNS.join(','), ...lines, ''].join('\n');
const parse = (text: string) => parseBankCsv('bank.csv', text, group);

describe('a file of customers', () => {
  test('in the comma form is read with its numbers as written', () => {
    const [first, second] = parse(comma(line(), line({ y: '1' })));
    expect(first?.id).toBe('c-00001');
    expect(first?.label).toBe('0');
    expect(first?.features).toEqual(Object.fromEntries(Object.entries(ROW).filter(([name]) => name !== 'y')));
    expect(second).toMatchObject({ id: 'c-00002', label: '1' });
  });

  test('in the quoted form with dots, semicolons, CRLF and yes/no is the same customers', () => {
    const quoted = (values: string[]) => values.map((value) => `"${value}"`).join(';');
    const dotted = COLUMNS.map((name) => (/^(emp|cons|nr)_/.test(name) ? name.replaceAll('_', '.') : name));
    const values = COLUMNS.map((name) => (name === 'y' ? 'yes' : (ROW[name] as string)));
    const text = `\uFEFF${quoted(dotted)}\r\n${quoted(values)}\r\n`;
    expect(parse(text)).toEqual(parse(comma(line({ y: '1' }))));
  });

  test('may have its columns in any order', () => {
    const reversed = [...COLUMNS].reverse();
    const text = `${reversed.join(',')}\n${reversed.map((name) => ROW[name]).join(',')}\n`;
    expect(parse(text)).toEqual(parse(comma(line())));
  });
});

describe('a wrong file is one sentence that names file, line, column, what was found and what is expected', () => {
  test.each([
    ['missing column', comma().replace('age,', ''), /^bank\.csv line 1, column "age": found no such column, expected /],
    [
      'unknown column',
      comma(line()).replace('age,', 'years,'),
      /^bank\.csv line 1, column 1: found "years", expected /,
    ],
    ['column twice', comma(line()).replace('age,', 'job,'), /^bank\.csv line 1, column "job": found it twice/],
    [
      'too many fields',
      comma(line(), `${line()},7`),
      'bank.csv line 3, column 22 ("7"): found 22 fields, expected 21, as the header has.',
    ],
    [
      'too few fields',
      comma(line().replace(/,0$/, '')),
      'bank.csv line 2, column "y": found 20 fields, expected 21, as the header has.',
    ],
    [
      'unknown category',
      comma(line(), line(), line({ contact: 'fax' })),
      'bank.csv line 4, column "contact": found "fax", expected one of cellular, telephone.',
    ],
    [
      'not a whole number',
      comma(line({ duration: '1.5' })),
      'bank.csv line 2, column "duration": found "1.5", expected a whole number, at least 0.',
    ],
    [
      'beyond a bound',
      comma(line({ age: '151' })),
      'bank.csv line 2, column "age": found "151", expected a whole number from 0 to 150.',
    ],
    [
      'beyond 64 bits',
      comma(line({ pdays: '9223372036854775808' })),
      'bank.csv line 2, column "pdays": found "9223372036854775808", expected a whole number, at least 0.',
    ],
    ['not a number', comma(line({ euribor3m: 'n/a' })), /column "euribor3m": found "n\/a", expected a number\.$/],
    ['beyond DynamoDB', comma(line({ euribor3m: '1e200' })), /column "euribor3m": found "1e200", expected a number\.$/],
    ['an empty value', comma(line({ euribor3m: '' })), /column "euribor3m": found "", expected a number\.$/],
    [
      'a label that is neither',
      comma(line({ y: 'maybe' })),
      'bank.csv line 2, column "y": found "maybe", expected yes or no, or 1 or 0.',
    ],
    ['empty', '', /^bank\.csv line 1: found the end of the file, expected a header line/],
    ['no rows', comma(), /^bank\.csv line 2: found the end of the file, expected a row\.$/],
    ['open quote', comma(line({ job: '"admin.' })), /^bank\.csv line \d+: found a quote that is not closed/],
  ])('%s', (_, text, message) => {
    expect(() => parse(text)).toThrow(message);
    try {
      parse(text);
    } catch (error) {
      expect((error as Error).message).not.toContain('\n');
    }
  });

  test('no such file', async () => {
    await expect(readBankCsv('/nowhere/bank.csv', group)).rejects.toThrow(
      '/nowhere/bank.csv cannot be read: there is no such file; give --csv the path of a CSV file.',
    );
  });
});

test('a line is counted as an editor counts it, after quoted line breaks and empty lines too', () => {
  const text = comma(line(), '', line({ job: '"pi\nlot"' }));
  expect(() => parse(text)).toThrow(/^bank\.csv line 5, column "job"/);
});

test('a file is read from disk', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bank-csv-'));
  try {
    await writeFile(join(folder, 'bank.csv'), comma(line()));
    expect(await readBankCsv(join(folder, 'bank.csv'), group)).toHaveLength(1);
  } finally {
    await rm(folder, { recursive: true });
  }
});
