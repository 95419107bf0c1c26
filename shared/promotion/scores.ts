import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { listKeys } from '../calls/list-keys.ts';
import type { ValidationScores } from './gate.ts';

/** Reads what batch transform has made of the validation rows. File by file, line by line: memory holds numbers only. */

type S3 = Pick<S3Client, 'send'>;

/** One row as linear-learner answers it, or all of one request as XGBoost does. */
const answerSchema = z.union([
  z.object({ score: z.number() }).transform(({ score }) => [score]),
  z
    .object({ predictions: z.array(z.object({ score: z.number() })) })
    .transform((it) => it.predictions.map(({ score }) => score)),
]);

/**
 * Labels of the validation rows (the first column of every file under `validationUri`) and the scores of the models:
 * batch transform writes the answers to `name` as `name.out`.
 *
 * @throws Error naming the file whose rows and scores are not as many.
 */
export async function readValidationScores(
  s3: S3,
  uris: { validation: string; challenger: string; champion?: string | undefined },
): Promise<ValidationScores> {
  const rows = place(uris.validation);
  const labels: number[] = [];
  const challenger: number[] = [];
  const champion: number[] = [];
  for await (const key of listKeys(s3, rows.bucket, rows.prefix)) {
    const before = labels.length;
    for await (const line of linesOf(s3, rows.bucket, key)) labels.push(Number(line.slice(0, line.indexOf(','))));
    if (labels.length === before) continue;
    for (const [uri, scores] of [
      [uris.challenger, challenger],
      [uris.champion, champion],
    ] as const) {
      if (uri === undefined) continue;
      const { bucket, prefix } = place(uri);
      const answers = `${prefix}${key.slice(rows.prefix.length)}.out`;
      for await (const line of linesOf(s3, bucket, answers)) scores.push(...scoresOf(line));
      if (scores.length !== labels.length) {
        throw new Error(
          `s3://${bucket}/${answers} has ${scores.length - before} scores for ${labels.length - before} rows`,
        );
      }
    }
  }
  return {
    labels: Uint8Array.from(labels),
    challenger: Float64Array.from(challenger),
    champion: uris.champion === undefined ? undefined : Float64Array.from(champion),
  };
}

/** Scores of one line: JSON (linear-learner), or numbers separated by commas (XGBoost's text/csv). */
export function scoresOf(line: string): number[] {
  const scores = line.startsWith('{') ? answerSchema.parse(JSON.parse(line)) : line.split(',').map(Number);
  if (scores.every(Number.isFinite)) return scores;
  throw new Error(`Not the scores of a model: ${line.slice(0, 100)}`);
}

async function* linesOf(s3: S3, bucket: string, key: string): AsyncGenerator<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  for await (const line of createInterface({
    input: Readable.from(Body as Readable),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (line !== '') yield line;
  }
}

function place(uri: string): { bucket: string; prefix: string } {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri) ?? [];
  return { bucket, prefix };
}
