import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { listKeys } from '../calls/list-keys.ts';
import type { EncodedLabel } from '../model/encoding.ts';
import { THRESHOLD_OF_SCORES } from '../model/threshold.ts';
import type { JudgedScores } from './gate.ts';
import type { JudgeRows } from './judge-rows.ts';

/** Reads what batch transform has made of the rows to judge by. File by file, line by line: memory holds numbers only. */

type S3 = Pick<S3Client, 'send'>;

/** Of several classes, the score of each. */
const predictionSchema = z.object({
  score: z.union([z.number(), z.array(z.number()).min(1)]),
  predicted_label: z.number().optional(),
});

/** One row as linear-learner answers it, or all of one request as XGBoost does. */
const answerSchema = z.union([
  predictionSchema.transform((it) => [it]),
  z.object({ predictions: z.array(predictionSchema) }).transform((it) => it.predictions),
]);

/** A model's scores, each of one row, and the labels it gave them: undefined for a model that only scores. */
interface Scored {
  readonly scores: number[][];
  readonly labels: (number | undefined)[];
}

/** What the files of rows say before the columns, in their order. The last two are of rows that two schemas share. */
interface Heads {
  readonly labels: number[];
  readonly readable: number[];
  readonly numbers: number[];
}

/**
 * Labels of the rows to judge by (the first column of every file) and the scores of the models: batch transform writes
 * the answers to `name` as `name.out`.
 *
 * @throws Error naming the file whose rows and scores are not as many, or the row that one of two models lacks.
 */
export async function readJudgedScores(
  s3: S3,
  {
    rows: { challengerUri, championUri, isShared },
    label,
    ...uris
  }: {
    rows: Pick<JudgeRows, 'challengerUri' | 'championUri' | 'isShared'>;
    challenger: string;
    champion?: string | undefined;
    leader?: string | undefined;
    /** As the challenger has learned it; absent where it is one of two classes. */
    label?: EncodedLabel | undefined;
  },
): Promise<JudgedScores> {
  const challenger: Scored = { scores: [], labels: [] };
  const champion: Scored = { scores: [], labels: [] };
  const leader: Scored = { scores: [], labels: [] };
  const heads = await readScored(s3, challengerUri, [
    [uris.challenger, challenger],
    ...(isShared ? [] : [[uris.champion, champion] as const]),
    [uris.leader, leader],
  ]);
  const others = isShared && (await readScored(s3, championUri, [[uris.champion, champion]]));
  const width = label?.kind === 'multi-class' ? label.classes.length : 1;
  return {
    ...(label && { kind: label.kind }),
    labels: label?.kind === 'regression' ? Float64Array.from(heads.labels) : Uint8Array.from(heads.labels),
    readable: isShared ? Uint8Array.from(heads.readable) : undefined,
    challenger: sideBySide(challenger.scores, width),
    champion:
      uris.champion === undefined
        ? undefined
        : sideBySide(others ? inOrderOf(heads, others, champion.scores, championUri) : champion.scores, width),
    leader: uris.leader === undefined ? undefined : sideBySide(leader.scores, width),
    threshold: label ? undefined : thresholdOf(challenger),
  };
}

/** Scores of all rows, `width` of each. A class that a model did not know is impossible to it. */
function sideBySide(scores: readonly (readonly number[])[], width: number): Float64Array {
  const all = new Float64Array(scores.length * width);
  for (const [row, ofRow] of scores.entries()) {
    if (ofRow.length > width) throw new Error(`A model gave ${ofRow.length} scores for a row, of at most ${width}`);
    all.set(ofRow, row * width);
  }
  return all;
}

