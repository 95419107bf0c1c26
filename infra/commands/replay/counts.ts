/** What became of the records of one or more batches, as ingest's metrics count them. */
export interface Counts {
  readonly records: number;
  readonly delivered: number;
  readonly superseded: number;
  readonly deleted: number;
  readonly quarantined: number;
  readonly failed: number;
}

/** Namespace of the project's metrics, and the metric of each count. */
const NAMESPACE = 'Tributary';
const METRICS: Readonly<Record<keyof Counts, string>> = {
  records: 'RecordsIn',
  delivered: 'Delivered',
  superseded: 'Superseded',
  deleted: 'Deleted',
  quarantined: 'Quarantined',
  failed: 'Failed',
};

export const NOTHING: Counts = { records: 0, delivered: 0, superseded: 0, deleted: 0, quarantined: 0, failed: 0 };

/** Reads the counts of a batch from a line of a function's log; undefined when it is another line. */
export function countsOf(line: string): Counts | undefined {
  if (!line.startsWith('{')) return undefined;
  let entry: Record<string, unknown> & { _aws?: { CloudWatchMetrics?: readonly { Namespace?: string }[] } };
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined;
  }
  const ours = entry._aws?.CloudWatchMetrics?.some(({ Namespace }) => Namespace === NAMESPACE);
  if (!ours || typeof entry[METRICS.records] !== 'number') return undefined;
  const counts = Object.entries(METRICS).map(([count, metric]) => [count, Number(entry[metric] ?? 0)]);
  return Object.fromEntries(counts) as Counts;
}

export function sum(all: readonly Counts[]): Counts {
  return all.reduce(
    (total, counts) =>
      Object.fromEntries(
        Object.entries(total).map(([count, value]) => [count, value + counts[count as keyof Counts]]),
      ) as unknown as Counts,
    NOTHING,
  );
}

/** Whether every record has exactly one fate. */
export function areConserved({ records, delivered, superseded, deleted, quarantined }: Counts): boolean {
  return records === delivered + superseded + deleted + quarantined;
}
