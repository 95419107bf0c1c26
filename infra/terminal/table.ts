import type { Style } from './style.ts';

/** How NULL looks, which is not how a text looks. */
const NULL_TEXT = 'NULL';

/** A text that can be read as a number is set to the right. */
const NUMBER = /^-?[\d.]+(?:e[+-]?\d+)?$/i;

/** Rows below their names, in columns as wide as what they hold. Control characters are shown as spaces. */
export function tableOf(names: readonly string[], rows: readonly (readonly (string | null)[])[], style: Style): string {
  const texts = rows.map((row) => names.map((_, index) => (row[index] ?? NULL_TEXT).replaceAll(/\p{Cc}/gu, ' ')));
  const widths = names.map((name, index) =>
    texts.reduce((max, row) => Math.max(max, row[index]?.length ?? 0), name.length),
  );
  const right = names.map((_, index) => texts.length > 0 && texts.every((row) => isNumberOrNull(row[index] ?? '')));
  const line = (row: readonly string[], paint: (text: string, index: number) => string) =>
    row
      .map((text, index) => {
        const space = ' '.repeat((widths[index] ?? 0) - text.length);
        return right[index] ? space + paint(text, index) : paint(text, index) + space;
      })
      .join('  ')
      .trimEnd();
  return [
    line(names, (text) => style.paint('strong', text)),
    ...texts.map((row, at) =>
      line(row, (text, index) => (rows[at]?.[index] === null ? style.paint('faint', text) : text)),
    ),
  ].join('\n');
}

const isNumberOrNull = (text: string): boolean => text === NULL_TEXT || NUMBER.test(text);
