import type { Pace } from '../../calls/pace.ts';
import type { Failure } from '../../changes/change.ts';
import type { Fence, FenceOf } from '../../changes/event-order.ts';

/** A record whose fences are sought, and the seconds of event time, both included, that they can lie in. */
export interface Sought {
  readonly recordIdentifier: string;
  readonly from: number;
  readonly to: number;
}

/** Fences in the state table. */
export interface Fences {
  /**
   * Fences of records, by record identifier (consistent reads).
   *
   * @throws Error when some could not be read in time: without them no event time can be given.
   */
  read(sought: readonly Sought[], pace: Pace): Promise<Map<string, Fence>>;
  /**
   * Leaves fences, one per record. Idempotent: nothing that stands is taken back by a second or a late writer.
   *
   * @param found what was read before.
   * @returns the changes whose fence could not be written in time, with the last error.
   */
  write(fences: readonly FenceOf[], found: ReadonlyMap<string, Fence>, pace: Pace): Promise<Failure[]>;
}

/** A change whose fence could not be left. */
export const fenceFailure = ({ change }: FenceOf, message: string): Failure => ({
  sequenceNumber: change.sequenceNumber,
  message: `fence: ${message}`,
});
