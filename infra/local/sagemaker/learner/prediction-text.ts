import { type LinearModel, linearSum, probability } from './linear-model.ts';
import { predictedNumber, type RegressionModel } from './regression-model.ts';
import { classProbabilities, type SoftmaxModel } from './softmax-model.ts';

/** A model of any predictor type. */
export type LearnedModel = LinearModel | SoftmaxModel | RegressionModel;

/** Features that a model takes. */
export const widthOf = ({ means }: LearnedModel): number => means.length;

/** What a model answers to one row: a score for each of several classes, or one; and no label where it is a number. */
export interface Prediction {
  readonly score: number | readonly number[];
  readonly label?: number;
}

/** Predicts one row. @throws RangeError when it is not as wide as the model. */
export function predictionOf(model: LearnedModel, features: readonly number[]): Prediction {
  if (!('predictor' in model)) {
    const score = probability(linearSum(model, features));
    return { score, label: score >= model.threshold ? 1 : 0 };
  }
  if (model.predictor === 'regressor') return { score: predictedNumber(model, features) };
  const score = classProbabilities(model, features);
  return { score, label: score.indexOf(Math.max(...score)) };
}

/** A prediction as linear-learner's container writes it. Source: SageMaker, linear learner response formats. */
export function jsonPrediction({ score, label }: Prediction): string {
  const written = typeof score === 'number' ? decimal(score) : `[${score.map(decimal).join(',')}]`;
  return `{"score":${written}${label === undefined ? '' : `,"predicted_label":${decimal(label)}`}}`;
}

/** A number as the container's Python writes floats: `1.0`, not `1`. */
function decimal(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
