/**
 * Text as Hive's LazySimpleSerDe has it, by the rules of Trino's reader, which Athena runs (SimpleDeserializer,
 * TextLineReader and the text encodings of trino-hive-formats): a row ends at LF, CR or CRLF, escaped or not; fields are
 * split at unescaped delimiters; a field that is exactly the null text is null; an escape makes the next character
 * itself; fields a row lacks are null and fields too many are ignored; a number that cannot be read is null.
 */
export interface TextFormat {
  /** One character. */
  readonly fieldDelimiter: string;
  /** One character. Absent: nothing is escaped. */
  readonly escapeCharacter?: string;
  readonly nullText: string;
}

/** Text of one field, null or not. */
export type Field = string | null;

/** Hive types of columns. */
export const COLUMN_TYPES = ['string', 'bigint', 'int', 'smallint', 'tinyint', 'double', 'boolean'] as const;
export type ColumnType = (typeof COLUMN_TYPES)[number];

const LINE_END = /\r\n|\r|\n/;

/** Ranges of the integral types, in bits. */
const BITS = { bigint: 64, int: 32, smallint: 16, tinyint: 8 };

/** Reads UTF-8 chunks, cut anywhere, and yields the rows that each of them completes. */
export async function* readRows(chunks: AsyncIterable<Uint8Array>, format: TextFormat): AsyncGenerator<Field[][]> {
  const decoder = new TextDecoder();
  const parse = rowParser(format);
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    // A CR at the end may be the first half of a CRLF.
    const isCut = rest.endsWith('\r');
    const lines = (isCut ? rest.slice(0, -1) : rest).split(LINE_END);
    rest = (lines.pop() ?? '') + (isCut ? '\r' : '');
    if (lines.length > 0) yield lines.map(parse);
  }
  rest += decoder.decode();
  if (rest !== '') yield [parse(rest.replace(/\r$/, ''))];
}

/** Splits rows of a format into fields. */
export function rowParser({ fieldDelimiter, escapeCharacter, nullText }: TextFormat): (line: string) => Field[] {
  const isNull = (text: string) => text === nullText;
  if (escapeCharacter === undefined)
    return (line) => line.split(fieldDelimiter).map((text) => (isNull(text) ? null : text));
  const escaped = new RegExp(`${escapeRegExp(escapeCharacter)}([\\s\\S])`, 'g');
  const field = (raw: string): Field => {
    if (isNull(raw)) return null;
    return raw.includes(escapeCharacter) ? raw.replace(escaped, '$1') : raw;
  };
  return (line) => {
    if (!line.includes(escapeCharacter)) return line.split(fieldDelimiter).map((text) => (isNull(text) ? null : text));
    const fields: Field[] = [];
    let start = 0;
    for (let index = 0; index < line.length; index++) {
      if (line[index] === escapeCharacter) index++;
      else if (line[index] === fieldDelimiter) {
        fields.push(field(line.slice(start, index)));
        start = index + 1;
      }
    }
    fields.push(field(line.slice(start)));
    return fields;
  };
}

/**
 * One row of text, without its line end. Without an escape character values are written as they are: the reader cannot
 * tell a delimiter inside one, just as with the text that UNLOAD writes.
 */
export function formatRow(fields: readonly Field[], { fieldDelimiter, escapeCharacter, nullText }: TextFormat): string {
  const special =
    escapeCharacter && new RegExp(`[${escapeRegExp(escapeCharacter)}${escapeRegExp(fieldDelimiter)}]`, 'g');
  return fields
    .map((field) => {
      if (field === null) return nullText;
      return special ? field.replace(special, (character) => escapeCharacter + character) : field;
    })
    .join(fieldDelimiter);
}

/** A field as a value of its column's type; null when it cannot be read as one. */
export function fieldValue(field: Field | undefined, type: ColumnType): string | bigint | number | boolean | null {
  if (field === null || field === undefined) return null;
  switch (type) {
    case 'string':
      return field;
    case 'boolean':
      if (/^true$/i.test(field)) return true;
      return /^false$/i.test(field) ? false : null;
    case 'double':
      return doubleOf(field);
    case 'bigint':
      return integerOf(field, BITS.bigint);
    case 'int':
    case 'smallint':
    case 'tinyint': {
      const value = integerOf(field, BITS[type]);
      return value === null ? null : Number(value);
    }
  }
}

/** What follows a decimal point must be digits, and is cut off. */
function integerOf(text: string, bits: number): bigint | null {
  const match = /^([+-]?)(?=[\d.])(\d*)(?:\.\d*)?$/.exec(text);
  if (!match) return null;
  const value = BigInt(match[2] || 0) * (match[1] === '-' ? -1n : 1n);
  return BigInt.asIntN(bits, value) === value ? value : null;
}

/** Java's Double.parseDouble, but for hexadecimal. */
function doubleOf(text: string): number | null {
  const match = /^([+-]?)(?:(NaN|Infinity)|((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?)$/.exec(text.trim());
  if (!match) return null;
  const value = match[2] ? Number(match[2]) : Number(match[3]);
  return match[1] === '-' ? -value : value;
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
