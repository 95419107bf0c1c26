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
import { fitModel, type LabelledRows, type LinearModel, logisticLoss, logOdds, probability } from './linear-model.ts';
import { TrainingDataError } from './training-data.ts';

/**
 * linear-learner, as far as the local cloud goes: `predictor_type=binary_classifier` with logistic loss.
 *
 * How it differs from Amazon's: that one runs stochastic gradient descent over several models in parallel and keeps
 * the best; this one solves the same convex problem exactly, once. So hyperparameters that only steer the descent are
 * taken and have no effect, and `wd=auto` is a fixed mild penalty. Scores and metrics are therefore close to, and
 * not the same as, what AWS would give. Amazon's artefact is an MXNet model; this one's is JSON.
 */

/** Hyperparameters that steer the descent, its parallel models or its calibration sample. No effect on an optimum. */
const DESCENT_ONLY = new Set([
  ...['mini_batch_size', 'epochs', 'num_models', 'num_calibration_samples', 'init_method', 'init_scale', 'init_sigma'],
  ...['init_bias', 'optimizer', 'momentum', 'learning_rate', 'beta_1', 'beta_2', 'bias_lr_mult', 'use_lr_scheduler'],
  ...['lr_scheduler_step', 'lr_scheduler_factor', 'lr_scheduler_minimum_lr', 'num_point_for_scaler'],
  ...['early_stopping_patience', 'early_stopping_tolerance'],
]);

/** Hyperparameters of which only the listed values are honoured. Source: linear-learner's hyperparameters page. */
const ONLY_VALUES: Readonly<Record<string, readonly string[]>> = {
  predictor_type: ['binary_classifier'],
  loss: ['auto', 'logistic'],
  normalize_data: ['auto', 'true'],
  unbias_data: ['auto', 'true', 'false'],
  normalize_label: ['auto', 'false'],
  unbias_label: ['auto', 'false'],
  use_bias: ['true'],
  bias_wd_mult: ['auto', '0'],
  l1: ['auto', '0', '0.0'],
  binary_classifier_model_selection_criteria: ['accuracy', 'f_beta', 'loss_function'],
};

/** Penalty of `wd=auto`, beside the loss summed over the rows: that of scikit-learn's default, `C=1`. */
const L2_AUTO = 1;

export interface LinearLearnerOptions {
  /** Expected number of features; undefined for `auto`. */
  readonly featureDim: number | undefined;
  /** Weight decay per row; undefined for `auto`. */
  readonly wd: number | undefined;
  readonly positiveWeight: number | 'balanced';
  readonly selection: string;
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
  const weight = hyperParameters.positive_example_weight_mult ?? '1.0';
  return {
    featureDim: numberOf(hyperParameters, 'feature_dim', 'auto'),
    wd: numberOf(hyperParameters, 'wd', 'auto'),
    positiveWeight:
      weight === 'balanced' ? weight : (numberOf(hyperParameters, 'positive_example_weight_mult', undefined) ?? 1),
    selection: hyperParameters.binary_classifier_model_selection_criteria ?? 'accuracy',
    beta: numberOf(hyperParameters, 'f_beta', undefined) ?? 1,
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

/** A trained model and what DescribeTrainingJob publishes of it. */
export interface TrainingOutcome {
  readonly model: LinearModel;
  readonly metrics: readonly { readonly name: string; readonly value: number }[];
}

/**
 * Trains and evaluates. As linear-learner does, it calibrates the threshold of `predicted_label` on the validation
 * rows (on the training rows when there are none) to the selection criterion: highest accuracy by default, highest
 * F-beta, or 0.5 for `loss_function`. Metrics of the validation channel are of that threshold. `roc_auc_score` is
 * left out when the validation rows are of one class, where it has no value.
 *
 * @throws TrainingDataError when the training rows are of one class only.
 */
export function trainLinearLearner(
  train: LabelledRows,
  validation: LabelledRows | undefined,
  options: LinearLearnerOptions,
): TrainingOutcome {
  const positives = train.labels.reduce((sum, label) => sum + label, 0);
  const negatives = train.labels.length - positives;
  if (positives === 0 || negatives === 0) {
    throw new TrainingDataError(
      `the training rows are of one class only: ${positives} of ${train.labels.length} are labelled 1`,
    );
  }
  const fitted = fitModel(train, {
    l2: options.wd === undefined ? L2_AUTO : options.wd * train.labels.length,
    positiveWeight: options.positiveWeight === 'balanced' ? negatives / positives : options.positiveWeight,
  });
  const calibration = validation ?? train;
  const scores = scoresOf(fitted, calibration);
  const criterion = criterionOf(options);
  const model = { ...fitted, threshold: criterion ? chooseThreshold(scores, calibration.labels, criterion) : 0.5 };
  const metrics = [{ name: 'train:objective_loss', value: meanLoss(model, train) }];
  if (!validation) return { model, metrics };
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

function criterionOf(options: LinearLearnerOptions): ((confusion: Confusion) => number) | undefined {
  if (options.selection === 'accuracy') return accuracy;
  return options.selection === 'f_beta' ? (confusion) => fBeta(confusion, options.beta) : undefined;
}

function scoresOf(model: LinearModel, rows: LabelledRows): Float64Array {
  return logOdds(model, rows.features, rows.width).map(probability);
}

function meanLoss(model: LinearModel, rows: LabelledRows): number {
  const losses = logOdds(model, rows.features, rows.width).map((odds, row) =>
    logisticLoss(odds, rows.labels[row] ?? 0),
  );
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
