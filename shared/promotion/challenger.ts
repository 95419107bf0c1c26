import type { S3Client } from '@aws-sdk/client-s3';
import { DescribeModelCommand, type SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { EncodedLabel } from '../model/encoding.ts';
import type { Evidence } from '../state/evidence.ts';
import type { Serving } from '../state/serving.ts';
import { algorithmOf, scoresContentType } from './deployment.ts';
import { type GatePolicy, type Incumbent, type JudgedScores, judge, rowsOfClass, type Verdict } from './gate.ts';
import { type JudgeRows, rowsOfOneSchema } from './judge-rows.ts';
import { type Labels, widthOf } from './measures/measure.ts';
import { isMissing } from './rollout.ts';
import { readJudgedScores } from './scores.ts';

/** Where the models' scores of the rows to judge by lie. */
export interface ScoreLocations {
  readonly challengerUri: string;
  readonly championUri: string;
  readonly leaderUri: string;
}

/** A model that scores the rows beside the challenger, and how it writes its scores. */
type Scorer =
  | { readonly found: true; readonly modelName: string; readonly contentType: string }
  | { readonly found: false; readonly modelName: null; readonly contentType: null };

const NONE: Scorer = { found: false, modelName: null, contentType: null };

/** The models that a challenger is compared with, if any is. */
export type Champion = Scorer & {
  readonly incumbent: Incumbent;
  /** The best model of the schema to have served; not found where that is the champion itself. */
  readonly leader: Scorer;
  readonly rows: JudgeRows;
};

/** A verdict that names the model which the next challengers are compared with beside the champion. */
export type JudgedChallenger = Verdict & { readonly comparison: { readonly bestModelName: string } };

/**
 * The champion is what serves, if it can score the challenger's rows: for a model of another schema they have to be
 * encoded twice. Where they cannot be, only its record is compared with.
 *
 * @param evidence of closed epochs, as far as it is kept.
 * @param shared the rows in both schemas, or why there are none; asked for where what serves is of another schema.
 */
export function championOf(
  serving: Serving | undefined,
  evidence: readonly Evidence[],
  challenger: { readonly schemaHash: string; readonly judgeUri: string },
  shared?: JudgeRows | string,
): Champion {
  const rows = rowsOfOneSchema(challenger.judgeUri);
  if (!serving) return { ...NONE, incumbent: {}, leader: NONE, rows };
  const record = evidence.find((it) => it.epoch === serving.epoch);
  const champion = scorer(serving.modelName, record?.trainingImage);
  if (serving.schemaHash !== challenger.schemaHash) {
    const { auc, skill } = record?.comparison?.challenger ?? {};
    return typeof shared === 'object'
      ? { ...champion, incumbent: { auc, skill }, leader: NONE, rows: shared }
      : { ...NONE, incumbent: { auc, skill, unreadable: shared }, leader: NONE, rows };
  }
  const best = evidence.find((it) => it.modelName === record?.comparison?.bestModelName);
  const leads = best?.modelName === undefined || best.modelName === serving.modelName;
  return { ...champion, incumbent: {}, leader: leads ? NONE : scorer(best.modelName, best.trainingImage), rows };
}

function scorer(modelName: string, trainingImage: string | undefined): Scorer {
  return { found: true, modelName, contentType: scoresContentType(algorithmOf(trainingImage)) };
}

/** Without a leader whose model is gone: the champion is what there is to compare with. */
export async function withoutGoneLeader(
  sagemaker: Pick<SageMakerClient, 'send'>,
  champion: Champion,
): Promise<Champion> {
  if (!champion.leader.found) return champion;
  try {
    await sagemaker.send(new DescribeModelCommand({ ModelName: champion.leader.modelName }));
    return champion;
  } catch (error) {
    if (!isMissing(error)) throw error;
    return { ...champion, leader: NONE };
  }
}

/**
 * What the models have made of the rows to judge by.
 *
 * @param label as the challenger has learned it; absent where it is one of two classes.
 * @throws Error when scores are missing.
 */
export function scoresOfModels(
  s3: Pick<S3Client, 'send'>,
  { challengerUri, championUri, leaderUri }: ScoreLocations,
  { found, leader, rows }: Pick<Champion, 'found' | 'rows'> & { readonly leader: Pick<Scorer, 'found'> },
  label?: EncodedLabel,
): Promise<JudgedScores> {
  return readJudgedScores(s3, {
    rows,
    challenger: challengerUri,
    champion: found ? championUri : undefined,
    leader: leader.found ? leaderUri : undefined,
    label,
  });
}

/**
 * Leaves out the rows that the champion cannot read. Where too few are left to compare on, all rows are kept and the
 * champion's scores left out, with the reason.
 *
 * @param perClassMin rows of each class, or of numbers rows, that a comparison needs; at least one is needed.
 */
export function comparableScores(
  scores: JudgedScores,
  perClassMin: number,
): { readonly scores: JudgedScores; readonly unreadable?: string } {
  const { labels, readable, challenger, champion } = scores;
  if (!readable || !champion) return { scores };
  const only = <T extends Labels>(values: T, width = 1) =>
    values.filter((_, index) => readable[Math.floor(index / width)] === 1) as T;
  const width = widthOf(challenger, labels);
  const kept = only(labels);
  const { kind = 'binary' } = scores;
  const classes = kind === 'binary' ? [1, 0] : kind === 'regression' ? [] : [...new Set(labels)].sort();
  const counts = classes.map((label) => [label, rowsOfClass(kept, label)] as const);
  if (Math.min(kept.length, ...counts.map(([, rows]) => rows)) < Math.max(1, perClassMin)) {
    const told = counts.map(([label, rows]) => `${rows} of class ${label}`).join(', ');
    const unreadable = `The model that serves can read ${kept.length} of the ${labels.length} rows${told && `: ${told}`}.`;
    return { scores: { ...scores, champion: undefined }, unreadable };
  }
  return { scores: { ...scores, labels: kept, challenger: only(challenger, width), champion: only(champion, width) } };
}

/**
 * Judges the challenger by what the models have made of the same rows.
 *
 * @throws Error when the rows are of one class.
 */
export function judgeChallenger(
  scores: JudgedScores,
  modelName: string,
  {
    modelName: championName,
    leader,
    incumbent,
    rows,
  }: Pick<Champion, 'modelName' | 'incumbent' | 'rows'> & {
    readonly leader: Pick<Scorer, 'modelName'>;
  },
  policy: GatePolicy,
): JudgedChallenger {
  const verdict = judge(scores, policy, incumbent);
  const names = { challenger: modelName, champion: championName, leader: leader.modelName };
  // The next challengers are of this schema, and a model of another is none of theirs.
  const bestModelName = (!rows.isShared && names[verdict.comparison.best]) || modelName;
  return { ...verdict, comparison: { ...verdict.comparison, bestModelName } };
}
