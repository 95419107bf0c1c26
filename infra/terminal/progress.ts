import type { WriteStream } from 'node:tty';

/** Least milliseconds between two lines where lines cannot be rewritten (a file, a CI log). */
const LINE_INTERVAL_MS = 5_000;

/** Tells how far the work is, on stderr, so that stdout holds the result alone. */
export interface Progress {
  /** Begins a step: a line of its own, with what there is to do. */
  step(title: string): void;
  /** Says how far the step is; replaces what was said before on a terminal. */
  at(detail: string): void;
  /** Ends the step with what came out of it. */
  done(detail: string): void;
}

type Output = Pick<WriteStream, 'isTTY' | 'columns' | 'write'>;

/** Progress written to `output`: one updating line a step on a terminal; else a line per step and a few in between. */
export function progressTo(output: Output, now: () => number = Date.now): Progress {
  let title = '';
  let saidAt = 0;
  const say = (detail: string, end: boolean) => {
    const line = detail ? `${title}: ${detail}` : title;
    if (output.isTTY) output.write(`\r\u001b[2K${line.slice(0, (output.columns ?? 80) - 1)}${end ? '\n' : ''}`);
    else if (end || now() - saidAt >= LINE_INTERVAL_MS) {
      output.write(`${line}\n`);
      saidAt = now();
    }
  };
  return {
    step(next) {
      title = next;
      saidAt = now();
      if (output.isTTY) say('', false);
    },
    at: (detail) => say(detail, false),
    done: (detail) => say(detail, true),
  };
}
