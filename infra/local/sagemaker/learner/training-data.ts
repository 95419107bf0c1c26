import type { LabelledRows } from './linear-model.ts';

/** What is wrong with a training job's own data: a failure of the job with `ClientError:` as its reason. */
export class TrainingDataError extends Error {}

/** Decimal numbers as CSV writers put them. `Number()` alone would take an empty field and hexadecimal. */
const NUMBER = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/;

/** First bytes of every gzip file. */
const GZIP_MAGIC = [0x1f, 0x8b];

const LINE_FEED = 0x0a;

/** Longest piece of a bad field that a failure reason repeats, in characters. */
const QUOTED_MAX = 40;

/** One object of a channel, with its content. */
export interface ChannelFile {
  readonly uri: string;
  readonly content: Uint8Array;
}

/**
 * Reads a channel of text/csv: label first, no header, every field a number, every row as wide as the first.
 *
 * @throws TrainingDataError naming the file and line of the first bad row.
 */
export function readChannel(channel: string, files: readonly ChannelFile[]): LabelledRows {
  const rowsMax = files.reduce((sum, { content }) => sum + linesIn(content), 0);
  const labels = new Uint8Array(rowsMax);
  let features = new Float64Array();
  let width: number | undefined;
  let rows = 0;
  for (const { uri, content } of files) {
    if (content[0] === GZIP_MAGIC[0] && content[1] === GZIP_MAGIC[1]) {
      throw new TrainingDataError(
        `${uri} is compressed. In File mode training data must be plain text: UNLOAD it WITH (compression = 'NONE').`,
      );
    }
    const lines = new TextDecoder().decode(content).split('\n');
    if (lines.at(-1) === '') lines.pop();
    for (const [index, line] of lines.entries()) {
      const [label = 0, ...row] = readRow(line.replace(/\r$/, ''), `${uri}, line ${index + 1}`);
      if (width === undefined) {
        width = row.length;
        // Made once: an array that grows takes twice as much, and is copied.
        features = new Float64Array(rowsMax * width);
      }
      if (row.length !== width) {
        throw new TrainingDataError(
          `${uri}, line ${index + 1}: the row has ${row.length + 1} columns, the first row of the channel has ${width + 1}`,
        );
      }
      labels[rows] = label;
      features.set(row, rows * width);
      rows += 1;
    }
  }
  if (width === undefined) throw new TrainingDataError(`channel ${channel} holds no row`);
  return { width, features, labels };
}

function linesIn(content: Uint8Array): number {
  let lines = 0;
  for (let at = 0; at < content.length; lines += 1) {
    const end = content.indexOf(LINE_FEED, at);
    at = end < 0 ? content.length : end + 1;
  }
  return lines;
}

function readRow(line: string, where: string): number[] {
  const row = readNumbers(line.split(','), where);
  if (row[0] !== 0 && row[0] !== 1) {
    throw new TrainingDataError(`${where}: the label (first column) is ${row[0]}; binary_classifier takes 0 and 1`);
  }
  if (row.length < 2) throw new TrainingDataError(`${where}: the row has a label and no features`);
  return row;
}

/** Fields as numbers. @throws TrainingDataError naming the place, the column and the field that is not one. */
export function readNumbers(fields: readonly string[], where: string): number[] {
  return fields.map((field, index) => {
    const text = field.trim();
    if (NUMBER.test(text)) return Number(text);
    throw new TrainingDataError(
      `${where}: column ${index + 1} is ${JSON.stringify(text.slice(0, QUOTED_MAX))}, not a number`,
    );
  });
}
