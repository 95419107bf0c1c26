import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { progressTo } from '../../../infra/terminal/progress.ts';

/** A place to write to; with columns, a terminal without colors. */
function output(columns?: number) {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _, done) {
      written.push(String(chunk));
      done();
    },
  });
  return Object.assign(stream, {
    written,
    isTTY: columns !== undefined,
    columns: columns ?? 0,
    getColorDepth: () => 1,
  });
}

/** The lines as they look on a terminal, one for each time that the line is written. */
const lines = (written: readonly string[]) => written.join('').split('\r\u001b[2K').slice(1);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubEnv('FORCE_COLOR', undefined);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

describe('progress on a terminal', () => {
  test('is one line a step that is written again, and ended once by the outcome', () => {
    const terminal = output(60);
    const progress = progressTo(terminal);
    progress.step('Writing');
    vi.advanceTimersByTime(200);
    progress.at('1 of 2 customers');
    progress.done('2 customers');
    expect(lines(terminal.written)).toEqual(['Writing', 'Writing: 1 of 2 customers', 'Writing: 2 customers\n']);
  });

  test('tells the time since the step began, and reckons the time left from the share that is done', () => {
    const terminal = output(80);
    const progress = progressTo(terminal);
    progress.step('Writing');
    vi.advanceTimersByTime(20_100);
    progress.at('1 of 5', 1 / 5);
    progress.done('5');
    expect(lines(terminal.written).slice(-2)).toEqual([
      'Writing: 1 of 5 (20 s, about 1 min 20 s left)',
      'Writing: 5 (20 s)\n',
    ]);
  });

  test('goes on telling the time while nothing else is told', () => {
    const terminal = output(80);
    const progress = progressTo(terminal);
    progress.step('Training');
    vi.advanceTimersByTime(3_000);
    progress.done('done');
    vi.advanceTimersByTime(60_000);
    expect(lines(terminal.written)).toEqual([
      'Training',
      ...[1, 2, 3].map((seconds) => `Training (${seconds} s)`),
      'Training: done (3 s)\n',
    ]);
  });

  test.each([12, 20, 40, 79, 80])('fits %i columns, and only an outcome is longer', (columns) => {
    const terminal = output(columns);
    const progress = progressTo(terminal);
    const outcome = 'four hundred rows, and the model of the first epoch serves now behind its endpoint';
    progress.step('Labels of the first epoch, and the training that they set off');
    vi.advanceTimersByTime(90_000);
    progress.at('1,234 of 56,789 labels are written', 0.02);
    progress.done(outcome);
    const written = lines(terminal.written);
    for (const line of written.slice(0, -1)) expect(line.length).toBeLessThan(columns);
    expect(written.at(-1)).toContain(outcome);
  });

  test('leaves no open line behind when a step fails', () => {
    const terminal = output(80);
    const progress = progressTo(terminal);
    progress.close();
    progress.step('Writing');
    progress.close();
    progress.close();
    expect(terminal.written.join('')).toBe('\r\u001b[2KWriting\n');
  });
});

describe('progress elsewhere', () => {
  test('is a line for each step that is over, and one every five seconds in between', () => {
    const file = output();
    const progress = progressTo(file);
    progress.step('Writing');
    progress.at('1 of 9');
    vi.advanceTimersByTime(5_000);
    progress.at('5 of 9');
    vi.advanceTimersByTime(1_000);
    progress.at('6 of 9');
    progress.done('9');
    expect(file.written).toEqual(['Writing: 5 of 9 (5 s)\n', 'Writing: 9 (6 s)\n']);
  });

  test('breaks a long silence', () => {
    const file = output();
    const progress = progressTo(file);
    progress.step('Training');
    vi.advanceTimersByTime(61_000);
    progress.done('done');
    expect(file.written).toEqual(['Training (30 s)\n', 'Training (1 min 0 s)\n', 'Training: done (1 min 1 s)\n']);
  });
});
