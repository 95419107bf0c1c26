import type { Pace } from '../calls/pace.ts';
import type { Failure, TimedChange } from '../changes/change.ts';

/** What became of a batch in one sink. What is in neither list has been written. */
export interface SinkResult {
  /** Not known to have been written: to be delivered again. */
  readonly failures: readonly Failure[];
  /** Refused by the sink for what they are: to quarantine. */
  readonly rejections: readonly {
    readonly change: TimedChange;
    /** One sentence without values. */
    readonly message: string;
    /** The service's own, which may repeat one. */
    readonly detail: string;
  }[];
}

/**
 * A place that changes are delivered to. `write` gets a batch in stream order and never throws for what the world does
 * to it; each sink states at the top of its file how writing twice does no harm.
 */
export interface Sink {
  readonly name: string;
  write(changes: readonly TimedChange[], pace: Pace): Promise<SinkResult>;
}
