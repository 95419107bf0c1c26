import { readFile } from 'node:fs/promises';
import { CsvError, type Info, parse } from 'csv-parse/sync';
import { type Feature, type FeatureGroup, labelOf } from '../../../shared/definition/feature-group.ts';
import { type Customer, customerId } from './customers.ts';

const DECIMAL_PATTERN = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const INTEGER_PATTERN = /^[+-]?\d+$/;

/** Significant digits, and largest and smallest magnitude, of DynamoDB's N. Source: DynamoDB's naming rules and data types. */
const NUMBER_DIGITS_MAX = 38;
const MAGNITUDE_MAX = 9.999_999_999_999_999e125;
const MAGNITUDE_MIN = 1e-130;

/** Feature Store's Integral is an int64. */
const INTEGRAL_BITS = 64;

/** What the published files write for a label. */
const LABELS: Readonly<Record<string, '0' | '1'>> = { no: '0', yes: '1', '0': '0', '1': '1' };

/** Most characters of a wrong value that a message repeats. */
const SHOWN_MAX = 40;

interface Line {
  readonly info: Info;
  readonly record: string[];
}

/**
 * Reads a file of customers whose columns are the definition's features and its label, in any order: either UCI's own
 * form (`;`, quoted, dots in names, yes/no) or the comma form (underscores, 0/1). Numbers keep their exact text;
 * customers are numbered in the order of the file.
 *
 * @throws Error with one sentence that names file, line, column, what was found and what is expected. Nothing is
 * returned unless every row is right.
 */
export async function readBankCsv(file: string, group: FeatureGroup): Promise<Customer[]> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'there is no such file' : cause.message;
    throw new Error(`${file} cannot be read: ${why}; give --csv the path of a CSV file.`, { cause });
  });
  return parseBankCsv(file, text, group);
}

/** {@link readBankCsv} on text already read; `file` only names it in messages. */
export function parseBankCsv(file: string, text: string, group: FeatureGroup): Customer[] {
  const [header, ...rows] = split(file, text);
  const columns = header ? columnsOf(file, header, group) : [];
  if (!header || rows.length === 0) {
    throw new Error(
      `${file} line ${header ? header.info.lines + 1 : 1}: found the end of the file, expected ${header ? 'a row' : 'a header line that names the columns'}.`,
    );
  }
  return rows.map((row, index) => customer(file, row, columns, group, customerId(index + 1)));
}

function split(file: string, text: string): Line[] {
  const firstLine = text.slice(0, text.search(/\r?\n|$/));
  const delimiter = firstLine.split(';').length > firstLine.split(',').length ? ';' : ',';
  try {
    return parse(text, {
      delimiter,
      bom: true,
      info: true,
      // Counted here instead, so that the message can name the column that is too many or missing.
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as Line[];
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new Error(
      `${file} line ${cause.lines}: found a quote that is not closed or not doubled, expected CSV (${cause.message}).`,
      { cause },
    );
  }
}

/** Feature of each column of the file. Names differ from the definition's at most by dots for underscores. */
function columnsOf(file: string, header: Line, group: FeatureGroup): (Feature | 'label')[] {
  const names = header.record.map((name) => name.trim().replaceAll('.', '_'));
  const byName = new Map<string, Feature | 'label'>([
    ...group.features.map((feature) => [feature.name, feature] as const),
    [labelOf(group).name, 'label'],
  ]);
  const where = `${file} line ${header.info.lines}`;
  for (const [index, name] of names.entries()) {
    if (!byName.has(name)) {
      throw new Error(
        `${where}, column ${index + 1}: found "${shorten(header.record[index])}", expected one of the columns of ${group.name}: ${[...byName.keys()].join(', ')}.`,
      );
    }
    if (names.indexOf(name) !== index) {
      throw new Error(`${where}, column "${name}": found it twice, expected once.`);
    }
  }
  for (const name of byName.keys()) {
    if (!names.includes(name)) {
      throw new Error(`${where}, column "${name}": found no such column, expected ${[...byName.keys()].join(', ')}.`);
    }
  }
  return names.map((name) => byName.get(name) as Feature | 'label');
}

function customer(
  file: string,
  { info, record }: Line,
  columns: (Feature | 'label')[],
  group: FeatureGroup,
  id: string,
): Customer {
  const where = `${file} line ${info.lines}`;
  if (record.length !== columns.length) {
    const first = columns[record.length];
    const place =
      record.length > columns.length
        ? `column ${columns.length + 1} ("${shorten(record[columns.length])}")`
        : `column "${first === 'label' || !first ? labelOf(group).name : first.name}"`;
    throw new Error(
      `${where}, ${place}: found ${record.length} fields, expected ${columns.length}, as the header has.`,
    );
  }
  const features: Record<string, string> = {};
  let label: '0' | '1' | undefined;
  for (const [index, column] of columns.entries()) {
    const value = (record[index] as string).trim();
    const expected = expectation(column, value);
    if (expected) {
      const name = column === 'label' ? labelOf(group).name : column.name;
      throw new Error(`${where}, column "${name}": found "${shorten(value)}", expected ${expected}.`);
    }
    if (column === 'label') label = LABELS[value];
    else if (value !== '' || column.type === 'string') features[column.name] = value;
  }
  return { id, features, label: label as '0' | '1' };
}

/** What was expected, if the value is not it. */
function expectation(column: Feature | 'label', value: string): string | undefined {
  if (column === 'label') return Object.hasOwn(LABELS, value) ? undefined : 'yes or no, or 1 or 0';
  if (value === '' && column.optional) return undefined;
  switch (column.type) {
    case 'string':
      return undefined;
    case 'categorical':
      return column.categories.includes(value) ? undefined : `one of ${column.categories.join(', ')}`;
    case 'boolean':
      return value === 'true' || value === 'false' ? undefined : 'true or false';
    case 'integral':
      return isIntegral(value) && within(column, BigInt(value)) ? undefined : `a whole number${range(column)}`;
    case 'fractional':
      return isDecimal(value) && within(column, Number(value)) ? undefined : `a number${range(column)}`;
  }
}

const isIntegral = (text: string): boolean =>
  INTEGER_PATTERN.test(text) && BigInt.asIntN(INTEGRAL_BITS, BigInt(text)) === BigInt(text);

/** Whether DynamoDB takes the number: one it refuses would stop the demo with half of the rows written. */
function isDecimal(text: string): boolean {
  const digits = text
    .replace(/[eE].*$/, '')
    .replace(/[^\d]/g, '')
    .replace(/^0+/, '');
  const magnitude = Math.abs(Number(text));
  return (
    DECIMAL_PATTERN.test(text) &&
    digits.length <= NUMBER_DIGITS_MAX &&
    (magnitude === 0 || (magnitude >= MAGNITUDE_MIN && magnitude <= MAGNITUDE_MAX))
  );
}

type Bounds = { readonly min?: number | bigint | undefined; readonly max?: number | bigint | undefined };

const within = ({ min, max }: Bounds, value: number | bigint): boolean =>
  (min === undefined || value >= min) && (max === undefined || value <= max);

function range({ min, max }: Bounds): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return `, at least ${min}`;
  return max === undefined ? '' : `, at most ${max}`;
}

function shorten(value = ''): string {
  return value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}…` : value;
}