/** Reads files of rows, and what models have made of them, which is added to their scores. */
async function readScored(
  s3: S3,
  rowsUri: string,
  scorers: readonly (readonly [uri: string | undefined, scored: Scored])[],
): Promise<Heads> {
  const rows = placeOf(rowsUri);
  const heads: Heads = { labels: [], readable: [], numbers: [] };
  for await (const key of listKeys(s3, rows.bucket, rows.prefix)) {
    const before = heads.labels.length;
    for await (const line of linesOf(s3, rows.bucket, key)) {
      const [label, readable, number] = line.split(',', 3).map(Number);
      heads.labels.push(label ?? Number.NaN);
      heads.readable.push(readable ?? Number.NaN);
      heads.numbers.push(number ?? Number.NaN);
    }
    if (heads.labels.length === before) continue;
    for (const [uri, scored] of scorers) {
      if (uri === undefined) continue;
      const { bucket, prefix } = placeOf(uri);
      const answers = `${prefix}${key.slice(rows.prefix.length)}.out`;
      for await (const line of linesOf(s3, bucket, answers)) {
        for (const { score, predicted_label } of answersOf(line)) {
          scored.scores.push([score].flat());
          scored.labels.push(predicted_label);
        }
      }
      if (scored.scores.length !== heads.labels.length) {
        throw new Error(
          `s3://${bucket}/${answers} has ${scored.scores.length - before} scores for ${heads.labels.length - before} rows`,
        );
      }
    }
  }
  return heads;
}

/** Scores of another model's rows of the same records, in the order of these. */
function inOrderOf(heads: Heads, others: Heads, scores: readonly number[][], uri: string): number[][] {
  const byNumber = new Map(others.numbers.map((number, index) => [number, scores[index]]));
  return heads.numbers.map((number) => {
    const score = byNumber.get(number);
    if (score === undefined) throw new Error(`${uri} has no row ${number}`);
    return score;
  });
}

/** The first rows of the first file that has any, as they are, with the scores a model gave each of them. */
export async function readRows(
  s3: S3,
  uris: { judge: string; scores: string },
  most: number,
): Promise<{ rows: string[]; scores: number[][] }> {
  const source = placeOf(uris.judge);
  const rows: string[] = [];
  const scores: number[][] = [];
  for await (const key of listKeys(s3, source.bucket, source.prefix)) {
    for await (const line of linesOf(s3, source.bucket, key)) {
      rows.push(line);
      if (rows.length === most) break;
    }
    if (rows.length === 0) continue;
    const { bucket, prefix } = placeOf(uris.scores);
    for await (const line of linesOf(s3, bucket, `${prefix}${key.slice(source.prefix.length)}.out`)) {
      scores.push(...scoresOf(line));
      if (scores.length >= most) break;
    }
    break;
  }
  return { rows, scores };
}

/** Least score that was labeled 1; undefined when none was. */
function thresholdOf({ scores, labels }: Scored): number | undefined {
  if (labels.every((it) => it === undefined)) return THRESHOLD_OF_SCORES;
  const ones = scores.flatMap((ofRow, row) => (labels[row] === 1 ? ofRow : []));
  return ones.length === 0 ? undefined : ones.reduce((least, score) => Math.min(least, score));
}

/**
 * Scores of the rows of one line, those of several classes side by side: JSON (linear-learner), numbers separated by
 * commas (XGBoost's text/csv), or a list of them for one row (the same, of several classes in a batch).
 */
export const scoresOf = (line: string): number[][] => answersOf(line).map(({ score }) => [score].flat());

function answersOf(line: string): z.output<typeof predictionSchema>[] {
  const answers = line.startsWith('{')
    ? answerSchema.parse(JSON.parse(line))
    : line.startsWith('[')
      ? [predictionSchema.parse({ score: JSON.parse(line) })]
      : line.split(',').map((it) => ({ score: Number(it), predicted_label: undefined }));
  if (answers.every(({ score }) => [score].flat().every(Number.isFinite))) return answers;
  throw new Error(`Not the scores of a model: ${line.slice(0, 100)}`);
}

/** The lines of an object that are not empty. Whoever stops early leaves the rest of it with S3. */
export async function* linesOf(s3: S3, bucket: string, key: string): AsyncGenerator<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const input = Readable.from(Body as Readable);
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line !== '') yield line;
    }
  } finally {
    input.destroy();
  }
}

/** Bucket and prefix of an s3:// location. */
export function placeOf(uri: string): { bucket: string; prefix: string } {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri) ?? [];
  return { bucket, prefix };
}
