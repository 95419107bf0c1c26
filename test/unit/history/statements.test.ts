import { mkdtemp, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { changeLogRow } from '../../../shared/change-log/row.ts';
import { featureTexts, type Rejection, type TimedChange } from '../../../shared/changes/change.ts';
import { isRejection, makeDecoder } from '../../../shared/changes/decode.ts';
import { statementTime } from '../../../shared/history/dating.ts';
import { type HistoryFile, type HistoryForm, readStatements, verifyFile } from '../../../shared/history/history.ts';
import { contentOf, LINE_BYTES_MAX, type LineBlock, linesOf } from '../../../shared/history/lines.ts';
import { readExport } from '../../../shared/history/manifest.ts';
import { folderPlace } from '../../../shared/history/places.ts';
import type { Statement } from '../../../shared/history/statements.ts';
import { accountItem, accounts } from '../../given/builders.ts';
import { itemLine, writeExport } from '../../given/history/exports.ts';

const EVENT_TIME = statementTime(Date.parse('2026-10-01T12:00:00.608Z'), 300);
const decode = makeDecoder(accounts);

async function statementsOf(form: HistoryForm, content: string | Uint8Array, more: Partial<HistoryFile> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'history-'));
  await writeFile(join(folder, 'file'), content);
  const file = { name: 'file', key: 'file', form, exportNumber: 7, fileNumber: 12, eventTimeMs: EVENT_TIME, ...more };
  const statements: Statement[] = [];
  for await (const block of readStatements(file, folderPlace(folder), accounts, decode)) statements.push(...block);
  return statements;
}

const changes = (statements: readonly Statement[]) => statements.map(({ decoded }) => decoded as TimedChange);
const textsOf = (change: TimedChange | undefined) => change && featureTexts(accounts, change);

test('lines that nobody asks for any more are counted, and not decoded', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'history-'));
  const lines = ['not JSON', '', ...['a', 'b'].map((id) => itemLine(accountItem({ account_id: { S: id } })))];
  await writeFile(join(folder, 'file'), lines.join('\n'));
  const file = { name: 'file', key: 'file', form: 'full' as const, exportNumber: 0, fileNumber: 0, eventTimeMs: 1 };
  const readFrom = async (after: number, items: number) => {
    const read: number[] = [];
    for await (const block of readStatements({ ...file, items }, folderPlace(folder), accounts, decode, after)) {
      read.push(...block.map(({ line }) => line));
    }
    return read;
  };
  expect(await readFrom(0, 3)).toEqual([1, 3, 4]);
  expect(await readFrom(3, 3)).toEqual([4]);
  await expect(readFrom(3, 2)).rejects.toThrow('holds 3 items; its manifest says 2');
});

test('a statement is dated before everything that it may not have seen, to the second', () => {
  expect(new Date(EVENT_TIME).toISOString()).toBe('2026-10-01T11:54:59.999Z');
});

describe('lines', () => {
  const blocksOf = async (chunks: readonly Uint8Array[]) => {
    const blocks: LineBlock[] = [];
    const source = (async function* () {
      yield* chunks;
    })();
    for await (const block of linesOf(source)) blocks.push(block);
    return blocks;
  };

  test('are those of the text, with their numbers, however its bytes are cut', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'ä', '😀', '\r', '"', ' '), maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 9 })),
        async (lines, ends, cuts) => {
          const bytes = Buffer.from(lines.join('\n') + (ends && lines.length > 0 ? '\n' : ''));
          const chunks: Uint8Array[] = [];
          for (let at = 0, index = 0; at < bytes.length; index += 1) {
            const size = cuts.length > 0 ? (cuts[index % cuts.length] as number) : bytes.length;
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          const blocks = await blocksOf(chunks);
          const numbered = blocks.flatMap(({ first, lines: read }) =>
            read.map((text, index) => [first + index, text] as const),
          );
          expect(numbered.filter(([, text]) => text !== '')).toEqual(
            lines.map((text, index) => [index + 1, text] as const).filter(([, text]) => text !== ''),
          );
        },
      ),
    );
  });

  test('that are not UTF-8 are told from those around them', async () => {
    const blocks = await blocksOf([Buffer.concat([Buffer.from('a\n'), Buffer.from([0xff, 0x0a]), Buffer.from('ä\n')])]);
    expect(blocks).toEqual([{ first: 1, lines: ['a', undefined, 'ä'] }]);
  });

  test('longer than any item are refused before they fill the memory', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const endless = Array.from({ length: LINE_BYTES_MAX / chunk.length + 1 }, () => chunk);
    await expect(blocksOf(endless)).rejects.toThrow(`line 1 has more than ${LINE_BYTES_MAX} bytes`);
  });

  test('of a compressed file are those of its content, of one member or several', async () => {
    const bytes = Buffer.concat([gzipSync('a\nb'), gzipSync('c\n')]);
    const chunks: Uint8Array[] = [];
    // The magic number is looked for in the first chunk.
    const source = (async function* () {
      yield bytes.subarray(0, 2);
      yield bytes.subarray(2);
    })();
    for await (const chunk of contentOf(source)) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('a\nbc\n');
  });
});

