import { Command, CommanderError, type CommandUnknownOpts, Help, type Option } from '@commander-js/extra-typings';
import { nearMatch } from '../../shared/definition/near-match.ts';
import { styleOf } from './style.ts';

/**
 * A command that has a name, `--help` and `--verbose`, and reads its options strictly. It is built here and parsed by
 * {@link runCommand} alone, so that a test can read its options, defaults and descriptions.
 *
 * @param run how a person starts it; `npm run <name> --` unless given.
 */
export function newCommand(name: string, description: string, run = `npm run ${name} --`) {
  return new Command(name)
    .description(description)
    .configureHelp({
      commandUsage: (command) => usageOf(command, run),
      visibleOptions: (command) => ownFirst(new Help().visibleOptions(command)),
    })
    .configureOutput({ outputError: () => undefined })
    .exitOverride()
    .option('--verbose', 'show stack traces, and logs where there are any');
}

/** An action whose answer is the exit code of the process. */
export function exiting<A extends unknown[]>(main: (...args: A) => Promise<number>): (...args: A) => Promise<void> {
  return async (...args) => {
    process.exitCode = await main(...args);
  };
}

/**
 * Runs a command: an error is one sentence on stderr and exit code 1, with its stack trace under --verbose only.
 *
 * @param argv as the process has it: the program's arguments are from the third on.
 */
export async function runCommand(command: CommandUnknownOpts, argv: readonly string[] = process.argv): Promise<void> {
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', unlessClosed);
  try {
    await command.parseAsync(argv);
  } catch (error) {
    // commander throws when it has shown the help, too.
    if (error instanceof CommanderError && error.exitCode === 0) return;
    process.exitCode = 1;
    const { paint } = styleOf(process.stderr);
    console.error(`${paint('bad', 'Error:')} ${sentenceOf(error, command, argv.slice(2))}`);
    if (argv.includes('--verbose') && !(error instanceof CommanderError)) console.error(error);
  }
}

/** A reader that has seen enough, as `head` has, stops the output and not the work. */
function unlessClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** Every argument and option in one line: the required ones first, the others in brackets. */
function usageOf(command: CommandUnknownOpts, run: string): string {
  const words = [
    ...command.registeredArguments.map((it) => ({
      word: `${it.name()}${it.variadic ? '...' : ''}`,
      required: it.required,
    })),
    ...ownFirst(command.options).map((it) => ({ word: plain(it.flags), required: it.mandatory })),
  ];
  const required = words.filter((it) => it.required).map(({ word }) => word);
  return [run, ...required, ...words.filter((it) => !it.required).map(({ word }) => `[${word}]`)].join(' ');
}

/** A command's own options before the one that every command has. */
const ownFirst = (options: readonly Option[]): Option[] => options.toSorted((a, b) => isCommon(a) - isCommon(b));
const isCommon = ({ long }: Option): number => (long === '--verbose' ? 1 : 0);

/** `--rows <N>` as a person types it: `--rows N`. */
const plain = (flags: string): string => flags.replaceAll(/[<>]/g, '');

/** An error as one sentence; of a command line that is wrong, with the usage. */
function sentenceOf(error: unknown, command: CommandUnknownOpts, args: readonly string[]): string {
  if (!(error instanceof CommanderError)) return error instanceof Error ? error.message : String(error);
  const usage = command.createHelp().commandUsage(command);
  const unknown = unknownOption(error, command, args);
  if (unknown === undefined) return `${problemOf(error)}; usage: ${usage}`;
  const near = nearMatch(
    unknown,
    command.options.flatMap(({ long }) => long ?? []),
  );
  return near === undefined
    ? `Unknown option '${unknown}'; usage: ${usage}`
    : `Unknown option '${unknown}'; did you mean ${near}? Usage: ${usage}`;
}

/** The option that is not known. commander misses a required option first, which may be the one that is misspelt. */
function unknownOption({ code }: CommanderError, command: CommandUnknownOpts, args: readonly string[]) {
  if (code !== 'commander.unknownOption' && code !== 'commander.missingMandatoryOptionValue') return undefined;
  const [first] = command.parseOptions([...args]).unknown;
  return first?.startsWith('-') ? first.replace(/=.*$/, '') : undefined;
}

/** What commander found, in the words of this project where commander's are hard to read. */
function problemOf({ code, message }: CommanderError): string {
  const [, named = ''] = /'(.+)'/.exec(message) ?? [];
  switch (code) {
    case 'commander.missingMandatoryOptionValue':
    case 'commander.missingArgument':
      return `${plain(named)} is missing`;
    case 'commander.optionMissingArgument':
      return `${plain(named)} lacks its value`;
    default:
      return plain(message.replace(/^error: (.)/, (_, first: string) => first.toUpperCase()).replace(/\.$/, ''));
  }
}
