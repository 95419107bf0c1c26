import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { STATUS } from './refusal.ts';

/** Steps of a prediction, with the names of their metrics in CloudWatch. */
const METRIC_NAMES = {
  'online-read': 'OnlineReadLatency',
  encode: 'EncodeLatency',
  endpoint: 'EndpointLatency',
  log: 'PredictionLogLatency',
} as const;

type Step = keyof typeof METRIC_NAMES;

/** How long the steps of one prediction took, in milliseconds, in their order, and how it ended. A step that failed is measured too. */
export class Timings {
  readonly #durations = new Map<Step, number>();
  #failed: Step | undefined;
  #refusedWith: number | undefined;
  #unlogged: { readonly count: number; readonly error: string } | undefined;

  async measure<T>(step: Step, run: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await run();
    } catch (error) {
      this.#failed = step;
      throw error;
    } finally {
      this.#durations.set(step, performance.now() - began);
    }
  }

  /** Notes the status that the prediction was refused with. */
  refused(statusCode: number): void {
    this.#refusedWith = statusCode;
  }

  /** Notes how many predictions the log did not take, and why; not asked without a log. */
  notLogged(unlogged: { readonly count: number; readonly error: string }): void {
    this.#unlogged = unlogged;
  }

  /** Predictions that the log did not take, and why; undefined without a log. */
  get unlogged() {
    return this.#unlogged;
  }

  get durations(): ReadonlyMap<Step, number> {
    return this.#durations;
  }

  /** Names of the metrics that count how a prediction ended: what the alarms of the model that serves watch. */
  get counted(): string[] {
    return [
      'Predictions',
      ...(this.#failed === 'endpoint' ? ['EndpointErrors'] : []),
      ...(this.#refusedWith === STATUS.conflict ? ['PredictionConflicts'] : []),
    ];
  }
}

/** The timings as a Server-Timing header, which browsers and tracing tools read. Source: W3C Server Timing. */
export function serverTiming({ durations }: Timings): string {
  return [...durations].map(([step, millis]) => `${step};dur=${millis.toFixed(2)}`).join(', ');
}

/** Publishes the timings and the end as one embedded-metric-format line, by feature group. */
export function publishTimings(featureGroup: string, { durations, counted, unlogged }: Timings): void {
  const metrics = new Metrics();
  metrics.addDimension('feature_group', featureGroup);
  for (const [step, millis] of durations) metrics.addMetric(METRIC_NAMES[step], MetricUnit.Milliseconds, millis);
  for (const name of counted) metrics.addMetric(name, MetricUnit.Count, 1);
  if (unlogged) {
    metrics.addMetric('PredictionsNotLogged', MetricUnit.Count, unlogged.count);
    if (unlogged.count > 0) metrics.addMetadata('predictionLogError', unlogged.error);
  }
  metrics.publishStoredMetrics();
}
