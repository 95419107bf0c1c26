import { describe, expect, test } from 'vitest';
import {
  type Field,
  fieldValue,
  formatRow,
  readRows,
  rowParser,
} from '../../../infra/local/athena/lazy-simple-serde.ts';

const changeLog = { fieldDelimiter: ',', escapeCharacter: '\\', nullText: '\\N' };

async function rowsOf(text: string, bytesPerChunk = 1_000): Promise<Field[][]> {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += bytesPerChunk) yield bytes.subarray(at, at + bytesPerChunk);
  }
  const rows: Field[][] = [];
  for await (const batch of readRows(chunks(), changeLog)) rows.push(...batch);
  return rows;
}

describe('rows', () => {
  test('end at LF, CRLF or CR, and the last needs no end', async () => {
    expect(await rowsOf('a,1\nb,2\r\nc,3\rd,4')).toEqual([
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
      ['d', '4'],
    ]);
    expect(await rowsOf('a\n')).toEqual([['a']]);
    expect(await rowsOf('a\r')).toEqual([['a']]);
    expect(await rowsOf('')).toEqual([]);
  });

  test('are the same wherever the bytes are cut', async () => {
    const text = 'ü\\,ö,\u{1f600}\r\n\\\\,\\N\n\r\nx';
    const whole = await rowsOf(text);
    expect(whole).toEqual([['ü,ö', '\u{1f600}'], ['\\', null], [''], ['x']]);
    for (const bytes of [1, 2, 3, 5]) expect(await rowsOf(text, bytes)).toEqual(whole);
  });

  test('begin after a byte order mark', async () => {
    expect(await rowsOf('\ufeffa,b')).toEqual([['a', 'b']]);
  });

  test('end at a line break even when it is escaped', async () => {
    expect(await rowsOf('a\\\nb')).toEqual([['a\\'], ['b']]);
  });
});

describe('fields', () => {
  const parse = rowParser(changeLog);

  test('are split at commas that are not escaped', () => {
    expect(parse('a\\,b,c\\\\,d')).toEqual(['a,b', 'c\\', 'd']);
    expect(parse(',')).toEqual(['', '']);
  });

  test('are null when they are exactly \\N, before escapes are taken out', () => {
    expect(parse('\\N,\\\\N,N,\\Nx')).toEqual([null, '\\N', 'N', 'Nx']);
  });

  test('keep quotes, which mean nothing, and a lone escape at the end', () => {
    expect(parse('"a,b"')).toEqual(['"a', 'b"']);
    expect(parse('a\\')).toEqual(['a\\']);
  });

  test.each([
    [',', '\\', '\\N', '', ' ', '"', '\\\\', ',,', 'a,b\\', '\\,', '\u0001', '\u{1f600}', 'N', '\\n'],
    [null, '', null],
    ['\t;|'],
  ])('come back as they were written: %j', (...fields) => {
    expect(parse(formatRow(fields, changeLog))).toEqual(fields);
  });

  test('are written as they are without an escape character', () => {
    expect(formatRow(['a,b', null, '\\'], { fieldDelimiter: ',', nullText: '\\N' })).toBe('a,b,\\N,\\');
  });
});

describe('values', () => {
  test('of bigint are exact within 64 bits, and null beyond', () => {
    expect(fieldValue('9223372036854775807', 'bigint')).toBe(9223372036854775807n);
    expect(fieldValue('-9223372036854775808', 'bigint')).toBe(-9223372036854775808n);
    expect(fieldValue('9223372036854775808', 'bigint')).toBeNull();
    expect(fieldValue('+007', 'bigint')).toBe(7n);
  });

  test('of integral types lose decimals, as Hive has it, and are null when they are no numbers', () => {
    expect(fieldValue('12.9', 'int')).toBe(12);
    expect(fieldValue('-12.9', 'int')).toBe(-12);
    for (const text of ['', '-', '1e3', '12.x', ' 5', '0x1', 'abc']) expect(fieldValue(text, 'int')).toBeNull();
  });

  test('of tinyint are null outside -128 to 127', () => {
    expect(fieldValue('-128', 'tinyint')).toBe(-128);
    expect(fieldValue('128', 'tinyint')).toBeNull();
  });

  test('of double are read as Java reads them', () => {
    expect(['1.5', '-1e3', '.5', '5.', '1d', ' 2 ', '-Infinity'].map((it) => fieldValue(it, 'double'))).toEqual([
      1.5,
      -1000,
      0.5,
      5,
      1,
      2,
      -Infinity,
    ]);
    expect(fieldValue('NaN', 'double')).toBeNaN();
    for (const text of ['', 'nan', '1,5', '0x10', '1e']) expect(fieldValue(text, 'double')).toBeNull();
  });

  test('of boolean are true and false in any case, and otherwise null', () => {
    expect(['true', 'FALSE', '1', ''].map((it) => fieldValue(it, 'boolean'))).toEqual([true, false, null, null]);
  });

  test('of string are the text; a field that is not there is null', () => {
    expect(fieldValue('', 'string')).toBe('');
    expect(fieldValue(undefined, 'string')).toBeNull();
  });
});
