import { notProven, SqlError } from '../sql/sql-error.ts';
import { is, type Token, unquoted } from '../sql/sql-tokens.ts';

/** How UNLOAD and CREATE TABLE AS write. */
export interface WriteOptions {
  readonly format: 'TEXTFILE' | 'PARQUET';
  readonly fieldDelimiter: string;
  readonly compression: 'GZIP' | 'NONE' | 'SNAPPY' | 'ZSTD';
  /** The query's last columns, whose values name folders and are not in the files. */
  readonly partitionedBy: readonly string[];
}

/** Default field delimiter of text. Source: Athena, UNLOAD and CREATE TABLE AS. */
const TEXT_DELIMITER = '\u0001';

const COMPRESSIONS: Readonly<Record<string, readonly string[]>> = {
  TEXTFILE: ['GZIP', 'NONE'],
  PARQUET: ['GZIP', 'SNAPPY', 'ZSTD', 'NONE'],
};

const KNOWN = [
  'format',
  'field_delimiter',
  'compression',
  'write_compression',
  'partitioned_by',
  'parquet_compression',
];

/** `name = 'text', partitioned_by = ARRAY['text', …], …`; values of arrays are joined by zero bytes. */
export function propertiesOf(tokens: readonly Token[]): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  const wrong = () =>
    new SqlError(
      'SYNTAX_ERROR',
      "the properties must be name = 'text', or partitioned_by = ARRAY['column'], separated by commas",
    );
  for (let index = 0; index < tokens.length; ) {
    const [name, equals, value] = tokens.slice(index, index + 3);
    if (name?.kind !== 'word' || !is(equals, '=') || !value) throw wrong();
    const key = name.text.toLowerCase();
    if (is(value, 'ARRAY') && is(tokens[index + 3], '[')) {
      let end = index + 4;
      while (end < tokens.length && !is(tokens[end], ']')) end += 1;
      const items = tokens.slice(index + 4, end);
      if (
        end === tokens.length ||
        items.length % 2 === 0 ||
        items.some((it, at) => (at % 2 === 0 ? it.kind !== 'text' : !is(it, ',')))
      )
        throw wrong();
      values[key] = items
        .filter((_, at) => at % 2 === 0)
        .map(unquoted)
        .join('\0');
      index = end + 1;
    } else {
      if (key === 'partitioned_by' || (value.kind !== 'text' && value.kind !== 'number')) throw wrong();
      values[key] = value.kind === 'text' ? unquoted(value) : value.text;
      index += 3;
    }
    if (index < tokens.length && !is(tokens[index], ',')) throw wrong();
    index += 1;
  }
  return values;
}

/** @throws SqlError for properties, formats and compressions that are not written here. */
export function writeOptions(properties: Readonly<Record<string, string>>, of: string): WriteOptions {
  const unknown = Object.keys(properties).find((it) => !KNOWN.includes(it));
  if (unknown) throw notProven(`the property ${unknown} of ${of}`, `write only ${KNOWN.slice(0, 5).join(', ')}`);
  const format = (properties.format ?? 'PARQUET').toUpperCase();
  if (format !== 'TEXTFILE' && format !== 'PARQUET')
    throw notProven(`the format ${format} of ${of}`, 'write TEXTFILE or PARQUET');
  const compression = (
    properties.compression ??
    properties.write_compression ??
    properties.parquet_compression ??
    'GZIP'
  ).toUpperCase();
  if (!COMPRESSIONS[format]?.includes(compression)) {
    throw notProven(`the compression ${compression} of ${format}`, `write ${COMPRESSIONS[format]?.join(' or ')}`);
  }
  return {
    format,
    fieldDelimiter: properties.field_delimiter ?? TEXT_DELIMITER,
    compression: compression as WriteOptions['compression'],
    partitionedBy: properties.partitioned_by?.split('\0').map((it) => it.toLowerCase()) ?? [],
  };
}
