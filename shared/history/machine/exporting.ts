import { keepSources } from '../../state/backfill/run.ts';
import { EXPORTS_PREFIX } from '../prefixes.ts';
import type { GivenExports } from '../run/exports.ts';
import { describeExport, requestExport } from '../table/exports.ts';
import { type HistoryDependencies, type Holding, held } from './dependencies.ts';

/**
 * Shortest and longest wait between two looks at an export, in seconds; in between, a part of how long it has taken. An
 * execution has 25,000 events at most, and each look has seven.
 */
const WAIT_SECONDS = { least: 2, most: 120 };
const WAIT_PART = 0.25;

/** How an export stands, and when to look again. */
export type Exported = { readonly done: true } | { readonly done: false; readonly waitSeconds: number };

/**
 * Requests the export that a backfill reads, or looks whether it is complete. Idempotent: a backfill's request has a
 * token of its own, by which DynamoDB makes one export of two requests.
 *
 * @throws Error in one sentence when the table cannot be exported, or the export has failed: the next call asks anew.
 */
export async function exporting(holding: Holding, dependencies: HistoryDependencies): Promise<Exported> {
  const { group, table, bucket, time } = dependencies;
  const { run, given } = await held(holding, dependencies);
  const keep = async (next: GivenExports) => {
    const kept = await keepSources(table, {
      runId: run.runId,
      owner: holding.execution,
      sources: JSON.stringify(next),
    });
    if (!kept) throw new Error('Somebody else works on this backfill, or it was ended.');
  };
  const { requested, failures = 0, ...settled } = given;
  if (given.locations.length > 0) return { done: true };
  if (requested === undefined) {
    const target = { bucket, prefix: EXPORTS_PREFIX.slice(0, -1), token: `${run.runId}-${failures}` };
    await keep({ ...given, requested: await requestExport(group.table, table.dynamodb, target) });
    return { done: false, waitSeconds: WAIT_SECONDS.least };
  }
  const told = await describeExport(table.dynamodb, requested.arn);
  if (told.ExportStatus === 'COMPLETED') {
    await keep({ ...settled, locations: [requested.folder] });
    return { done: true };
  }
  if (told.ExportStatus === 'FAILED') {
    await keep({ ...settled, failures: failures + 1 });
    throw new Error(`The export to ${requested.folder} failed (${told.FailureCode}: ${told.FailureMessage}).`);
  }
  const takenSeconds = (time.now() - (told.StartTime?.getTime() ?? time.now())) / 1_000;
  const waitSeconds = Math.round(takenSeconds * WAIT_PART);
  return { done: false, waitSeconds: Math.min(WAIT_SECONDS.most, Math.max(WAIT_SECONDS.least, waitSeconds)) };
}
