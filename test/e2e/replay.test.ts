import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runScript } from '../given/command.ts';

const EVENTS = fileURLToPath(new URL('../fixtures/events/', import.meta.url));
const DEFINITION = fileURLToPath(new URL('../fixtures/feature-groups/shipments.ts', import.meta.url));

let folder: string;
let files: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-e2e-'));
  files = (await readdir(EVENTS)).sort().map((name) => join(EVENTS, name));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const replay = (events: string[], out: string) =>
  runScript('replay', [...events, '--definition', DEFINITION, '--out', join(folder, out)]);

async function lines(out: string, name: string) {
  const text = await readFile(join(folder, out, name), 'utf8');
  return text.split('\n').filter((line) => line !== '');
}

async function online(out: string): Promise<Record<string, Record<string, string>>> {
  const records = (await lines(out, 'online-store.jsonl')).map((line) => JSON.parse(line));
  return Object.fromEntries(records.map((record) => [record.shipment_id, record]));
}

describe('npm run replay over recorded events', () => {
  let summary: Record<string, number>;

  beforeAll(async () => {
    const { code, stdout, stderr } = await replay(files, 'first');
    expect(`${code} ${stderr}`).toBe('0 Definition shipments, in this process and in memory\n');
    summary = JSON.parse(stdout);
  });

  test('gives every record exactly one fate', () => {
    const { records, delivered, superseded, deleted, quarantined } = summary as Record<string, number>;
    expect(summary).toEqual({
      ...{ events: 11, records: 32, delivered: 19, superseded: 2, deleted: 3, quarantined: 8, labels: 2 },
    });
    expect((delivered ?? 0) + (superseded ?? 0) + (deleted ?? 0) + (quarantined ?? 0)).toBe(records);
  });

  test('leaves the same bytes when it is run again', async () => {
    await replay(files, 'second');
    for (const name of ['online-store.jsonl', 'change-log.csv', 'labels.json', 'quarantine.jsonl']) {
      expect(await readFile(join(folder, 'second', name))).toEqual(await readFile(join(folder, 'first', name)));
    }
    expect((await readdir(join(folder, 'second'))).sort()).toEqual((await readdir(join(folder, 'first'))).sort());
  });

  test('keeps a record that was deleted and inserted again within a second', async () => {
    expect((await online('first'))['s-1']).toEqual({
      ...{ shipment_id: 's-1', event_time: '2026-03-01T09:02:00.001Z' },
      ...{ weight_kg: '13', pieces: '4', carrier: 'rail', late: '1' },
    });
  });

  test('takes deleted and expired records out of the online store', async () => {
    const records = await online('first');
    expect([records['s-2'], records['s-3']]).toEqual([undefined, undefined]);
    expect(await lines('first', 'change-log.csv')).toContain(
      '130000000000000000001,REMOVE,2026-03-02T09:00:00.000Z,true,s-3,\\N,\\N,\\N,\\N,\\N,\\N,\\N,\\N',
    );
  });

  test('keeps numbers exactly, and sets and binary in their stated text', async () => {
    const records = await online('first');
    expect(records['s-9']).toMatchObject({
      weight_kg: '0.12345678901234567890123456789012345678',
      pieces: '9007199254740993',
    });
    expect(records['s-17']).toMatchObject({ seal: 'AAEC/w==', stops: '["Ghent, BE","a\\\\b","Łódź"]' });
    expect(records['s-18']?.stops).toBe('[-1.50,2,10]');
  });

  test('quarantines what no definition can take, whole and with the reason', async () => {
    const rejections = (await lines('first', 'quarantine.jsonl')).map((line) => JSON.parse(line));
    expect(rejections.map(({ reason, record }) => [record.dynamodb.Keys.shipment_id.S, reason])).toEqual([
      ['s-4', 'stream-view-type'],
      ['s-5', 'missing-creation-time'],
      ['s-12', 'out-of-range'],
      ['s-13', 'not-integral'],
      ['s-14', 'out-of-range'],
      ['s-15', 'wrong-type'],
      ['s-16', 'invalid-label'],
      ['s-22', 'unknown-category'],
    ]);
  });

  test('counts a label once although its event is delivered again', async () => {
    const labels = JSON.parse(await readFile(join(folder, 'first', 'labels.json'), 'utf8'));
    expect(
      labels.records.map((it: { recordIdentifier: string; label: string }) => [it.recordIdentifier, it.label]),
    ).toEqual([
      ['s-1', '1'],
      ['s-3', '0'],
    ]);
  });
});

describe('npm run replay with bad input', () => {
  test('is one sentence, and leaves nothing', async () => {
    const file = join(folder, 'broken.json');
    await writeFile(file, '{"Records": [');
    const { code, stdout, stderr } = await replay([files[0] as string, file], 'broken');
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n').slice(1)).toEqual([
      expect.stringMatching(/^Error: .*broken\.json is not JSON \(.*\); expected /),
    ]);
    expect(await readdir(folder)).not.toContain('broken');
  });

  test('says how it is used when there is no folder to write to', async () => {
    const { code, stderr } = await runScript('replay', [files[0] as string]);
    expect([code, stderr.trim()]).toEqual([
      1,
      'Error: --out DIR is missing; usage: npm run replay -- EVENT.json... --out DIR [--definition NAME|FILE] [--verbose]',
    ]);
  });

  test('names the definition that was probably meant, and those there are', async () => {
    const { code, stdout, stderr } = await runScript('replay', [
      ...[files[0] as string, '--out', join(folder, 'misspelt'), '--definition', 'bank-marketting'],
    ]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^Error: Feature group "bank-marketting": there is no such definition\. Did you mean bank-marketing\? There are: .*bank-marketing/,
    );
    expect(await readdir(folder)).not.toContain('misspelt');
  });
});
