import type { S3Client } from '@aws-sdk/client-s3';
import type { Evidence } from '../state/evidence.ts';
import type { Serving } from '../state/serving.ts';
import { algorithmOf, scoresContentType } from './deployment.ts';
import { type GatePolicy, type Incumbent, judge, type Verdict } from './gate.ts';
import { readJudgedScores } from './scores.ts';

/** Where the rows to judge by lie, and what both models make of them. */
export interface ScoreLocations {
  readonly judgeUri: string;
  readonly challengerUri: string;
  readonly championUri: string;
}

/** Which model scores the rows beside the challenger, if any does, and how it writes its scores. */
export type Champion = { readonly incumbent: Incumbent } & (
  | { readonly found: true; readonly modelName: string; readonly contentType: string }
  | { readonly found: false; readonly modelName: null; readonly contentType: null }
);

/**
 * The champion is what serves, if it can read the challenger's rows: a model of another schema cannot, so that only its
 * record is compared with.
 *
 * @param record evidence of what serves, if it is kept.
 */
export function championOf(
  serving: Serving | undefined,
  record: Evidence | undefined,
  challenger: Pick<Serving, 'schemaHash'>,
  metric: GatePolicy['metric'],
): Champion {
  if (!serving || serving.schemaHash !== challenger.schemaHash) {
    const incumbent = { auc: record?.comparison?.challenger.auc };
    return { found: false, modelName: null, contentType: null, incumbent };
  }
  // Losses add up in one metric only.
  const behindBest = record?.comparison?.metric === metric ? record.comparison.behindBest : undefined;
  const contentType = scoresContentType(algorithmOf(record?.trainingImage));
  return { found: true, modelName: serving.modelName, contentType, incumbent: { behindBest } };
}

/**
 * Judges the challenger by what both models have made of the same rows.
 *
 * @throws Error when scores are missing, or the rows are of one class.
 */
export async function judgeChallenger(
  s3: Pick<S3Client, 'send'>,
  { judgeUri, challengerUri, championUri }: ScoreLocations,
  champion: { readonly found: boolean; readonly incumbent: Incumbent },
  policy: GatePolicy,
): Promise<Verdict> {
  const scores = await readJudgedScores(s3, {
    judge: judgeUri,
    challenger: challengerUri,
    champion: champion.found ? championUri : undefined,
  });
  return judge(scores, policy, champion.incumbent);
}
