import { appendFile, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chainOf } from '../../../shared/history/chain.ts';
import { readExport } from '../../../shared/history/manifest.ts';
import { folderPlace } from '../../../shared/history/places.ts';
import { accountItem } from '../../given/builders.ts';
import { type ExportOptions, itemLine, TABLE_ID, writeExport } from '../../given/history/exports.ts';

const twoFiles = [[itemLine(accountItem())], [itemLine(accountItem({ account_id: { S: 'a-2' } })), itemLine({})]];

async function given(options: Partial<ExportOptions> = {}) {
  const root = await mkdtemp(join(tmpdir(), 'export-'));
  const folder = await writeExport(root, { files: twoFiles, ...options });
  return { root, folder, read: (key = folder) => readExport(folderPlace(root), key) };
}

describe('the manifests of an export', () => {
  it('say what was exported as of when, and which files hold it, in their order', async () => {
    const { read } = await given();
    const it = await read();
    expect(it).toMatchObject({
      ...{ id: '01715685260608-c488b4e1', table: 'accounts', tableId: TABLE_ID, kind: 'full', items: 3 },
      ...{ fromMs: undefined, asOfMs: Date.parse('2026-10-01T12:00:00.608Z'), unverified: [] },
    });
    expect(it.files.map(({ items }) => items)).toEqual([1, 2]);
  });

  it('say the window of an incremental one, whose data lie in a folder for all', async () => {
    const { read } = await given({ from: '2026-10-01T11:00:00.000Z', asOf: '2026-10-01T12:00:00.000Z' });
    const it = await read();
    expect(it).toMatchObject({ kind: 'incremental', fromMs: Date.parse('2026-10-01T11:00:00Z') });
    expect(it.files[0]?.key).toMatch(/^prefix\/AWSDynamoDB\/data\//);
  });

  it('are found by the folder and by the summary, with checksums of either name, and without', async () => {
    const { folder, read } = await given({ checksums: 'checksum' });
    expect((await read(`${folder}/manifest-summary.json`)).unverified).toEqual([]);
    const without = await given({ checksums: 'none' });
    expect((await without.read()).unverified).toHaveLength(2);
  });

  it.each([
    ['full', {}],
    ['incremental', { from: '2026-10-01T11:00:00.000Z', asOf: '2026-10-01T12:00:00.000Z' }],
  ])('are found with their data where a %s export was moved to', async (_, options) => {
    const { root, folder, read } = await given(options);
    await rename(join(root, 'prefix'), join(root, 'moved'));
    const it = await read(folder.replace('prefix', 'moved'));
    expect(it.files).toHaveLength(2);
    for (const file of it.files) expect(file.key).toMatch(/^moved\/AWSDynamoDB\//);
  });

  it.each<[string, Partial<ExportOptions>, RegExp]>([
    [
      'of Ion',
      { summary: { outputFormat: 'ION' } },
      /is in ION, which is not read: export with --export-format DYNAMODB_JSON/,
    ],
    ['whose counts differ', { summary: { itemCount: 4 } }, /names files of 3 items; the summary has 4/],
    ['without a time', { summary: { exportTime: undefined } }, /no summary of an export: exportTime expected/],
    ['of something else', { summary: { tableId: 7 } }, /no summary of an export: tableId/],
  ])('of an export %s are refused in one sentence', async (_, options, message) => {
    const { read } = await given(options);
    await expect(read()).rejects.toThrow(message);
  });

  it('that are not what their checksums say are refused', async () => {
    for (const name of ['manifest-summary.json', 'manifest-files.json']) {
      const { root, folder, read } = await given();
      await appendFile(join(root, folder, name), ' ');
      await expect(read()).rejects.toThrow(`${name} is not what`);
    }
  });

  it('that are not there are named, as are data files', async () => {
    const { root, folder, read } = await given();
    await expect(read('prefix')).rejects.toThrow(
      /prefix\/manifest-summary.json is not there: name the folder of an export/,
    );
    const [first = ''] = (await readdir(join(root, folder, 'data'))).sort();
    await rm(join(root, folder, 'data'), { recursive: true });
    await expect(read()).rejects.toThrow(/json.gz is not there, nor is it near the manifests/);
    expect(first).not.toBe('');
    await rm(join(root, folder, 'manifest-files.json'));
    await expect(read()).rejects.toThrow(/the export is not complete/);
  });

  it('with a line that describes no file are refused with the number of the line', async () => {
    const { root, folder, read } = await given({ checksums: 'none' });
    await writeFile(join(root, folder, 'manifest-files.json'), '{"itemCount":1}\n');
    await expect(read()).rejects.toThrow(/manifest-files.json line 1 describes no data file/);
  });
});

describe('a chain of exports', () => {
  const at = (time: string) => `2026-10-01T${time}Z`;
  const exportsOf = async (...options: readonly Partial<ExportOptions>[]) =>
    Promise.all(options.map(async (it) => (await given(it)).read()));
  const full = { asOf: at('12:00:00.608') };
  const window = (from: string, to: string, more: Partial<ExportOptions> = {}) => ({
    from: at(from),
    asOf: at(to),
    ...more,
  });

  it('is a full export and the windows that follow it to the second, however they are given', async () => {
    const exports = await exportsOf(window('12:15:00', '12:30:00'), full, window('12:00:00', '12:15:00'));
    expect(chainOf(exports, 'accounts').map(({ asOfMs }) => new Date(asOfMs).toISOString().slice(11, 19))).toEqual([
      ...['12:00:00', '12:15:00', '12:30:00'],
    ]);
  });

  it.each<[string, readonly Partial<ExportOptions>[], RegExp]>([
    [
      'a gap',
      [full, window('12:00:01', '12:15:00')],
      /Nothing is given of 2026-10-01T12:00:00Z to 2026-10-01T12:00:01Z/,
    ],
    [
      'an overlap',
      [full, window('11:59:59', '12:15:00')],
      /begins at 2026-10-01T11:59:59Z, before .* ends at 2026-10-01T12:00:00Z/,
    ],
    ['a window twice', [full, window('12:00:00', '12:15:00'), window('12:00:00', '12:15:00')], /before .* ends/],
    ['no full export', [window('12:00:00', '12:15:00')], /No full export is given/],
    ['two full exports', [full, full], /are both full exports/],
    ['another table', [{ ...full, table: 'orders' }], /is of the table orders; the definition describes accounts/],
    ['a table made anew', [full, window('12:00:00', '12:15:00', { tableId: 'x' })], /their tableId differ/],
  ])('with %s is refused by name', async (_, options, message) => {
    const exports = await exportsOf(...options);
    expect(() => chainOf(exports, 'accounts')).toThrow(message);
  });
});
