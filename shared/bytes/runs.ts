import type { Feature } from '../definition/feature-group.ts';
import { type Run, runOf } from './writer.ts';

/** What a categorical feature's categories are written as, by position. None for a feature of another type. */
export function categoryRuns(feature: Feature | 'label', written: (category: string) => string): readonly Run[] {
  if (feature === 'label' || feature.type !== 'categorical') return [];
  return feature.categories.map((category) => runOf(written(category)));
}

/** Whether the feature's texts are digits, points and minus signs, which every format writes as they are. */
export function isNumber(feature: Feature | 'label'): boolean {
  return feature === 'label' || !['string', 'categorical', 'hashed'].includes(feature.type);
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
