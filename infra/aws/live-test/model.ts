import { GetFunctionConfigurationCommand, InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { type RetrainConfig, retrainConfig } from '../../../shared/config/retrain.ts';
import { type FeatureGroup, labelOf } from '../../../shared/definition/feature-group.ts';
import { labelKind } from '../../../shared/definition/label.ts';
import type { StateTable } from '../../../shared/state/table.ts';
import { type RetrainingStatus, readStatus } from '../../../shared/training/status.ts';
import type { Names } from '../cloudformation/names.ts';
import { sampleItem } from './sample-item.ts';

/** Function, alias included, that applications ask. */
const predictFunction = ({ stack }: Names): string => `${stack}-predict:live`;

/** The policy of a deployed stack and the names of everything, as its function retrain has them. */
export async function configOf(lambda: LambdaClient, group: FeatureGroup, { stack }: Names): Promise<RetrainConfig> {
  const FunctionName = `${stack}-retrain`;
  const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  return retrainConfig(Environment?.Variables ?? {}, group.label !== undefined);
}

/** How the training stands that the live test waits for. */
export interface Look {
  /** The model that has taken over; undefined while there is none. */
  readonly model?: string;
  /** What it waits for, in a sentence for the log. */
  readonly seen: string;
}

/** @throws Error with the gate's or the failure's own words when a training since `before` has come to nothing. */
export async function lookForModel(
  table: StateTable,
  group: FeatureGroup,
  config: RetrainConfig,
  before: RetrainingStatus,
): Promise<Look> {
  const now = await readStatus(table, group, config, Date.now());
  const model = now.serving?.modelName;
  if (model !== undefined && model !== before.serving?.modelName) return { model, seen: `${model} serves` };
  const closed = now.trainings.find(({ epoch }) => epoch >= before.epoch);
  if (closed && closed.decision !== 'promote') {
    throw new Error(`The training of epoch ${closed.epoch} was not promoted (${closed.decision}): ${closed.reason}`);
  }
  const failure = now.lastFailure;
  const failed = failure ? `; attempt ${failure.attempt} failed: ${failure.error}: ${failure.cause}` : '';
  const doing = now.inFlight ? `${now.inFlight.executionName} runs` : `${now.next.decision}: ${now.next.reason}`;
  return { seen: `${doing}${failed}` };
}

interface Prediction {
  readonly score: number;
  readonly predicted_label?: number;
  readonly model: string;
}

/**
 * Asks predict, by its alias, for records of the online store and for one that nobody has seen.
 *
 * @param known record identifiers: one whose features speak for the least label, one whose features speak for the greatest.
 * @throws Error with predict's own words, or saying which answer is wrong.
 */
export async function checkPredictions(
  lambda: LambdaClient,
  group: FeatureGroup,
  names: Names,
  { known, model }: { readonly known: readonly [low: string, high: string]; readonly model: string },
): Promise<readonly number[]> {
  const { name } = group.recordIdentifier;
  const records = [...known.map((id) => ({ [name]: id })), { features: newFeatures(group) }];
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: predictFunction(names), Payload: JSON.stringify({ records }) }),
  );
  const answer = JSON.parse(Payload?.transformToString() ?? '{}');
  if (FunctionError) throw new Error(`predict answers: ${answer.errorMessage}`);
  const predictions: readonly Prediction[] = answer.predictions;
  const kind = labelKind(labelOf(group));
  const isScore = (score: number) => (kind === 'regression' ? Number.isFinite(score) : score >= 0 && score <= 1);
  const wrong = predictions.find((it) => it.model !== model || !isScore(it.score));
  if (wrong)
    throw new Error(
      `predict answers ${JSON.stringify(wrong)}, but ${model} serves${kind === 'regression' ? '' : ', with scores from 0 to 1'}.`,
    );
  // Of several classes, the score says how likely the predicted one is, and not which one that is.
  const scores = predictions.map((it) => (kind === 'multi-class' ? (it.predicted_label ?? 0) : it.score));
  const [low = 0, high = 0] = scores;
  if (scores.length !== records.length || low >= high) {
    throw new Error(`predict gives ${scores.join(', ')}: three scores, the second above the first, were expected.`);
  }
  return scores;
}

/** Features as a prediction request has them, of a record that speaks for neither label. */
function newFeatures(group: FeatureGroup): Record<string, unknown> {
  const item = sampleItem(group, 'new', 0.5);
  return Object.fromEntries(
    group.features.map(({ name, attribute }) => {
      const { N, S, BOOL } = item[attribute] ?? {};
      return [name, N === undefined ? (S ?? BOOL) : Number(N)];
    }),
  );
}
