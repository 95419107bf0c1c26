import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readDocument, tableRows } from '../../given/documents.ts';

const FOLDER = 'docs/decisions';
const AREAS = ['delivery', 'training', 'deployment', 'running', 'local and tests'];
const PARTS = ['Context', 'Decision', 'Consequences', 'Tried'];

const records = readdirSync(FOLDER)
  .filter((name) => /^\d{4}-/.test(name))
  .sort()
  .map((name) => {
    const { text } = readDocument(`${FOLDER}/${name}`);
    const [, number = '', title = ''] = /^# (\d{4}) · (.+)\n/.exec(text) ?? [];
    const [, status = '', area = ''] = /^Status: (accepted|superseded by \d{4}) · Area: (.+)$/m.exec(text) ?? [];
    return { name, text, number, title, status, area };
  });

test('decisions are numbered from 0001 without a gap', () => {
  const expected = records.map((_, index) => String(index + 1).padStart(4, '0'));
  expect(records.map(({ name }) => name.slice(0, 4))).toEqual(expected);
  expect(records.map(({ number }) => number)).toEqual(expected);
});

test('the index names every decision with its title, area and status, and no other', () => {
  const rows = tableRows(readDocument(`${FOLDER}/README.md`).text);
  const expected = records.map(({ number, title, name, area, status }) => [
    number,
    `[${title}](${name})`,
    area,
    status,
  ]);
  expect(rows).toEqual(expected);
});

test.each(records)('$name has a status, an area, and the parts of the template in their order', ({ text, area }) => {
  expect(AREAS).toContain(area);
  const parts = [...text.matchAll(/^## (.+)$/gm)].map(([, part]) => part);
  expect(parts).toEqual(PARTS.slice(0, parts.length));
  expect(parts.length).toBeGreaterThanOrEqual(PARTS.length - 1);
});
