import { type RetrainingStatus, readStatus } from '../../../shared/training/status.ts';
import { type Batch, batchReader, type Rejected } from './batches.ts';
import { stateOf } from './executions.ts';
import type { LiveSources } from './live-sources.ts';

/** What is seen of a stack at one moment, and what has come since the look before. */
export interface Look {
  readonly status: RetrainingStatus;
  /** State of the training in flight. */
  readonly state: string | undefined;
  readonly batches: readonly Batch[];
  readonly rejected: readonly Rejected[];
}

/** Makes what looks at a stack again and again. @param sinceMs from when on batches are told. */
export function watcher(sources: LiveSources, sinceMs: number): () => Promise<Look> {
  const batches = batchReader(sources, sinceMs);
  const { dynamodb, names, group, config } = sources;
  return async () => {
    const [status, found] = await Promise.all([
      readStatus({ name: names.stateTable, dynamodb }, group, config, Date.now()),
      batches.read(),
    ]);
    const { inFlight } = status;
    return { status, state: inFlight ? await stateOf(sources, inFlight.executionName) : undefined, ...found };
  };
}
