import { notImplemented } from '../../protocol/aws-error.ts';
import { expectMiniBatch, type LinearLearnerOptions, penaltiesFor, trainLinearLearner } from './linear-learner.ts';
import type { LabeledRows, NumberedRows } from './linear-model.ts';
import { type LearnedModel, predictionOf } from './prediction-text.ts';
import { fitRegression, predictedNumber, type RegressionModel } from './regression-model.ts';
import { COEFFICIENTS_MAX, classProbabilities, fitSoftmax, type SoftmaxModel } from './softmax-model.ts';
import { TrainingDataError } from './training-data.ts';

/** Training by linear-learner's three predictor types. As Amazon's it trains several models, and keeps the best one. */

/** A trained model and what DescribeTrainingJob publishes of it. */
export interface TrainingOutcome {
  readonly model: LearnedModel;
  readonly metrics: readonly { readonly name: string; readonly value: number }[];
}

/**
 * Trains and evaluates by the predictor type.
 *
 * @throws TrainingDataError when the rows cannot be learned from. AwsError NotImplementedException when the model would
 * have more coefficients than the local cloud solves for.
 */
export function train(
  rows: NumberedRows,
  validation: NumberedRows | undefined,
  options: LinearLearnerOptions,
): TrainingOutcome {
  if (options.predictor === 'binary_classifier') {
    return trainLinearLearner(ofTwoClasses(rows), validation && ofTwoClasses(validation), options);
  }
  expectMiniBatch(rows, options);
  const penalties = penaltiesFor(rows, options);
  return options.predictor === 'regressor'
    ? trained(
        penalties.map((l2) => fitRegression(rows, l2)),
        { train: rows, validation },
        squaredErrors,
        (model, channel) => {
          const errors = residuals(model, channel);
          const mse = meanOf(errors.map((it) => it * it));
          return { mse, absolute_loss: meanOf(errors.map(Math.abs)), rmse: Math.sqrt(mse) };
        },
      )
    : trained(
        classifiers(rows, penalties, options.classes),
        { train: rows, validation },
        classLosses,
        (model, channel) => ({
          multiclass_accuracy: meanOf(
            predictedClasses(model, channel).map((label, row) => (label === channel.labels[row] ? 1 : 0)),
          ),
        }),
      );
}

const ofTwoClasses = (rows: NumberedRows): LabeledRows => ({ ...rows, labels: Uint8Array.from(rows.labels) });

function classifiers(rows: NumberedRows, penalties: readonly number[], classes: number): SoftmaxModel[] {
  const beyond = Array.from(rows.labels).find((label) => !Number.isInteger(label) || label < 0 || label >= classes);
  if (beyond !== undefined) {
    throw new TrainingDataError(
      `a label is ${beyond}; multiclass_classifier takes 0 to num_classes - 1, ${classes - 1}`,
    );
  }
  const coefficients = classes * (rows.width + 1);
  if (coefficients > COEFFICIENTS_MAX) {
    throw notImplemented(
      'linear-learner',
      `${coefficients} coefficients of several classes, of at most ${COEFFICIENTS_MAX}`,
    );
  }
  return penalties.map((l2) => fitSoftmax(rows, classes, l2));
}

/** The model of least loss on the rows to validate on, or else to train on, with its metrics. */
function trained<M extends LearnedModel>(
  fitted: readonly M[],
  channels: { readonly train: NumberedRows; readonly validation: NumberedRows | undefined },
  lossesOf: (model: M, rows: NumberedRows) => number[],
  metricsOf: (model: M, rows: NumberedRows) => Readonly<Record<string, number>>,
): TrainingOutcome {
  const judging = channels.validation ?? channels.train;
  const judged = fitted.map((model) => ({ model, loss: meanOf(lossesOf(model, judging)) }));
  const [first, ...others] = judged;
  if (!first) throw new RangeError('there is no model to choose');
  const { model } = others.reduce((kept, it) => (it.loss < kept.loss ? it : kept), first);
  const metrics = [{ name: 'train:objective_loss', value: meanOf(lossesOf(model, channels.train)) }];
  if (!channels.validation) return { model, metrics };
  metrics.push({ name: 'validation:objective_loss', value: meanOf(lossesOf(model, channels.validation)) });
  for (const [name, value] of Object.entries(metricsOf(model, channels.validation))) {
    metrics.push({ name: `validation:${name}`, value });
  }
  return { model, metrics };
}

const rowsOf = ({ features, width, labels }: NumberedRows): number[][] =>
  Array.from(labels, (_, row) => [...features.subarray(row * width, (row + 1) * width)]);

const residuals = (model: RegressionModel, rows: NumberedRows): number[] =>
  rowsOf(rows).map((row, index) => predictedNumber(model, row) - (rows.labels[index] ?? 0));

const squaredErrors = (model: RegressionModel, rows: NumberedRows): number[] =>
  residuals(model, rows).map((it) => it * it);

const classLosses = (model: SoftmaxModel, rows: NumberedRows): number[] =>
  rowsOf(rows).map((row, index) => {
    const probabilities = classProbabilities(model, row);
    return -Math.log(Math.max(probabilities[rows.labels[index] ?? 0] ?? 0, Number.MIN_VALUE));
  });

const predictedClasses = (model: SoftmaxModel, rows: NumberedRows): (number | undefined)[] =>
  rowsOf(rows).map((row) => predictionOf(model, row).label);

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, it) => sum + it, 0) / Math.max(1, values.length);
