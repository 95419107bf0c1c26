import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateItems } from '../../infra/commands/playing/generated-items.ts';
import type { Report } from '../../infra/demo/findings/report.ts';
import orders from '../fixtures/feature-groups/orders.ts';
import { runScript } from '../given/command.ts';

const ROWS = 800;
const ORDERS = new URL('../fixtures/feature-groups/orders.ts', import.meta.url).pathname;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-e2e-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('npm run demo', () => {
  let report: Report;
  let stdout: string;

  beforeAll(async () => {
    const file = join(folder, 'report.json');
    const ran = await runScript('demo', ['--rows', String(ROWS), '--json', file], folder);
    stdout = ran.stdout;
    expect(`${ran.code}\n${ran.stderr}\n${stdout}`).toMatch(/^0\n/);
    report = JSON.parse(await readFile(file, 'utf8'));
  });

  test('every check of the report holds', () => {
    expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.checks.length).toBeGreaterThanOrEqual(11);
  });

  test('the online store has every customer that is left, as the table has it', () => {
    expect(report.onlineStore).toEqual({ records: ROWS - 5, differences: [], equalsTable: true });
  });

  test('a model is trained at each crossing of the threshold, and swapped in behind the one endpoint', () => {
    expect(report.trainings.map(({ epoch, rows }) => ({ epoch, rows }))).toEqual([
      { epoch: 1, rows: 360 },
      { epoch: 2, rows: 720 },
    ]);
    expect(report.endpoint.before).toBe(report.trainings[0]?.endpointConfigName);
    expect(report.endpoint.after).toBe(report.trainings[1]?.endpointConfigName);
  });

  test('labels are counted once per record', () => {
    const { counted, distinct, byClass } = report.labels;
    expect([counted, distinct, byClass[0] + byClass[1]]).toEqual([ROWS, ROWS, ROWS]);
  });

  test('the bad record is in quarantine with its reason', () => {
    expect(report.quarantine).toMatchObject([
      { recordIdentifier: 'c-bad-age', reason: 'wrong-type', path: 'dynamodb.NewImage.age' },
    ]);
  });

  test('the lag from write to online store is measured', () => {
    expect(report.lag.samples).toBeGreaterThan(0);
    expect(report.lag.p50Ms).toBeGreaterThan(0);
    expect(report.lag.p99Ms).toBeGreaterThanOrEqual(report.lag.p50Ms ?? Number.POSITIVE_INFINITY);
  });

  test('its state folder is gone', async () => {
    expect((await readdir(folder)).filter((name) => name.startsWith('tributary-demo-'))).toEqual([]);
  });

  test('the summary is for people', () => {
    expect(stdout).toContain(`All ${report.checks.length} checks held.`);
  });
});

test("npm run demo plays with one's own table, from its definition alone, and from a file of items", async () => {
  const definition = ['--definition', ORDERS, '--rows', '300', '--json'];
  const generated = join(folder, 'generated.json');
  const { code, stdout } = await runScript('demo', [...definition, generated]);
  expect(`${code}\n${stdout}`).toMatch(/^0\n/);
  const report: Report = JSON.parse(await readFile(generated, 'utf8'));
  expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(report.source).toMatchObject({ customers: 300, plural: 'Records' });
  expect(report.quarantine).toEqual([expect.objectContaining({ reason: 'wrong-type' })]);

  const items = join(folder, 'items.jsonl');
  const lines = generateItems(orders, 301, 2).map((item, index) => {
    const { returned: _, ...unlabeled } = item;
    return JSON.stringify(index === 300 ? unlabeled : item);
  });
  await writeFile(items, `${lines.join('\n')}\n${JSON.stringify({ pk: { S: 'x' }, sk: { S: '1' } })}\n`);
  const fromFile = join(folder, 'from-file.json');
  const second = await runScript('demo', [...definition, fromFile, '--items', items]);
  expect(`${second.code}\n${second.stdout}`).toMatch(/^0\n/);
  expect(second.stderr).toContain('items that the definition does not take are left out: 1, the first at line 302');
  const { labels, onlineStore }: Report = JSON.parse(await readFile(fromFile, 'utf8'));
  expect([labels.counted, onlineStore.records]).toEqual([300, 296]);
});

describe('npm run demo with bad input is one sentence, and exit code 1', () => {
  test.each([
    [['--bogus'], "Error: Unknown option '--bogus'; usage: npm run demo -- [--csv FILE]"],
    [['--thresold', '9'], "Error: Unknown option '--thresold'; did you mean --threshold? Usage: npm run demo -- "],
    [['--rows', 'many'], 'Error: --rows: found "many", expected a whole number from 200 to 99999.'],
    [['--threshold', '900'], 'Error: --threshold: found 900, expected at most 750, half of the 1500 records'],
    [
      ['--json', '/nowhere/out.json'],
      'Error: --json: found /nowhere/out.json, expected a file in a folder that is there',
    ],
    [['--dynamodb', 'cassandra'], 'Error: --dynamodb: found "cassandra", expected embedded, local or a URL'],
    [['--items', '/nowhere/items.jsonl'], 'Error: /nowhere/items.jsonl cannot be read: there is no such file'],
    [
      ['--definition', ORDERS, '--csv', 'x.csv'],
      'Error: --csv is of the example: give --items for a table of your own.',
    ],
    [['--definition', 'odrers'], 'Error: '],
    [['--csv', '/nowhere/bank.csv'], 'Error: /nowhere/bank.csv cannot be read: there is no such file'],
  ])('%s', async (args, message) => {
    const { code, stdout, stderr } = await runScript('demo', args);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    const lines = stderr.trim().split('\n');
    expect(lines.filter((line) => !line.startsWith('Definition '))).toEqual([expect.stringContaining(message)]);
  });

  test('a wrong row of a file', async () => {
    const file = join(folder, 'wrong.csv');
    await writeFile(file, 'age,y\n41,0\n');
    const { code, stderr } = await runScript('demo', ['--csv', file]);
    expect(code).toBe(1);
    expect(stderr).toContain(`Error: ${file} line 1, column "job": found no such column`);
  });
});
