import { functionLogicalId } from '../cloudformation/logical-ids.ts';

/** Concurrency that is kept for ingest, which osls takes as a number only and not as "none". */
export function concurrencyExtension(ingestConcurrency: number | undefined) {
  if (ingestConcurrency === undefined) return {};
  return {
    [functionLogicalId('ingest')]: { Properties: { ReservedConcurrentExecutions: ingestConcurrency } },
  };
}
