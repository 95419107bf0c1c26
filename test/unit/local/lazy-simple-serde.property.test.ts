import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Field,
  fieldValue,
  formatRow,
  readRows,
  rowParser,
} from '../../../infra/local/athena/lazy-simple-serde.ts';

const format = { fieldDelimiter: ',', escapeCharacter: '\\', nullText: '\\N' };

/** Texts without line breaks, made mostly of the characters that mean something. */
const field = fc.option(
  fc.oneof(
    fc.string({ unit: 'binary' }).map((text) => text.replace(/[\r\n]/g, ' ')),
    fc.string({ unit: fc.constantFrom('\\', ',', 'N', '"', 'a', 'ü', '\u{1f600}') }),
  ),
  { nil: null },
);
const row = fc.array(field, { minLength: 1, maxLength: 6 });

test('every row without line breaks comes back as it was written', () => {
  fc.assert(
    fc.property(row, (fields) => {
      expect(rowParser(format)(formatRow(fields, format))).toEqual(fields);
    }),
  );
});

test('rows are the same however the bytes are cut into chunks', async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
  const end = fc.constantFrom('\n', '\r\n', '\r');
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1 }), end, cuts, async (rows, lineEnd, sizes) => {
      // The first row keeps a byte order mark of a generated field from the beginning, where it is no text.
      const bytes = Buffer.from(`x${lineEnd}${rows.map((it) => formatRow(it, format) + lineEnd).join('')}`);
      async function* chunks() {
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          yield bytes.subarray(at, at + size);
          at += size;
        }
      }
      const read: Field[][] = [];
      for await (const batch of readRows(chunks(), format)) read.push(...batch);
      expect(read).toEqual([['x'], ...rows]);
    }),
  );
});

test('every bigint is read exactly', () => {
  const bigint = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(bigint, (value) => {
      expect(fieldValue(String(value), 'bigint')).toBe(value);
    }),
  );
});

test('every double is read as it was written', () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      expect(fieldValue(String(value), 'double')).toBe(value === 0 ? 0 : value);
    }),
  );
});
