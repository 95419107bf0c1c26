import { InvokeEndpointCommand, type SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import * as z from 'zod/mini';
import { schemaVariant } from '../model/schema-hash.ts';
import { PredictionRefused, STATUS } from './refusal.ts';

/** Score from which on a model that only scores (XGBoost) predicts 1. */
const SCORE_OF_LABEL_1 = 0.5;

const answerSchema = z.object({
  predictions: z.array(z.object({ score: z.number(), predicted_label: z.optional(z.number()) })),
});

export interface Score {
  readonly score: number;
  readonly predicted_label: number;
}

/**
 * Scores encoded rows, all in one call. The variant that has answered carries the hash of the schema it was trained
 * with, so an answer by another schema is seen even while the endpoint is being swapped.
 *
 * @param schema hash of the schema that the rows are encoded by.
 * @throws PredictionRefused (409) when a model of another schema has answered.
 * @throws Error when the endpoint's answer is not one prediction per row; otherwise SageMaker's own errors.
 */
export async function scoreRows(
  runtime: Pick<SageMakerRuntimeClient, 'send'>,
  endpointName: string,
  schema: string,
  rows: readonly (readonly string[])[],
): Promise<Score[]> {
  const { Body, InvokedProductionVariant: variant } = await runtime.send(
    new InvokeEndpointCommand({
      EndpointName: endpointName,
      ContentType: 'text/csv',
      Accept: 'application/json',
      Body: rows.map((row) => row.join(',')).join('\n'),
    }),
  );
  if (variant !== schemaVariant(schema)) {
    throw new PredictionRefused(
      STATUS.conflict,
      `Variant ${variant} of endpoint ${endpointName} has answered, which is not of schema ${schema}: a model of this schema is being swapped in, or has to be trained.`,
    );
  }
  const text = Buffer.from(Body ?? []).toString('utf8');
  const { predictions } = answerSchema.parse(JSON.parse(text));
  if (predictions.length !== rows.length) {
    throw new Error(`Endpoint ${endpointName} answered ${predictions.length} predictions for ${rows.length} rows`);
  }
  return predictions.map(({ score, predicted_label = score >= SCORE_OF_LABEL_1 ? 1 : 0 }) => ({
    score,
    predicted_label,
  }));
}
