import { type Run, runOf } from './byte-writer.ts';
import type { Feature } from './feature-groups/define.ts';

/** What a categorical feature's categories are written as, by category. Undefined for a feature of another type. */
export function runsByCategory(
  feature: Feature | 'label',
  written: (category: string) => string,
): ReadonlyMap<string, Run> | undefined {
  if (feature === 'label' || feature.type !== 'categorical') return undefined;
  return new Map(feature.categories.map((category) => [category, runOf(written(category))]));
}

/** Keeps the run of the number that was asked for last: most changes of a batch have the event time of the one before. */
export function latestRun(written: (number: number) => string): (number: number) => Run {
  let latest: number | undefined;
  let run = runOf('');
  return (number) => {
    if (number !== latest) {
      run = runOf(written(number));
      latest = number;
    }
    return run;
  };
}
