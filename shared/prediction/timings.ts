import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

/** Steps of a prediction, with the names of their metrics in CloudWatch. */
const METRIC_NAMES = {
  'online-read': 'OnlineReadLatency',
  encode: 'EncodeLatency',
  endpoint: 'EndpointLatency',
} as const;

type Step = keyof typeof METRIC_NAMES;

/** How long the steps of one prediction took, in milliseconds, in their order. A step that failed is measured too. */
export class Timings {
  readonly #durations = new Map<Step, number>();

  async measure<T>(step: Step, run: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await run();
    } finally {
      this.#durations.set(step, performance.now() - began);
    }
  }

  get durations(): ReadonlyMap<Step, number> {
    return this.#durations;
  }
}

/** The timings as a Server-Timing header, which browsers and tracing tools read. Source: W3C Server Timing. */
export function serverTiming({ durations }: Timings): string {
  return [...durations].map(([step, millis]) => `${step};dur=${millis.toFixed(2)}`).join(', ');
}

/** Publishes the timings as one embedded-metric-format line, by feature group. */
export function publishTimings(featureGroup: string, { durations }: Timings): void {
  if (durations.size === 0) return;
  const metrics = new Metrics();
  metrics.addDimension('feature_group', featureGroup);
  for (const [step, millis] of durations) metrics.addMetric(METRIC_NAMES[step], MetricUnit.Milliseconds, millis);
  metrics.publishStoredMetrics();
}
