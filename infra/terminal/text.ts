import type { Style } from './style.ts';

/** Narrowest column of text that is worth wrapping, in characters. */
const WRAP_MIN = 20;

/**
 * A line of a report: a name in a column of its own, and a text beside it, which goes on below itself where the line
 * is longer than the terminal is wide.
 */
export function labeled(label: string, text: string, labelWidth: number, { columns, paint }: Style): string {
  const [first = '', ...more] = wrapped(text, Math.max(WRAP_MIN, columns - labelWidth));
  const margin = ' '.repeat(labelWidth);
  const name = paint('strong', label) + ' '.repeat(Math.max(0, labelWidth - label.length));
  return [`${name}${first}`, ...more.map((line) => `${margin}${line}`)].join('\n');
}

/** Text in lines of at most `width` characters, broken between words. A word that is longer keeps its line. */
export function wrapped(text: string, width: number): string[] {
  if (text.length <= width) return [text];
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
