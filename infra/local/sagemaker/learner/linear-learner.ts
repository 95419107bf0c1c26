import { AwsError, notImplemented } from '../../protocol/aws-error.ts';
import {
  accuracy,
  type Confusion,
  chooseThreshold,
  confusionAt,
  fBeta,
  precision,
  recall,
  rocAuc,
} from './classification-metrics.ts';
import {
  designOf,
  fitModel,
  type LabeledRows,
  type LinearModel,
  logisticLoss,
  logOdds,
  type NumberedRows,
  probability,
} from './linear-model.ts';
import type { TrainingOutcome } from './predictors.ts';
import { TrainingDataError } from './training-data.ts';

/**
 * linear-learner, as far as the local cloud goes: here `predictor_type=binary_classifier` with logistic loss; the other
 * types, with softmax and with squared loss, are in predictors.ts.
 *
 * As Amazon's it trains several models, which differ in their penalty, and keeps the one that does best on the
 * validation rows: those rows have had a say in the model, and flatter it. How it differs: Amazon's runs stochastic
 * gradient descent, this one solves each convex problem exactly. So hyperparameters that only steer the descent are
 * taken and have no effect. Scores and metrics are therefore close to, and not the same as, what AWS would give.
 * Amazon's artifact is an MXNet model; this one's is JSON.
 */

/** Hyperparameters that steer the descent, its parallel models or its calibration sample. No effect on an optimum. */
const DESCENT_ONLY = new Set([
  ...['epochs', 'num_models', 'num_calibration_samples', 'init_method', 'init_scale', 'init_sigma'],
  ...['init_bias', 'optimizer', 'momentum', 'learning_rate', 'beta_1', 'beta_2', 'bias_lr_mult', 'use_lr_scheduler'],
  ...['lr_scheduler_step', 'lr_scheduler_factor', 'lr_scheduler_minimum_lr', 'num_point_for_scaler'],
  ...['early_stopping_patience', 'early_stopping_tolerance'],
]);

/** Hyperparameters of which only the listed values are honoured. Source: linear-learner's hyperparameters page. */
const ONLY_VALUES: Readonly<Record<string, readonly string[]>> = {
  predictor_type: ['binary_classifier', 'multiclass_classifier', 'regressor'],
  normalize_data: ['auto', 'true'],
  unbias_data: ['auto', 'true', 'false'],
  // They steer the descent of a regression, whose optimum they leave where it is.
  normalize_label: ['auto', 'false', 'true'],
  unbias_label: ['auto', 'false', 'true'],
  balance_multiclass_weights: ['false'],
  use_bias: ['true'],
  bias_wd_mult: ['auto', '0'],
  l1: ['auto', '0', '0.0'],
  binary_classifier_model_selection_criteria: ['accuracy', 'f_beta', 'loss_function'],
};

/** The losses of each predictor type that are honoured. */
const LOSSES: Readonly<Record<LinearLearnerOptions['predictor'], string>> = {
  binary_classifier: 'logistic',
  multiclass_classifier: 'softmax_loss',
  regressor: 'squared_loss',
};

/**
 * Penalties of the models that `wd=auto` trains, beside the loss summed over the rows. The first, scikit-learn's
 * default (`C=1`), is kept when no other does better.
 */
const L2_AUTO = [1, 0.1, 10];

/** Penalties of the models that are trained on some rows, the best of which is kept. */
export const penaltiesFor = (rows: NumberedRows, { wd }: LinearLearnerOptions): readonly number[] =>
  wd === undefined ? L2_AUTO : [wd * rows.labels.length];

/** Source: linear-learner's hyperparameters. What it does with fewer rows is not documented; here the job fails. */
const MINI_BATCH_SIZE_DEFAULT = 1_000;

