import type { RecordDatum } from './metric-store.ts';

/** Longest line that is looked into, in characters. Source: CloudWatch Logs, 256 KB an event. */
const LINE_LENGTH_MAX = 262_144;

interface Directive {
  readonly Namespace?: unknown;
  readonly Dimensions?: unknown;
  readonly Metrics?: unknown;
}

/**
 * Metrics that a function prints in the embedded metric format: JSON with `_aws`, whose directives say which of its
 * own members are metrics and which are dimensions. Whatever else a line is, it is no metric.
 * Source: CloudWatch, "Specification: Embedded metric format".
 */
export function recordEmbedded(line: string, record: RecordDatum): void {
  if (line.length > LINE_LENGTH_MAX || !line.startsWith('{') || !line.includes('"_aws"')) return;
  const members = parsed(line);
  const aws = members?._aws as { Timestamp?: unknown; CloudWatchMetrics?: unknown } | undefined;
  if (!members || !Array.isArray(aws?.CloudWatchMetrics)) return;
  const timeMs = typeof aws.Timestamp === 'number' ? aws.Timestamp : Date.now();
  for (const { Namespace, Dimensions, Metrics } of aws.CloudWatchMetrics as Directive[]) {
    if (typeof Namespace !== 'string' || !Array.isArray(Metrics)) continue;
    const sets: unknown[] = Array.isArray(Dimensions) && Dimensions.length > 0 ? Dimensions : [[]];
    for (const { Name } of Metrics as { readonly Name?: unknown }[]) {
      const values = [members[String(Name)]].flat().filter((it) => typeof it === 'number');
      for (const set of sets.filter(Array.isArray)) {
        const dimensions = Object.fromEntries(set.map((name) => [String(name), String(members[String(name)])]));
        for (const value of values) record({ namespace: Namespace, name: String(Name), dimensions, value, timeMs });
      }
    }
  }
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
