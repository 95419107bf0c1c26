import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { linearLearnerOptions } from './linear-learner.ts';
import { type TrainingOutcome, train as trainModel } from './predictors.ts';
import { readChannel, TrainingDataError } from './training-data.ts';

/** An object of a channel: its S3 URI, and the file that holds it. */
export interface TrainingFile {
  readonly uri: string;
  readonly path: string;
}

export interface TrainingTask {
  readonly train: readonly TrainingFile[];
  readonly validation: readonly TrainingFile[] | undefined;
  readonly hyperParameters: Readonly<Record<string, string>>;
}

/** What the worker posts, once: a model, or the reason why the training job failed, as FailureReason gives it. */
export type TrainingMessage = ({ readonly kind: 'trained' } & TrainingOutcome) | { kind: 'failed'; reason: string };

/** Trains in a thread of its own, so that the server answers while the processor is busy. */
function run({ train, validation, hyperParameters }: TrainingTask): TrainingMessage {
  try {
    const options = linearLearnerOptions(hyperParameters);
    const trainRows = readChannel('train', contents(train), options.predictor);
    const validationRows = validation && readChannel('validation', contents(validation), options.predictor);
    for (const [channel, width] of [
      ['feature_dim', options.featureDim],
      ['channel validation', validationRows?.width],
    ] as const) {
      if (width !== undefined && width !== trainRows.width) {
        throw new TrainingDataError(`channel train has ${trainRows.width} features, ${channel} says ${width}`);
      }
    }
    return { kind: 'trained', ...trainModel(trainRows, validationRows, options) };
  } catch (error) {
    const origin = error instanceof TrainingDataError ? 'ClientError' : 'InternalServerError';
    return { kind: 'failed', reason: `${origin}: ${(error as Error).message}` };
  }
}

function contents(files: readonly TrainingFile[]) {
  return files.map(({ uri, path }) => ({ uri, content: readFileSync(path) }));
}

parentPort?.postMessage(run(workerData as TrainingTask));
