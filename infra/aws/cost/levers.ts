import type { Line } from './bill.ts';

/** What lowers a line of the bill, by the beginning of its name. */
const LEVERS: Readonly<Record<string, string>> = {
  endpoint: 'a smaller endpointInstanceType; endpointInstanceCount of 1 gives up the canary',
  training: 'a higher labelsThreshold or coolDownSeconds, for fewer trainings',
  'training sets': 'a higher labelsThreshold or coolDownSeconds; features with training: false',
  'snapshots: Athena':
    'a higher labelsThreshold or coolDownSeconds, down to one snapshot a day; features that nobody asks for left out',
  'snapshots: storage': 'a higher labelsThreshold or coolDownSeconds, down to one snapshot a day',
  'online store': 'fewer or smaller features: a write is billed by the kilobyte',
  'state table: fences': 'a greater batching window of ingest, and no more shards than the changes need',
  'state table: label ledger': 'labels that are written once',
  'change log and offline store: storage': 'a lifecycle rule for old partitions, once nobody reads them',
  'change log': 'a greater batching window of ingest',
  ingest: 'a greater batching window of ingest',
  'prediction log': 'more records in one request to predict, as each request is billed for 5 KB at least',
  quarantine: 'fewer records that the definition refuses',
  check: 'a smaller reconcileSample',
  table: 'no point-in-time recovery, which only guards against mistakes',
  metrics: 'nothing: they are the same for every table',
  alarms: 'nothing: they are the same for every table',
};

/** The largest line of a bill, and what lowers it. */
export function largest(lines: readonly Line[]): { readonly line: Line; readonly lever: string } | undefined {
  const [line] = [...lines].sort((a, b) => b.usd - a.usd);
  if (!line) return undefined;
  const [key] = Object.keys(LEVERS)
    .filter((it) => line.what.startsWith(it))
    .sort((a, b) => b.length - a.length);
  return { line, lever: LEVERS[key ?? ''] ?? 'nothing that a param could change' };
}
