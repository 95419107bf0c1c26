import { expect, test } from 'vitest';
import {
  CALL_BYTES_MAX,
  groupIntoCalls,
  RECORD_DATA_BYTES_MAX,
  rowPacker,
} from '../../../shared/change-log/packing.ts';
import { changeLogColumns, changeLogRow } from '../../../shared/change-log/row.ts';
import { defineFeatureGroup, integral } from '../../../shared/feature-groups/define.ts';
import { accounts, FIRST_SECOND, timedChange } from '../../given/builders.ts';

test('a row has the change, the identifier, the features in order and the label', () => {
  expect(changeLogColumns(accounts).join()).toBe(
    'sequence_number,event_name,event_time,ttl_expired,account_id,logins,balance,plan,active,note,score,churned',
  );
  expect(changeLogRow(accounts, timedChange({ eventTimeMs: FIRST_SECOND * 1_000 + 7 }))).toBe(
    '100000000000000000001,INSERT,2025-10-09T08:53:20.007Z,false,a-1,3,12.50,team,1,\\N,\\N,\\N\n',
  );
});

test('commas and backslashes are escaped, line breaks become a space, and \\N as text is not null', () => {
  const values = ['3', '1', 'team', '1', 'a,b\\c\r\nd\ne', '1', '0'];
  expect(changeLogRow(accounts, timedChange({ values }))).toContain(',a\\,b\\\\c d e,1,0\n');
  expect(changeLogRow(accounts, timedChange({ values: ['3', '1', 'team', '1', '\\N', '1', '0'] }))).toContain(
    ',\\\\N,',
  );
});

test('a removal has nulls for everything but its identifier', () => {
  const row = changeLogRow(accounts, timedChange({ eventName: 'REMOVE', values: undefined, ttlExpired: true }));
  expect(row).toMatch(/,REMOVE,.*,true,a-1(,\\N){7}\n$/);
});

test('a feature that came later stands after the label, so that older rows stay readable', () => {
  const group = defineFeatureGroup({
    name: 'grown',
    recordIdentifier: 'id',
    features: { late: integral({ optional: true, since: 2 }), early: integral() },
    label: { name: 'y' },
  });
  expect(changeLogColumns(group).slice(4).join()).toBe('id,early,y,late');
});

/** Packs numbered rows of so many bytes. */
function packRows(count: number, bytes: number) {
  const pack = rowPacker<number>((index, to) => {
    to.reserve(bytes);
    to.text(`${String(index).padEnd(bytes - 1, 'x')}\n`, {
      plain: new Uint8Array(128).fill(1),
      write: String,
      bytesPerCharacterMax: 1,
    });
  });
  return pack(Array.from({ length: count }, (_, index) => index));
}

test('rows are packed in order into records as full as their limit allows', () => {
  const packed = packRows(10_000, 250);
  expect(packed.flatMap(({ rows }) => rows)).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
  expect(packed.map(({ data }) => data.length)).toEqual([RECORD_DATA_BYTES_MAX, RECORD_DATA_BYTES_MAX, 452_000]);
});

test('records are grouped into calls of at most 4 MiB', () => {
  const calls = groupIntoCalls(packRows(40_000, 250));
  expect(calls.map((call) => call.length)).toEqual([4, 4, 2]);
  for (const call of calls) {
    expect(call.reduce((bytes, { data }) => bytes + data.length, 0)).toBeLessThanOrEqual(CALL_BYTES_MAX);
  }
});
