import { Writable } from 'node:stream';
import { WriteStream } from 'node:tty';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { PLAIN, styleOf } from '../../../infra/terminal/style.ts';
import { labeled, wrapped } from '../../../infra/terminal/text.ts';

const GREEN = '\u001b[32mok\u001b[39m';

const pipe = () => new Writable();
const terminal = (columns?: number) =>
  Object.assign(pipe(), {
    isTTY: true,
    ...(columns && { columns }),
    getColorDepth: WriteStream.prototype.getColorDepth,
  });

beforeEach(() => {
  for (const name of ['NO_COLOR', 'FORCE_COLOR', 'NODE_DISABLE_COLORS']) vi.stubEnv(name, undefined);
  vi.stubEnv('TERM', 'xterm-256color');
});
afterEach(() => vi.unstubAllEnvs());

describe('text has its color', () => {
  test('on a terminal, and not in a pipe', () => {
    expect(styleOf(terminal()).paint('good', 'ok')).toBe(GREEN);
    expect(styleOf(pipe()).paint('good', 'ok')).toBe('ok');
  });

  test('nowhere when NO_COLOR is set', () => {
    vi.stubEnv('NO_COLOR', '1');
    expect(styleOf(terminal()).paint('good', 'ok')).toBe('ok');
  });

  test('in a pipe too when FORCE_COLOR is set', () => {
    vi.stubEnv('FORCE_COLOR', '1');
    expect(styleOf(pipe()).paint('good', 'ok')).toBe(GREEN);
  });
});

test('lines are as long as a terminal is wide, and without end elsewhere', () => {
  expect(styleOf(terminal(120)).columns).toBe(120);
  expect(styleOf(terminal()).columns).toBe(80);
  expect(styleOf(pipe()).columns).toBe(Number.POSITIVE_INFINITY);
});

describe('text beside a label', () => {
  test('goes on below itself on a narrow terminal, broken between words', () => {
    expect(labeled('Next', 'wait: epoch 2 has no labels yet', 10, { ...PLAIN, columns: 30 })).toBe(
      ['Next      wait: epoch 2 has no', '          labels yet'].join('\n'),
    );
  });

  test('is one line in a file, however long', () => {
    expect(labeled('Next', 'word '.repeat(100).trim(), 10, PLAIN).split('\n')).toHaveLength(1);
  });

  test('keeps a word whole that is longer than the line', () => {
    expect(wrapped('see tributary-bank-marketing-dev-e1-a1-t0 there', 20)).toEqual([
      'see',
      'tributary-bank-marketing-dev-e1-a1-t0',
      'there',
    ]);
  });
});