describe('a full export', () => {
  it('states each item as the decoder of the stream reads it, with a number of its own, and as of one moment', async () => {
    const [first, second] = await statementsOf(
      'full',
      [accountItem(), accountItem({ account_id: { S: 'a,2' }, churned: { N: '1' } })].map(itemLine).join('\n'),
    );
    expect(first?.decoded).toMatchObject({
      eventName: 'SNAPSHOT',
      recordIdentifier: 'a-1',
      sequenceNumber: '1007000012000000001',
      newLabel: undefined,
    });
    expect(textsOf(first?.decoded as TimedChange)).toEqual([
      '3',
      '12.50',
      'team',
      '1',
      undefined,
      undefined,
      undefined,
    ]);
    expect(second).toMatchObject({ line: 2, decoded: { newLabel: '1', eventTimeMs: EVENT_TIME } });
    expect(changeLogRow(accounts, second?.decoded as TimedChange)).toBe(
      '1007000012000000002,SNAPSHOT,2026-10-01T11:54:59.999Z,false,a\\,2,3,12.50,team,1,\\N,\\N,1\n',
    );
  });

  it('rejects what does not fit the definition, with file and line, and keeps the item', async () => {
    const [wrong, right, noJson, ion, noItem] = await statementsOf(
      'full',
      [
        itemLine(accountItem({ plan: { S: 'none' } })),
        itemLine(accountItem()),
        '{"Item":',
        '$ion_1_0 {Item:{}}',
        '[1]',
      ].join('\n'),
    );
    expect(wrong?.decoded).toMatchObject({
      reason: 'unknown-category',
      message: expect.stringContaining('(file, line 1)'),
      record: { dynamodb: { Keys: { account_id: { S: 'a-1' } } } },
    });
    expect(isRejection(right?.decoded as TimedChange)).toBe(false);
    expect(noJson?.decoded).toMatchObject({
      reason: 'malformed-record',
      message: 'Expected {"Item": …}, a line of a full export. (file, line 3)',
    });
    expect(ion?.decoded).toMatchObject({ message: expect.stringMatching(/^Amazon Ion is not read/) });
    expect(noItem?.decoded).toMatchObject({ reason: 'malformed-record' });
  });

  it('without its key attribute is rejected', async () => {
    const [statement] = await statementsOf('full', itemLine({ logins: { N: '1' } }));
    expect(statement?.decoded).toMatchObject({ reason: 'key-schema' });
  });

  it('is the same, byte for byte, each time it is read', async () => {
    const text = Array.from({ length: 50 }, (_, index) =>
      itemLine(accountItem({ account_id: { S: `a-${index}` } })),
    ).join('\n');
    expect(await statementsOf('full', gzipSync(text))).toEqual(await statementsOf('full', text));
  });
});

describe('an incremental export', () => {
  const line = (it: object) => JSON.stringify({ Metadata: { WriteTimestampMicros: { N: '1695097218123456' } }, ...it });
  const Keys = { account_id: { S: 'a-1' } };
  const labeled = accountItem({ churned: { N: '1' } });

  it('states items, and those that are gone, and labels that came within the window', async () => {
    const lines = [
      line({ Keys, NewImage: labeled }),
      line({ Keys, NewImage: labeled, OldImage: accountItem() }),
      line({ Keys, NewImage: labeled, OldImage: labeled }),
      line({ Keys, OldImage: labeled }),
      line({ Keys, NewImage: null }),
      line({ Keys, Metadata: { WriteTimestampMicros: 1695097218123456 } }),
    ];
    const read = changes(await statementsOf('incremental', lines.join('\n')));
    expect(read.map(({ eventName, newLabel }) => [eventName, newLabel])).toEqual([
      ...[
        ['SNAPSHOT', '1'],
        ['SNAPSHOT', '1'],
        ['SNAPSHOT', undefined],
      ],
      ...[
        ['REMOVE', undefined],
        ['REMOVE', undefined],
        ['REMOVE', undefined],
      ],
    ]);
    expect(new Set(read.map(({ eventTimeMs }) => eventTimeMs))).toEqual(new Set([EVENT_TIME]));
  });

  it('rejects a line without keys', async () => {
    const [statement] = await statementsOf('incremental', '{"NewImage":{}}');
    expect(statement?.decoded).toMatchObject({
      reason: 'malformed-record',
      message: expect.stringContaining('"Keys"'),
    });
  });
});

