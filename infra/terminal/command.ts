import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** Options every command has. */
const COMMON = { verbose: { type: 'boolean', default: false } } as const satisfies ParseArgsOptionsConfig;

/**
 * Runs a command: its exit code is the process's, and an error is one sentence on stderr and exit code 1, with the
 * stack trace under --verbose only.
 */
export async function runCommand(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.exitCode = 1;
    const verbose = process.argv.includes('--verbose');
    console.error(verbose ? error : `Error: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * Reads the command line.
 *
 * @throws Error naming the option that is not known or lacks its value, and the usage.
 */
export function readOptions<T extends ParseArgsOptionsConfig>(usage: string, options: T, allowPositionals = false) {
  try {
    return parseArgs({ args: process.argv.slice(2), options: { ...COMMON, ...options }, allowPositionals });
  } catch (cause) {
    const [problem] = (cause as Error).message.split('. ');
    throw new Error(`${problem?.replace(/\.$/, '')}; usage: ${usage}`, { cause });
  }
}

/**
 * Reads a whole number given on the command line.
 *
 * @throws Error naming the option, what was found and the bounds.
 */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < min || number > max) {
    throw new Error(`--${option}: found "${text}", expected a whole number from ${min} to ${max}.`);
  }
  return number;
}
