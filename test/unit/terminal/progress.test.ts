import { expect, test } from 'vitest';
import { progressTo } from '../../../infra/terminal/progress.ts';

function output(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, columns: 20, written, write: (text: string) => written.push(text) > 0 };
}

test('on a terminal a step is one line that is written again, cut to its width, and ended once', () => {
  const terminal = output(true);
  const progress = progressTo(terminal);
  progress.step('Writing');
  progress.at('1 of 2 customers are written');
  progress.done('2');
  expect(terminal.written).toEqual(['\r\u001b[2KWriting', '\r\u001b[2KWriting: 1 of 2 cus', '\r\u001b[2KWriting: 2\n']);
});

test('elsewhere a step is its last line, and one every five seconds', () => {
  const file = output(false);
  let now = 0;
  const progress = progressTo(file, () => now);
  progress.step('Writing');
  progress.at('1 of 9');
  now = 5_000;
  progress.at('5 of 9');
  now = 6_000;
  progress.at('6 of 9');
  progress.done('9');
  expect(file.written).toEqual(['Writing: 5 of 9\n', 'Writing: 9\n']);
});