export interface LinearLearnerOptions {
  readonly predictor: 'binary_classifier' | 'multiclass_classifier' | 'regressor';
  /** Of several classes, how many; else 2. */
  readonly classes: number;
  /** Expected number of features; undefined for `auto`. */
  readonly featureDim: number | undefined;
  /** Weight decay per row; undefined for `auto`. */
  readonly wd: number | undefined;
  readonly positiveWeight: number | 'balanced';
  readonly selection: string;
  /** Training rows of one step of the descent, of which there has to be one at least. */
  readonly miniBatchSize: number;
  readonly beta: number;
}

/**
 * Reads linear-learner's hyperparameters (all strings, as SageMaker has them).
 *
 * @throws AwsError ValidationException for what linear-learner would not take, NotImplementedException for what it
 * would and the local cloud does not do.
 */
export function linearLearnerOptions(hyperParameters: Readonly<Record<string, string>>): LinearLearnerOptions {
  const honoured = new Set([
    'feature_dim',
    'wd',
    'positive_example_weight_mult',
    'f_beta',
    'mini_batch_size',
    'num_classes',
    'loss',
    ...Object.keys(ONLY_VALUES),
  ]);
  for (const [name, value] of Object.entries(hyperParameters)) {
    if (!honoured.has(name) && !DESCENT_ONLY.has(name)) {
      throw notImplemented('linear-learner', `hyperparameter ${name}`);
    }
    if (ONLY_VALUES[name] && !ONLY_VALUES[name].includes(value)) {
      throw notImplemented(
        'linear-learner',
        `hyperparameter ${name}=${value} (it takes ${ONLY_VALUES[name].join(', ')})`,
      );
    }
  }
  if (hyperParameters.predictor_type === undefined) {
    throw new AwsError('ValidationException', 'Hyperparameter predictor_type is required by linear-learner');
  }
  const predictor = hyperParameters.predictor_type as LinearLearnerOptions['predictor'];
  const { loss = 'auto' } = hyperParameters;
  if (loss !== 'auto' && loss !== LOSSES[predictor]) {
    throw notImplemented('linear-learner', `hyperparameter loss=${loss} (it takes auto, ${LOSSES[predictor]})`);
  }
  const weight = hyperParameters.positive_example_weight_mult ?? '1.0';
  return {
    predictor,
    // Other types ignore the number of classes.
    classes: predictor === 'multiclass_classifier' ? classCount(hyperParameters) : 2,
    featureDim: numberOf(hyperParameters, 'feature_dim', 'auto'),
    wd: numberOf(hyperParameters, 'wd', 'auto'),
    positiveWeight:
      weight === 'balanced' ? weight : (numberOf(hyperParameters, 'positive_example_weight_mult', undefined) ?? 1),
    selection: hyperParameters.binary_classifier_model_selection_criteria ?? 'accuracy',
    beta: numberOf(hyperParameters, 'f_beta', undefined) ?? 1,
    miniBatchSize: numberOf(hyperParameters, 'mini_batch_size', undefined) ?? MINI_BATCH_SIZE_DEFAULT,
  };
}

function numberOf(hyperParameters: Readonly<Record<string, string>>, name: string, auto: string | undefined) {
  const text = hyperParameters[name];
  if (text === undefined || text === auto) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new AwsError('ValidationException', `Hyperparameter ${name} is ${JSON.stringify(text)}, not a number`);
  }
  return value;
}

/** The number of classes. @throws AwsError ValidationException when there are not 3 to 1,000,000. */
function classCount(hyperParameters: Readonly<Record<string, string>>): number {
  const text = hyperParameters.num_classes;
  const classes = Number(text);
  if (text !== undefined && Number.isInteger(classes) && classes >= 3 && classes <= 1_000_000) return classes;
  throw new AwsError(
    'ValidationException',
    `Hyperparameter num_classes is ${JSON.stringify(text)}; multiclass_classifier requires 3 to 1,000,000`,
  );
}

