import { InvokeEndpointCommand, type SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import * as z from 'zod/mini';
import { THRESHOLD_OF_SCORES } from '../model/threshold.ts';

const answerSchema = z.object({
  predictions: z.array(z.object({ score: z.number(), predicted_label: z.optional(z.number()) })),
});

export interface Score {
  readonly score: number;
  /** The model's own where it gives one (linear-learner), or whether the score is at least 0.5. */
  readonly predicted_label: number;
}

/**
 * Scores encoded rows, all in one call.
 *
 * @throws Error when the endpoint's answer is not one prediction per row; otherwise SageMaker's own errors.
 */
export async function scoreRows(
  runtime: Pick<SageMakerRuntimeClient, 'send'>,
  endpointName: string,
  rows: readonly (readonly string[])[],
  abortSignal: AbortSignal,
): Promise<Score[]> {
  const { Body } = await runtime.send(
    new InvokeEndpointCommand({
      EndpointName: endpointName,
      ContentType: 'text/csv',
      Accept: 'application/json',
      Body: rows.map((row) => row.join(',')).join('\n'),
    }),
    { abortSignal },
  );
  const text = Buffer.from(Body ?? []).toString('utf8');
  const { predictions } = answerSchema.parse(JSON.parse(text));
  if (predictions.length !== rows.length) {
    throw new Error(`Endpoint ${endpointName} answered ${predictions.length} predictions for ${rows.length} rows`);
  }
  return predictions.map(({ score, predicted_label = score >= THRESHOLD_OF_SCORES ? 1 : 0 }) => ({
    score,
    predicted_label,
  }));
}
