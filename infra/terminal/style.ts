import { styleText } from 'node:util';

/** Styles by what they say. */
const FORMATS = { good: 'green', bad: 'red', strong: 'bold', faint: 'dim' } as const;

/** Columns of a terminal that does not know its width. */
const COLUMNS_DEFAULT = 80;

/** How text can look on a stream. */
export interface Style {
  /** Columns of the terminal; infinite where there is none, as a file or a pipe takes lines of any length. */
  readonly columns: number;
  /** Text in a style. It stays plain where the stream is no terminal, unless NO_COLOR or FORCE_COLOR decides. */
  paint(style: keyof typeof FORMATS, text: string): string;
}

/** Text that stays as it is. */
export const PLAIN: Style = { columns: Number.POSITIVE_INFINITY, paint: (_, text) => text };

type Stream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** The style of a stream: of a terminal, or of whatever else takes the output. */
export function styleOf(stream: Stream): Style {
  return {
    columns: stream.isTTY ? stream.columns || COLUMNS_DEFAULT : PLAIN.columns,
    paint: (style, text) => (text === '' ? '' : styleText(FORMATS[style], text, { stream })),
  };
}
