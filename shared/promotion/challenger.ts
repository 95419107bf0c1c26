import type { S3Client } from '@aws-sdk/client-s3';
import type { Serving } from '../state/serving.ts';
import { type GatePolicy, judge, type Verdict } from './gate.ts';
import { readValidationScores } from './scores.ts';

/** Where the validation rows lie, and what both models make of them. */
export interface ScoreLocations {
  readonly validationUri: string;
  readonly challengerUri: string;
  readonly championUri: string;
}

/** Which model scores the validation rows beside the challenger, if any does. */
export type Champion =
  | { readonly found: true; readonly modelName: string }
  | { readonly found: false; readonly modelName: null };

/**
 * The champion is what serves, if it can read the challenger's rows: a model of another schema cannot, and the
 * definition that it belongs to is gone.
 */
export function championOf(serving: Serving | undefined, challenger: Pick<Serving, 'schemaHash'>): Champion {
  if (!serving || serving.schemaHash !== challenger.schemaHash) return { found: false, modelName: null };
  return { found: true, modelName: serving.modelName };
}

/**
 * Judges the challenger by what both models have made of the same validation rows.
 *
 * @throws Error when scores are missing, or the rows are of one class.
 */
export async function judgeChallenger(
  s3: Pick<S3Client, 'send'>,
  { validationUri, challengerUri, championUri }: ScoreLocations,
  hasChampion: boolean,
  policy: GatePolicy,
): Promise<Verdict> {
  const scores = await readValidationScores(s3, {
    validation: validationUri,
    challenger: challengerUri,
    champion: hasChampion ? championUri : undefined,
  });
  return judge(scores, policy);
}
