import { Readable } from 'node:stream';
import { CsvError, type Info, parse } from 'csv-parse';
import type { Decoder } from '../changes/decode.ts';
import { plainDecimal } from '../definition/decimal.ts';
import type { Feature, FeatureGroup, Label } from '../definition/feature-group.ts';
import { keysReader } from './export-lines.ts';
import { type LineReader, type Statement, type StatementFile, statementReader } from './statements.ts';

/** Rows that are handed on together. */
const ROWS_PER_BLOCK = 500;

/** What tables write for yes and no. */
const TRUTHS: Readonly<Record<string, boolean>> = {
  ...{ '0': false, false: false, no: false },
  ...{ '1': true, true: true, yes: true },
};

/** Makes a cell an attribute value. */
type Cell = (text: string) => object;

const asText: Cell = (S) => ({ S });
const asNumber: Cell = (N) => ({ N });
/** A text that is neither is left to the decoder, which rejects it. */
const asTruth: Cell = (text) => {
  const BOOL = TRUTHS[text.toLowerCase()];
  return BOOL === undefined ? { S: text } : { BOOL };
};

/**
 * The statements of a CSV file, whose header names attributes of the items. An empty cell is an absent attribute; a
 * column that the definition has no use for is passed over. Cells are parted by commas, or by semicolons if the header
 * has more of these.
 *
 * @throws Error with one sentence when the header lacks a key or a required feature, or a quote is not closed.
 */
export async function* csvStatements(
  file: StatementFile,
  content: AsyncIterable<Uint8Array>,
  group: FeatureGroup,
  decode: Decoder,
): AsyncGenerator<Statement[], void> {
  const bytes = Readable.from(content, { objectMode: false });
  const parser = parse({
    delimiter: [',', ';'],
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  bytes.once('error', (error) => parser.destroy(error)).pipe(parser);
  let read: ReturnType<typeof statementReader<readonly string[]>> | undefined;
  let block: Statement[] = [];
  try {
    for await (const { info, record } of parser as AsyncIterable<{ info: Info; record: string[] }>) {
      if (read === undefined) {
        read = statementReader(file, rowReader(file.name, record, group), decode);
        continue;
      }
      block.push(read(record, info.lines));
      if (block.length < ROWS_PER_BLOCK) continue;
      yield block;
      block = [];
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new Error(`${file.name} line ${cause.lines}: a quote is not closed or not doubled (${cause.code}).`, {
      cause,
    });
  } finally {
    bytes.destroy();
  }
  if (read === undefined) throw new Error(`${file.name} is empty: expected a header that names attributes, and rows.`);
  if (block.length > 0) yield block;
}

function rowReader(name: string, header: readonly string[], group: FeatureGroup): LineReader<readonly string[]> {
  const cells = cellsOf(group);
  const columns = header.map((column) => column.trim());
  const missing = [...cells].filter(([attribute, { required }]) => required && !columns.includes(attribute));
  if (missing.length > 0) {
    throw new Error(
      `${name} has no column ${missing.map(([attribute]) => attribute).join(', ')}: its header must name the attributes of the items.`,
    );
  }
  const twice = columns.find((column, index) => cells.has(column) && columns.indexOf(column) !== index);
  if (twice !== undefined) throw new Error(`${name} has two columns ${twice}.`);
  const keysOf = keysReader(group);
  return (row) => {
    if (row.length !== columns.length)
      return `Expected ${columns.length} cells, as in the header, found ${row.length}.`;
    const entries = columns.flatMap((attribute, index) => {
      const text = row[index] ?? '';
      const cell = cells.get(attribute);
      return cell && text !== '' ? [[attribute, cell.write(text)] as const] : [];
    });
    const NewImage = Object.fromEntries(entries);
    return { eventName: 'INSERT', Keys: keysOf(NewImage), NewImage };
  };
}

/** Attributes that the definition knows, and how their cells are written. */
function cellsOf({ recordIdentifier, features, label }: FeatureGroup) {
  const cells = new Map<string, { required: boolean; write: Cell }>();
  for (const feature of features.filter((it) => !it.derived))
    cells.set(feature.attribute, { required: !feature.optional, write: cellOf(feature) });
  if (label) cells.set(label.attribute, { required: false, write: labelCellOf(label) });
  recordIdentifier.attributes.forEach((attribute, index) => {
    cells.set(attribute, { required: true, write: recordIdentifier.types[index] === 'N' ? asNumber : asText });
  });
  return cells;
}

/** A cell of a spelled label is the value that is spelled so. */
function labelCellOf({ values, classes, type }: Label): Cell {
  if (type) return asNumber;
  const spellings = classes ?? (values && [...values[0], ...values[1]]);
  if (spellings === undefined) return asTruth;
  const spelled = new Map(spellings.map((value) => [String(value), value]));
  return (text) => {
    const value = spelled.get(text);
    if (typeof value === 'boolean') return { BOOL: value };
    return typeof value === 'number' || typeof value === 'bigint' ? asNumber(text) : asText(text);
  };
}

function cellOf(feature: Feature): Cell {
  const { type } = feature;
  if (type === 'integral' || type === 'fractional') return asNumber;
  if (type === 'categorical' && feature.attributeType === 'N') return asNumber;
  if (type === 'timestamp') return (text) => (plainDecimal(text) === undefined ? asText(text) : asNumber(text));
  return type === 'boolean' ? asTruth : asText;
}
