import type { LinearLearnerOptions } from './linear-learner.ts';
import type { NumberedRows } from './linear-model.ts';

/** What is wrong with a training job's own data: a failure of the job with `ClientError:` as its reason. */
export class TrainingDataError extends Error {}

/** Decimal numbers as CSV writers put them. `Number()` alone would take an empty field and hexadecimal. */
const NUMBER = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/;

/** First bytes of every gzip file. */
const GZIP_MAGIC = [0x1f, 0x8b];

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
 * @param predictor type, which says what a label may be.
 *
 * @throws TrainingDataError naming the file and line of the first bad row.
 */
export function readChannel(
  channel: string,
  files: readonly ChannelFile[],
  predictor: LinearLearnerOptions['predictor'] = 'binary_classifier',
): NumberedRows {
  const features: number[] = [];
  const labels: number[] = [];
  let width: number | undefined;
  for (const { uri, content } of files) {
    if (content[0] === GZIP_MAGIC[0] && content[1] === GZIP_MAGIC[1]) {
      throw new TrainingDataError(
        `${uri} is compressed. In File mode training data must be plain text: UNLOAD it WITH (compression = 'NONE').`,
      );
    }
    const lines = new TextDecoder().decode(content).split('\n');
    if (lines.at(-1) === '') lines.pop();
    lines.forEach((line, index) => {
      const row = readRow(line.replace(/\r$/, ''), `${uri}, line ${index + 1}`, predictor);
      width ??= row.length - 1;
      if (row.length - 1 !== width) {
        throw new TrainingDataError(
          `${uri}, line ${index + 1}: the row has ${row.length} columns, the first row of the channel has ${width + 1}`,
        );
      }
      labels.push(row[0] as number);
      for (let column = 1; column < row.length; column += 1) features.push(row[column] as number);
    });
  }
  if (width === undefined) throw new TrainingDataError(`channel ${channel} holds no row`);
  return {
    width,
    features: Float64Array.from(features),
    labels: predictor === 'binary_classifier' ? Uint8Array.from(labels) : Float64Array.from(labels),
  };
}

function readRow(line: string, where: string, predictor: LinearLearnerOptions['predictor']): number[] {
  const row = readNumbers(line.split(','), where);
  if (predictor === 'binary_classifier' && row[0] !== 0 && row[0] !== 1) {
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
