import { TRAINING_VARIABLES } from '../../../shared/config/retrain.ts';
import type { Service } from './osls.ts';

/**
 * Takes out of the functions what a definition without a label has no use for: predict, the labels that wake retrain, and
 * the variables of resources that are not there. serverless.yml says all of them, as YAML has no condition.
 */
export function withoutTraining({ functions, custom }: Service): void {
  if (custom.stack.trains) return;
  delete functions.predict;
  const { retrain } = functions;
  if (!retrain) return;
  retrain.events = retrain.events?.filter((event) => !('stream' in event)) ?? [];
  retrain.environment = Object.fromEntries(
    Object.entries(retrain.environment ?? {}).filter(([name]) => !TRAINING_VARIABLES.includes(name)),
  );
}