/**
 * Trains and evaluates. As linear-learner does, it chooses among its models, and calibrates the threshold of
 * `predicted_label`, on the validation rows (on the training rows when there are none) by the selection criterion:
 * highest accuracy by default, highest F-beta, or least loss, with a threshold of 0.5. Metrics of the validation
 * channel are of that threshold. `roc_auc_score` is left out when the validation rows are of one class, where it has
 * no value.
 *
 * @throws TrainingDataError when the training rows are of one class only, or fewer than a mini batch.
 */
export function trainLinearLearner(
  train: LabeledRows,
  validation: LabeledRows | undefined,
  options: LinearLearnerOptions,
): { readonly model: LinearModel; readonly metrics: TrainingOutcome['metrics'] } {
  expectMiniBatch(train, options);
  const count = train.labels.length;
  const positives = train.labels.reduce((sum, label) => sum + label, 0);
  const negatives = count - positives;
  if (positives === 0 || negatives === 0) {
    throw new TrainingDataError(`the training rows are of one class only: ${positives} of ${count} are labeled 1`);
  }
  const positiveWeight = options.positiveWeight === 'balanced' ? negatives / positives : options.positiveWeight;
  const design = designOf(train);
  const fitted = penaltiesFor(train, options).map((l2) => fitModel(train, { l2, positiveWeight }, design));
  const model = best(fitted, validation ?? train, options);
  const metrics = [{ name: 'train:objective_loss', value: meanLoss(model, train) }];
  if (!validation) return { model, metrics };
  const scores = scoresOf(model, validation);
  const confusion = confusionAt(scores, validation.labels, model.threshold);
  const auc = rocAuc(scores, validation.labels);
  metrics.push(
    { name: 'validation:objective_loss', value: meanLoss(model, validation) },
    { name: 'validation:binary_classification_accuracy', value: accuracy(confusion) },
    { name: 'validation:binary_f_beta', value: fBeta(confusion, options.beta) },
    { name: 'validation:precision', value: precision(confusion) },
    { name: 'validation:recall', value: recall(confusion) },
  );
  if (auc !== undefined) metrics.push({ name: 'validation:roc_auc_score', value: auc });
  return { model, metrics };
}

/** @throws TrainingDataError when there are fewer rows than a mini batch. */
export function expectMiniBatch({ labels: { length: count } }: NumberedRows, options: LinearLearnerOptions): void {
  if (count >= options.miniBatchSize) return;
  throw new TrainingDataError(
    `the training rows are ${count}, fewer than one mini batch of ${options.miniBatchSize}: set mini_batch_size to ${count} or less`,
  );
}

/** The model that does best on rows by the selection criterion, with its threshold; of equals, the one of less loss. */
function best(fitted: readonly LinearModel[], rows: LabeledRows, options: LinearLearnerOptions): LinearModel {
  const criterion = criterionOf(options);
  const judged = fitted.map((it) => {
    const scores = scoresOf(it, rows);
    const threshold = criterion ? chooseThreshold(scores, rows.labels, criterion) : 0.5;
    const model = { ...it, threshold };
    const loss = meanLoss(model, rows);
    return { model, loss, value: criterion ? criterion(confusionAt(scores, rows.labels, threshold)) : -loss };
  });
  const [first, ...others] = judged;
  if (!first) throw new RangeError('there is no model to choose');
  return others.reduce((kept, it) => {
    const isBetter = it.value > kept.value || (it.value === kept.value && it.loss < kept.loss);
    return isBetter ? it : kept;
  }, first).model;
}

function criterionOf(options: LinearLearnerOptions): ((confusion: Confusion) => number) | undefined {
  if (options.selection === 'accuracy') return accuracy;
  return options.selection === 'f_beta' ? (confusion) => fBeta(confusion, options.beta) : undefined;
}

function scoresOf(model: LinearModel, rows: LabeledRows): Float64Array {
  return logOdds(model, rows.features, rows.width).map(probability);
}

function meanLoss(model: LinearModel, rows: LabeledRows): number {
  const losses = logOdds(model, rows.features, rows.width).map((odds, row) =>
    logisticLoss(odds, rows.labels[row] ?? 0),
  );
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
