import { GetObjectCommand } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { LABEL_KINDS } from '../../shared/definition/label.ts';
import type { Sources } from './sources.ts';
import { trainingSetFolder } from './training-sets.ts';

/** What one model made of the rows to judge by. */
const modelSchema = z.object({
  /** Of two classes: shares of class 0 and of class 1 that score as high or higher, from corner to corner. */
  roc: z.array(z.tuple([z.number(), z.number()])).optional(),
  /** Of several classes: rows by their class and, within it, by the class that is predicted. */
  confusion: z.array(z.array(z.number())).optional(),
  /** Bins of scores that have rows: how many, their mean score, and the share that is right, or the mean of the labels. */
  calibration: z.array(
    z.object({ from: z.number(), to: z.number(), rows: z.number(), meanScore: z.number(), share: z.number() }),
  ),
});

const judgedSchema = z.object({
  /** Absent: one of two classes. */
  kind: z.enum(LABEL_KINDS).optional(),
  rows: z.number(),
  threshold: z.number().optional(),
  /** `challenger`, and where they have scored the rows, too: `champion` and `leader`. */
  models: z.record(z.string(), modelSchema),
});

/** `judged.json` of a training: the curves of each model over rows that nothing has chosen by. */
export interface Judged extends z.output<typeof judgedSchema> {
  /** Where it lies, `s3://…`. */
  readonly uri: string;
}

/** Reads the curves of a training; undefined when it has made none, or they have expired. */
export async function readJudged({ s3, names }: Sources, modelName: string): Promise<Judged | undefined> {
  const object = { Bucket: names.dataBucket, Key: `${trainingSetFolder(modelName)}judged.json` };
  try {
    const { Body } = await s3.send(new GetObjectCommand(object));
    const judged = judgedSchema.parse(JSON.parse((await Body?.transformToString()) ?? ''));
    return { ...judged, uri: `s3://${object.Bucket}/${object.Key}` };
  } catch (error) {
    if ((error as Error).name === 'NoSuchKey') return undefined;
    throw error;
  }
}
