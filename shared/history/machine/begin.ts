import { type BackfillRun, beginBackfill, readBackfill } from '../../state/backfill/run.ts';
import { EXPORTS_PREFIX } from '../prefixes.ts';
import { type GivenExports, readChain } from '../run/exports.ts';
import { leaseKeeper } from '../run/lease.ts';
import { definitionHash, refusalOf, refusalOfGroup } from '../run/plan.ts';
import { coveredSince } from '../table/covered.ts';
import { exportRefusalOf } from '../table/exports.ts';
import { type HistoryDependencies, keysOf, MACHINE_LEASE_MS } from './dependencies.ts';

/**
 * Files that are worked at once, and rows a second of all of them, unless something else is asked for: half of what
 * Feature Store's quota lets an account write.
 */
export const WORKERS = 8;
export const WORKERS_MAX = 1_000;
export const RATE = 5_000;
export const RATE_MAX = 1_000_000;

/** What an execution of the state machine may be given. */
export interface ExecutionInput {
  /** Folders of exports under `exports/` of the data bucket, `s3://` URIs; without any the table is exported. */
  readonly exports?: readonly string[];
  readonly workers?: number;
  /** Rows a second at most. */
  readonly rate?: number;
  /** Takes up the backfill that is under way. */
  readonly resume?: boolean;
}

/** What goes through the state machine. */
export interface Begun {
  readonly runId: string;
  readonly workers: number;
  readonly rate: number;
  /** When the table may be exported, as a timestamp; now when there is nothing to be exported. */
  readonly until: string;
}

const UNDER_WAY = 'A backfill is under way: take it up with resume, or end it.';

/** The name of an execution, by which its backfill is known too: an execution that asks twice has begun once. */
const nameOf = (execution: string): string => execution.split(':').at(-1) ?? '';

/**
 * Begins a backfill, or takes the one up that is under way. Idempotent: an execution whose answer was lost has begun.
 *
 * @throws Error in one sentence when there is nothing to be done by this input: then nothing was.
 */
export async function begin(execution: string, input: unknown, dependencies: HistoryDependencies): Promise<Begun> {
  const { group, table, time } = dependencies;
  const asked = inputOf(input);
  const refusal = refusalOfGroup(group);
  if (refusal !== undefined) throw new Error(refusal);
  const known = await readBackfill(table);
  const isMine = known?.status === 'recording' && (asked.resume || known.runId === nameOf(execution));
  if (asked.resume && !isMine) throw new Error('No backfill is under way: start an execution without resume.');
  if (!isMine && known?.status === 'recording') throw new Error(UNDER_WAY);
  const covered = await coveredSince(group, table);
  const run = isMine ? known : await beginAnew(execution, asked.exports, covered, dependencies);
  if (run.definition !== definitionHash(group)) {
    throw new Error(`The definition ${group.name} has changed since the backfill began: abort it, and begin again.`);
  }
  const given = givenOf(run, dependencies);
  // Whatever was deleted before the backfill began to record is gone from an export that is made then.
  const oldEnoughMs = Math.max(run.sinceMs, covered) + (2 * given.marginSeconds + 1) * 1_000;
  const untilMs = given.locations.length > 0 ? time.now() : Math.max(time.now(), oldEnoughMs);
  const leaseMs = MACHINE_LEASE_MS + untilMs - time.now();
  await leaseKeeper(run, { table, time, owner: execution, leaseMs })(true);
  const { runId } = run;
  return { runId, workers: asked.workers, rate: asked.rate, until: new Date(untilMs).toISOString() };
}

async function beginAnew(
  execution: string,
  exports: readonly string[],
  coveredSinceMs: number,
  dependencies: HistoryDependencies,
): Promise<BackfillRun> {
  const { group, table, bucket, place, time, marginSeconds } = dependencies;
  const sinceMs = time.now();
  const given: GivenExports = { kind: 'export', locations: exports, marginSeconds };
  if (exports.length === 0) {
    const refusal = await exportRefusalOf(group.table, table.dynamodb);
    if (refusal !== undefined) throw new Error(refusal);
  } else {
    refuseElsewhere(exports, bucket);
    const { sources } = await readChain(place, keysOf(exports, bucket), group);
    const refusal = refusalOf(group, sources, { marginSeconds, sinceMs }, coveredSinceMs);
    if (refusal !== undefined) throw new Error(refusal);
  }
  const begun = {
    ...{ runId: nameOf(execution), sinceMs, sources: JSON.stringify(given), definition: definitionHash(group) },
  };
  const run = await beginBackfill(table, begun, Math.max(1, exports.length));
  if (run) return run;
  const there = await readBackfill(table);
  if (there?.status === 'recording' && there.runId === begun.runId) return there;
  throw new Error(UNDER_WAY);
}

/** What a backfill reads. @throws Error when a state machine cannot. */
function givenOf({ sources }: BackfillRun, { bucket }: HistoryDependencies): GivenExports {
  const given = JSON.parse(sources) as GivenExports;
  if (given.kind !== 'export') {
    throw new Error('The backfill under way reads no export, which only npm run backfill -- --resume can take up.');
  }
  refuseElsewhere(given.locations, bucket);
  return given;
}

function refuseElsewhere(locations: readonly string[], bucket: string): void {
  const home = `s3://${bucket}/${EXPORTS_PREFIX}`;
  const elsewhere = locations.find((it) => !it.startsWith(home));
  if (elsewhere === undefined) return;
  throw new Error(`${elsewhere} is not under ${home}, which is all that the state machine may read: copy it there.`);
}

/** @throws Error when an execution was given something else than it takes. */
function inputOf(input: unknown): Required<ExecutionInput> {
  const given = (typeof input === 'object' && input !== null ? input : {}) as Record<string, unknown>;
  const { exports = [], workers = WORKERS, rate = RATE, resume = false, ...others } = given;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new Error(`The execution's input has "${unknown}", expected exports, workers, rate or resume.`);
  }
  if (!Array.isArray(exports) || !exports.every((it) => typeof it === 'string')) {
    throw new Error("The execution's input has no list of s3:// URIs as its exports.");
  }
  if (typeof resume !== 'boolean' || (resume && exports.length > 0)) {
    throw new Error("The execution's input has exports beside resume, or a resume that is not true or false.");
  }
  return {
    exports: exports as string[],
    workers: wholeNumber('workers', workers, WORKERS_MAX),
    rate: wholeNumber('rate', rate, RATE_MAX),
    resume,
  };
}

function wholeNumber(name: string, value: unknown, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Error(
    `The execution's input has ${JSON.stringify(value)} as ${name}, expected a whole number, 1 to ${most}.`,
  );
}
