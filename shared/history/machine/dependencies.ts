import type { Time } from '../../calls/pace.ts';
import type { Decoder } from '../../changes/decode.ts';
import type { FeatureGroup } from '../../definition/feature-group.ts';
import { type BackfillRun, readBackfill } from '../../state/backfill/run.ts';
import type { StateTable } from '../../state/table.ts';
import type { Place } from '../places.ts';
import type { BackfillDestinations } from '../run/chunk.ts';
import { type GivenExports, readChain } from '../run/exports.ts';
import { type KeepLease, leaseKeeper } from '../run/lease.ts';
import { type PlannedFile, plannedFiles, type Source } from '../run/plan.ts';
import type { Rate } from '../run/rate.ts';

/**
 * How long nobody else may work on a backfill whose state machine is not heard of, in milliseconds: longer than one of
 * its waits, or a function that is tried again.
 */
export const MACHINE_LEASE_MS = 900_000;

/** What the actions of a backfill's state machine stand on. */
export interface HistoryDependencies {
  readonly group: FeatureGroup;
  readonly decode: Decoder;
  readonly table: StateTable;
  /** The data bucket: exports lie in it, and lists of files. */
  readonly bucket: string;
  readonly place: Place;
  /** How far clocks may differ. */
  readonly marginSeconds: number;
  readonly time: Time;
  /** Puts an object into the data bucket. */
  putList(key: string, text: string): Promise<void>;
  destinations(rate: Rate): BackfillDestinations;
  putRows(key: string, rows: Uint8Array): Promise<void>;
  deleteRows(key: string): Promise<void>;
}

/** One invocation: a name that is no other's, and the time it has left, in milliseconds. */
export interface Invocation {
  readonly name: string;
  remainingMs(): number;
}

/** Whose backfill it is: the ARN of an execution, and the backfill that it has begun or taken up. */
export interface Holding {
  readonly execution: string;
  readonly runId: string;
}

/** A backfill that is an execution's, what it reads, and what keeps it so. */
export interface Held {
  readonly run: BackfillRun;
  readonly given: GivenExports;
  readonly keepLease: KeepLease;
}

/**
 * Keeps a backfill for an execution that has it. Of an execution that somebody has stopped the function may go on: once
 * the backfill was left, it must not have it again.
 * @throws Error in one sentence when it is somebody else's, or over.
 */
export async function held({ execution, runId }: Holding, { table, time }: HistoryDependencies): Promise<Held> {
  const lease = { table, time, owner: execution, leaseMs: MACHINE_LEASE_MS, onlyKeeps: true };
  const keepLease = leaseKeeper({ runId }, lease);
  await keepLease(true);
  const run = await readBackfill(table);
  if (run?.runId !== runId) throw new Error(`The backfill ${runId} is not under way any more.`);
  return { run, given: JSON.parse(run.sources) as GivenExports, keepLease };
}

/** All files that a backfill reads, in their order, and the exports that they are of. */
export async function planOf(
  run: BackfillRun,
  given: GivenExports,
  { group, place, bucket }: HistoryDependencies,
): Promise<{ files: PlannedFile[]; sources: Source[] }> {
  const { sources } = await readChain(place, keysOf(given.locations, bucket), group);
  const clocks = { marginSeconds: given.marginSeconds, sinceMs: run.sinceMs };
  return { files: plannedFiles(sources, run.firstExport, clocks), sources };
}

/** The keys of URIs in a bucket. */
export const keysOf = (locations: readonly string[], bucket: string): string[] =>
  locations.map((it) => it.slice(`s3://${bucket}/`.length));