describe('an export of AWS Data Pipeline', () => {
  const item = {
    account_id: { s: 'a-1' },
    logins: { n: '3' },
    balance: { n: '12.50' },
    plan: { s: 'team' },
    active: { bOOL: true },
    note: { l: [{ s: 'x' }, { m: { y: { nULLValue: true } } }, { nS: ['2', '1'] }] },
  };
  const older = Object.entries(item)
    .map(([name, value]) => `${name}\u0003${JSON.stringify(value)}`)
    .join('\u0002');

  it('is read in its newer and its older form alike', async () => {
    const [newer, old] = changes(await statementsOf('data-pipeline', `${JSON.stringify(item)}\n${older}\n`));
    expect(textsOf(newer)).toEqual(['3', '12.50', 'team', '1', '["x",{"y":null},[1,2]]', undefined, undefined]);
    expect(textsOf(old)).toEqual(textsOf(newer));
  });

  it.each(['{"account_id":{"S":"a-1"}}', '{"account_id":"a-1"}', 'account_id', '{"a":{"l":[{"x":"y"}]}}', '[]'])(
    'rejects %s',
    async (line) => {
      const [statement] = await statementsOf('data-pipeline', line);
      expect(statement?.decoded).toMatchObject({
        reason: 'malformed-record',
        message: expect.stringContaining('AWS Data Pipeline'),
      });
    },
  );
});

describe('a CSV file', () => {
  it('has a column for each attribute, in any order, of either separator; an empty cell is an absent attribute', async () => {
    const text =
      'balance,account_id,logins,plan,active,churned,other\n12.50,"a,1",3,team,yes,,x\n1,a-2,4,free,0,true,\n';
    const read = changes(await statementsOf('csv', `\ufeff${text}`));
    expect(read.map(textsOf)).toEqual([
      ['3', '12.50', 'team', '1', undefined, undefined, undefined],
      ['4', '1', 'free', '0', undefined, undefined, '1'],
    ]);
    expect(read[0]).toMatchObject({ recordIdentifier: 'a,1', sequenceNumber: '1007000012000000002' });
    const [semicolons] = changes(
      await statementsOf('csv', 'account_id;logins;balance;plan;active\r\na-1;3;12.5;team;true\r\n'),
    );
    expect(textsOf(semicolons)?.slice(0, 2)).toEqual(['3', '12.5']);
  });

  it('has rejections with file and line', async () => {
    const read = await statementsOf(
      'csv',
      'account_id,logins,balance,plan,active\na-1,x,1,team,1\na-2,1\na-3,1,1,team,perhaps\n',
    );
    expect(read.map(({ decoded }) => [(decoded as Rejection).reason, (decoded as Rejection).message])).toEqual([
      ['wrong-type', expect.stringContaining('(file, line 2)')],
      ['malformed-record', 'Expected 5 cells, as in the header, found 2. (file, line 3)'],
      ['wrong-type', expect.stringContaining('(file, line 4)')],
    ]);
  });

  it.each([
    [
      'account_id,logins\n',
      'file has no column balance, plan, active: its header must name the attributes of the items.',
    ],
    ['', 'file is empty: expected a header that names attributes, and rows.'],
    ['account_id,logins,balance,plan,active,plan\n', 'file has two columns plan.'],
    [
      'account_id,logins,balance,plan,active\n"a',
      'file line 2: a quote is not closed or not doubled (CSV_QUOTE_NOT_CLOSED).',
    ],
  ])('that is wrong as a whole is refused: %j', async (text, message) => {
    await expect(statementsOf('csv', text)).rejects.toThrow(message);
  });
});

describe('a file that is damaged', () => {
  const text = itemLine(accountItem());

  it('is refused by its checksum before it is read', async () => {
    const root = await mkdtemp(join(tmpdir(), 'export-'));
    const [file] = (await readExport(folderPlace(root), await writeExport(root, { files: [[text, text]] }))).files;
    const history: HistoryFile = {
      name: 'data',
      form: 'full',
      exportNumber: 0,
      fileNumber: 0,
      eventTimeMs: 0,
      key: '',
      ...file,
    };
    await verifyFile(history, folderPlace(root));
    await truncate(join(root, history.key), 40);
    await expect(verifyFile(history, folderPlace(root))).rejects.toThrow('data is not what its manifest says (MD5)');
    await expect(verifyFile({ ...history, key: 'gone' }, folderPlace(root))).rejects.toThrow('data is not there.');
  });

  it('is refused when its gzip is cut short or broken, or it has other items than its manifest says', async () => {
    const bytes = gzipSync(Array.from({ length: 99 }, () => text).join('\n'));
    await expect(statementsOf('full', bytes.subarray(0, bytes.length - 9))).rejects.toThrow(
      'file cannot be read: its gzip is cut short.',
    );
    const broken = Buffer.from(bytes).fill(0xff, 40, 60);
    await expect(statementsOf('full', broken)).rejects.toThrow(/file cannot be read: its gzip is damaged \(.+\)\./);
    await expect(statementsOf('full', bytes, { items: 98 })).rejects.toThrow(
      'file holds 99 items; its manifest says 98.',
    );
    expect(gunzipSync(bytes)).toHaveLength(99 * (text.length + 1) - 1);
  });

  it('is complete when it is the empty gzip of an empty partition', async () => {
    expect(await statementsOf('full', gzipSync(''), { items: 0 })).toEqual([]);
  });

  it('that would need a greater sequence number than there is is refused', async () => {
    await expect(statementsOf('full', text, { exportNumber: 1_000 })).rejects.toThrow(/there are numbers for/);
  });
});
