import { styleOf } from './style.ts';

/** Says on stderr what a command acts on, so that stdout holds its result alone. */
export function note(text: string): void {
  console.error(styleOf(process.stderr).paint('faint', text));
}
