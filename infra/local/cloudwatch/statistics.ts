import { AwsError } from '../protocol/aws-error.ts';
import type { Sample } from './metric-store.ts';

/** A percentile's name: p0 to p100, with up to ten digits behind the point. */
const PERCENTILE = /^p(\d{1,3}(?:\.\d{1,10})?)$/;

const STATISTICS: Readonly<Record<string, (sample: Sample) => number>> = {
  SampleCount: ({ values }) => values.reduce((sum, it) => sum + it.count, 0),
  Sum: ({ values }) => values.reduce((sum, it) => sum + it.value * it.count, 0),
  Minimum: ({ values }) => values[0]?.value ?? 0,
  Maximum: ({ values }) => values.at(-1)?.value ?? 0,
  Average: (sample) => (STATISTICS.Sum?.(sample) ?? 0) / (STATISTICS.SampleCount?.(sample) || 1),
};

/** Names of the statistics that are not percentiles. */
const STATISTIC_NAMES = Object.keys(STATISTICS);

/**
 * A statistic of a period: SampleCount, Sum, Minimum, Maximum, Average, or a percentile such as p95, which is the
 * least value that so many of a hundred do not exceed.
 *
 * @throws AwsError InvalidParameterValue for any other
 */
export function statisticOf(name: string): (sample: Sample) => number {
  const statistic = Object.hasOwn(STATISTICS, name) ? STATISTICS[name] : undefined;
  if (statistic) return statistic;
  const percent = Number(PERCENTILE.exec(name)?.[1] ?? Number.NaN);
  if (percent >= 0 && percent <= 100) return (sample) => percentile(sample, percent);
  throw new AwsError(
    'InvalidParameterValue',
    `The local cloud computes the statistics ${STATISTIC_NAMES.join(', ')} and percentiles such as p95, not ${name}.`,
  );
}

function percentile(sample: Sample, percent: number): number {
  const { values } = sample;
  const rank = (percent / 100) * values.reduce((sum, it) => sum + it.count, 0);
  let seen = 0;
  for (const { value, count } of values) {
    seen += count;
    if (seen >= rank) return value;
  }
  return values.at(-1)?.value ?? 0;
}
