import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { exiting, newCommand, runCommand } from '../../../infra/terminal/command.ts';
import { wholeNumber } from '../../../infra/terminal/options.ts';

const USAGE = 'npm run weigh -- FILE... --out DIR [--limit N] [--verbose]';

const weigh = (main: () => Promise<number> = async () => 0) =>
  newCommand('weigh', 'Weighs files.')
    .argument('<FILE...>', 'files to weigh')
    .requiredOption('--out <DIR>', 'folder of the results')
    .option('--limit <N>', 'files at most', wholeNumber('limit', 1, 9), 5)
    .action(exiting(main));

let said: string[];
let printed: string[];

beforeEach(() => {
  said = [];
  printed = [];
  vi.spyOn(console, 'error').mockImplementation((it) => {
    said.push(it instanceof Error ? String(it.stack) : String(it));
  });
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  vi.stubEnv('FORCE_COLOR', undefined);
  vi.stubEnv('NO_COLOR', '1');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = undefined;
});

/** Runs the command, and gives its exit code with what it said on stderr. */
async function run(args: readonly string[], command = weigh()) {
  await runCommand(command, ['node', 'weigh.ts', ...args]);
  return { code: process.exitCode, said };
}

describe('a command', () => {
  test('has the exit code that its action answers', async () => {
    expect(
      await run(
        ['a', '--out', 'x'],
        weigh(async () => 3),
      ),
    ).toEqual({ code: 3, said: [] });
  });

  test('shows its usage, options and defaults with --help, and ends well', async () => {
    expect(await run(['--help'])).toEqual({ code: undefined, said: [] });
    const help = printed.join('');
    expect(help).toContain(`Usage: ${USAGE}\n`);
    for (const part of ['Weighs files.', '--limit <N>', '(default: 5)', '--verbose', '--help']) {
      expect(help).toContain(part);
    }
  });

  test.each([
    [['a', '--uot', 'x'], `Error: Unknown option '--uot'; did you mean --out? Usage: ${USAGE}`],
    [['a', '--uot=x', '--limit', '2'], `Error: Unknown option '--uot'; did you mean --out? Usage: ${USAGE}`],
    [['a', '--out', 'x', '--gibberish'], `Error: Unknown option '--gibberish'; usage: ${USAGE}`],
    [['a'], `Error: --out DIR is missing; usage: ${USAGE}`],
    [['--out', 'x'], `Error: FILE is missing; usage: ${USAGE}`],
    [['a', '--out'], `Error: --out DIR lacks its value; usage: ${USAGE}`],
    [['a', '--out', 'x', '--limit', '10'], 'Error: --limit: found "10", expected a whole number from 1 to 9.'],
    [['a', '--out', 'x', '--limit', '-1'], 'Error: --limit: found "-1", expected a whole number from 1 to 9.'],
  ])('says in one sentence what is wrong with %j, and the way out', async (args, sentence) => {
    expect(await run(args)).toEqual({ code: 1, said: [sentence] });
  });

  test('says what went wrong in one sentence, with the stack trace under --verbose only', async () => {
    const failing = () => weigh(() => Promise.reject(new Error('The scales are broken: buy others.')));
    expect(await run(['a', '--out', 'x'], failing())).toEqual({
      code: 1,
      said: ['Error: The scales are broken: buy others.'],
    });
    said = [];
    await run(['a', '--out', 'x', '--verbose'], failing());
    expect(said).toEqual([
      'Error: The scales are broken: buy others.',
      expect.stringMatching(/^Error: The scales are broken: buy others\.\n +at /),
    ]);
  });
});
