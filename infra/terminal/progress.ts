import { styleOf } from './style.ts';

/** Least milliseconds before a line is written again on a terminal. */
const REWRITE_INTERVAL_MS = 100;

/** Least milliseconds between two lines where lines cannot be rewritten (a file, a CI log). */
const LINE_INTERVAL_MS = 5_000;

/** Milliseconds after which such a place hears that the work goes on, although there is no news. */
const SILENCE_MS_MAX = 30_000;

/** Milliseconds between two looks at the clock. */
const TICK_MS = 1_000;

/** Tells how far the work is, on stderr, so that stdout holds the result alone. */
export interface Progress {
  /** Begins a step: a line of its own, with what there is to do. */
  step(title: string): void;
  /**
   * Says how far the step is; replaces what was said before on a terminal.
   *
   * @param share of the work that is done, from 0 to 1: the time left is reckoned from it.
   */
  at(detail: string, share?: number): void;
  /** Ends the step with its outcome. */
  done(outcome: string): void;
  /** Ends a line that a failed step has left open. */
  close(): void;
}

/** Where progress is written. */
type Output = Parameters<typeof styleOf>[0];

/**
 * Progress written to `output`: one updating line a step on a terminal, else a line per step and a few in between. An
 * updating line always fits the terminal; the line of an outcome is never cut.
 */
export function progressTo(output: Output): Progress {
  const { paint } = styleOf(output);
  let title = '';
  let detail = '';
  let share: number | undefined;
  let startedAt = 0;
  let saidAt = 0;
  let clock: NodeJS.Timeout | undefined;

  const say = () => {
    saidAt = Date.now();
    const elapsedMs = saidAt - startedAt;
    const [text, time] = [detail ? `${title}: ${detail}` : title, timeText(elapsedMs, share)];
    if (output.isTTY) output.write(`\r\u001b[2K${fitted(text, time, styleOf(output).columns - 1)}`);
    else output.write(`${text}${time}\n`);
  };
  const stop = () => {
    clearInterval(clock);
    clock = undefined;
  };
  return {
    step(next) {
      stop();
      [title, detail, share] = [next, '', undefined];
      startedAt = Date.now();
      saidAt = startedAt;
      clock = setInterval(() => (output.isTTY || Date.now() - saidAt >= SILENCE_MS_MAX) && say(), TICK_MS).unref();
      if (output.isTTY) say();
    },
    at(next, nextShare) {
      [detail, share] = [next, nextShare];
      if (Date.now() - saidAt >= (output.isTTY ? REWRITE_INTERVAL_MS : LINE_INTERVAL_MS)) say();
    },
    done(outcome) {
      stop();
      const time = paint('faint', timeText(Date.now() - startedAt));
      output.write(`${output.isTTY ? '\r\u001b[2K' : ''}${title}: ${outcome}${time}\n`);
    },
    close() {
      if (clock && output.isTTY) output.write('\n');
      stop();
    },
  };
}

/** Time since the step began, and the time left when the share of the work is known. Nothing within the first second. */
function timeText(elapsedMs: number, share?: number): string {
  if (elapsedMs < 1_000) return '';
  const left = share ? (elapsedMs / share) * (1 - share) : 0;
  return ` (${duration(elapsedMs)}${left >= 1_000 ? `, about ${duration(left)} left` : ''})`;
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Text and time in at most `width` characters: the text is cut first. */
function fitted(text: string, time: string, width: number): string {
  const room = width - time.length;
  if (text.length <= room) return text + time;
  return room > 1 ? `${text.slice(0, room - 1)}…${time}` : text.slice(0, width);
}
