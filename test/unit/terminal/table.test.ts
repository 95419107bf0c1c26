import { expect, test } from 'vitest';
import { PLAIN } from '../../../infra/terminal/style.ts';
import { tableOf } from '../../../infra/terminal/table.ts';

test('columns are as wide as what they hold, numbers stand to the right, and NULL says its name', () => {
  const rows = [
    ['a', '1'],
    ['longer', '-20.5'],
    [null, null],
  ];
  expect(tableOf(['name', 'n'], rows, PLAIN).split('\n')).toEqual([
    'name        n',
    'a           1',
    'longer  -20.5',
    'NULL     NULL',
  ]);
});

test('a control character cannot move the cursor', () => {
  expect(tableOf(['t'], [['a\u001b[2Jb\nc']], PLAIN)).toBe('t\na [2Jb c');
});

test('without rows there are the names', () => {
  expect(tableOf(['a', 'b'], [], PLAIN)).toBe('a  b');
});
