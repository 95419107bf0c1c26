import { InvokeEndpointCommand, type SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import * as z from 'zod/mini';
import type { EncodedLabel } from '../model/encoding.ts';
import { THRESHOLD_OF_SCORES } from '../model/threshold.ts';

const answerSchema = z.object({
  predictions: z.array(
    z.object({ score: z.union([z.number(), z.array(z.number())]), predicted_label: z.optional(z.number()) }),
  ),
});

export interface Score {
  /** Probability of class 1; of several classes, that of the predicted one; or the number that is predicted. */
  readonly score: number;
  /**
   * The number of the class: the model's own where it gives one (linear-learner), or else whether the score is at least
   * 0.5, or the likeliest of several. Absent where a number is predicted.
   */
  readonly predicted_label?: number;
  /** How the definition spells the predicted one of several classes, and the probability of each. */
  readonly predicted_class?: string;
  readonly scores?: Readonly<Record<string, number>>;
}

/**
 * Scores encoded rows, all in one call.
 *
 * @param label that the model predicts, where it is not one of two classes.
 * @throws Error when the endpoint's answer is not one prediction of that label per row; otherwise SageMaker's own errors.
 */
export async function scoreRows(
  runtime: Pick<SageMakerRuntimeClient, 'send'>,
  endpointName: string,
  rows: readonly (readonly string[])[],
  abortSignal: AbortSignal,
  label?: EncodedLabel,
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
  return predictions.map(({ score, predicted_label }) => {
    if (label?.kind === 'multi-class' && Array.isArray(score)) return scoreOf(score, predicted_label, label.classes);
    if (label?.kind === 'multi-class' || Array.isArray(score)) {
      throw new Error(`Endpoint ${endpointName} answered scores of another kind of label`);
    }
    if (label) return { score };
    return { score, predicted_label: predicted_label ?? (score >= THRESHOLD_OF_SCORES ? 1 : 0) };
  });
}

/** Of several classes. @param predicted number of the class, if the model says. */
function scoreOf(scores: readonly number[], predicted: number | undefined, classes: readonly string[]): Score {
  const predicted_label = predicted ?? scores.indexOf(Math.max(...scores));
  return {
    ...{ score: scores[predicted_label] ?? 0, predicted_label, predicted_class: classes[predicted_label] ?? '' },
    scores: Object.fromEntries(classes.map((name, number) => [name, scores[number] ?? 0])),
  };
}
