import { randomUUID } from 'node:crypto';
import { systemTime } from '../../../shared/calls/client-settings.ts';
import { makeDecoder } from '../../../shared/changes/decode.ts';
import { MARGIN_SECONDS_MAX } from '../../../shared/config/history.ts';
import { EXPORT_MARGIN_SECONDS, READING_MARGIN_SECONDS } from '../../../shared/history/dating.ts';
import { RATE, RATE_MAX, WORKERS, WORKERS_MAX } from '../../../shared/history/machine/begin.ts';
import { type BackfillTotals, runBackfill, type Work } from '../../../shared/history/run/backfill.ts';
import type { ChunkCounts } from '../../../shared/history/run/chunk.ts';
import { type Opened, openDestinations } from '../../../shared/history/run/destinations.ts';
import {
  definitionHash,
  plannedFiles,
  plannedScan,
  refusalOf,
  refusalOfGroup,
} from '../../../shared/history/run/plan.ts';
import { adaptiveRate } from '../../../shared/history/run/rate.ts';
import { coveredSince } from '../../../shared/history/table/covered.ts';
import { type BackfillRun, beginBackfill, endBackfill, readBackfill } from '../../../shared/state/backfill/run.ts';
import type { Sources } from '../../insight/sources.ts';
import { exiting, newCommand, runCommand } from '../../terminal/command.ts';
import {
  definitionOption,
  jsonFlag,
  readUnitsOption,
  regionOption,
  stageOption,
  wholeNumber,
} from '../../terminal/options.ts';
import { progressTo } from '../../terminal/progress.ts';
import { withSources } from '../data/sources.ts';
import { EXAMPLE, STAGE, type Target } from '../target.ts';
import { estimate, estimateScan } from './estimate.ts';
import { type Asked, findGiven, type Given, givenOf } from './given.ts';
import { executionInputOf, howFar, isOfMachine, type MachineTotals, runMachine, stopMachine } from './machine.ts';
import { pausing } from './pausing.ts';
import { estimateText, statusText, totalsText } from './report.ts';
import { requestedExport } from './requested-export.ts';

const INTERRUPTED = 'Interrupted: --resume takes the backfill up where it is.';

/** Segments of a scan. */
const SEGMENTS = 4;
const SEGMENTS_MAX = 1_000;

export const command = newCommand(
  'backfill',
  'Writes items that are older than the stream into both stores. The exit code is 1 while rejected rows wait.',
)
  .option('--export <URI|DIR>', 'a DynamoDB export: its folder; once more for each incremental one', collected)
  .option('--export-to <URI>', 'have DynamoDB export the table there, s3://bucket/prefix, and read that')
  .option('--scan', 'read the table itself, in place of an export')
  .option(
    '--segments <N>',
    'parts of the table that a scan reads at once',
    wholeNumber('segments', 1, SEGMENTS_MAX),
    SEGMENTS,
  )
  .addOption(readUnitsOption())
  .option('--data-pipeline <URI|DIR>', 'an export of AWS Data Pipeline: its folder; needs --as-of')
  .option('--csv <FILE>', 'a CSV file whose header names attributes; needs --as-of')
  .option('--as-of <TIME>', 'when the items were as the file says, such as 2026-11-26T12:00:00Z')
  .option('--rate <N>', 'rows a second at most', wholeNumber('rate', 1, RATE_MAX), RATE)
  .option(
    '--clock-margin <SECONDS>',
    `how far the clocks of export, stream and functions may differ; without it ${EXPORT_MARGIN_SECONDS}, of a scan ${READING_MARGIN_SECONDS}`,
    wholeNumber('clock-margin', 1, MARGIN_SECONDS_MAX),
  )
  .option('--state-machine', 'have the deployed stack do it: it exports the table, or reads --export of its bucket')
  .option(
    '--workers <N>',
    'files that the state machine works at once',
    wholeNumber('workers', 1, WORKERS_MAX),
    WORKERS,
  )
  .option('--dry-run', 'verify every file, decode 10,000 rows, and say what it would cost; nothing is written')
  .option('--status', 'show how far the backfill is')
  .option('--resume', 'take the backfill up where it was left')
  .option('--abort', 'end the backfill; what it has written stays')
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .addOption(jsonFlag())
  .action(
    exiting((options) =>
      withSources(options, async (sources, signal, target) => {
        const opened = openDestinations(sources.group, sources.names, target.settings);
        try {
          return await act({ sources, target, opened, signal }, options);
        } finally {
          opened.close();
        }
      }),
    ),
  );

interface Around {
  readonly sources: Sources;
  readonly target: Target;
  readonly opened: Opened;
  readonly signal: AbortSignal;
}

interface Options extends Asked {
  readonly exportTo?: string;
  readonly rate: number;
  readonly stateMachine?: true;
  readonly workers: number;
  readonly dryRun?: true;
  readonly status?: true;
  readonly resume?: true;
  readonly abort?: true;
  readonly json?: true;
}

async function act(around: Around, options: Options): Promise<number> {
  const { table } = around.opened;
  const { status, abort, resume, json } = options;
  const print = (value: object, text: string) => console.log(json ? JSON.stringify(value, undefined, 2) : text);
  const known = await readBackfill(table);
  if (status) {
    const far = await howFar(known, { table, group: around.sources.group, s3: around.opened.s3 });
    print(known ?? {}, statusText(known, far));
    return 0;
  }
  if (abort) {
    const ended = known !== undefined && (await endBackfill(table, known.runId, 'aborted', Date.now()));
    if (!ended) throw new Error('No backfill is under way.');
    if (isOfMachine(known)) await stopMachine(known.owner, around.target.settings);
    print({ runId: known.runId, status: 'aborted' }, 'Aborted. What was written stays: it is what the export says.');
    return 0;
  }
  if (options.stateMachine) {
    const totals = await byMachine(around, options);
    print({ ...totals, asOf: new Date(totals.asOfMs).toISOString() }, totalsText(totals, totals.asOfMs));
    return totals.rejected + totals.wrongLabels === 0 ? 0 : 1;
  }
  const begun = resume ? await takenUp(around, known) : await begin(around, options, print);
  if (!begun) return 0;
  const { run } = begun;
  const totals = await carryOn(around, begun, options.rate);
  print({ runId: run.runId, ...totals, asOf: new Date(begun.asOfMs).toISOString() }, totalsText(totals, begun.asOfMs));
  return totals.rejected + totals.wrongLabels === 0 ? 0 : 1;
}

function byMachine({ sources, opened, target, signal }: Around, options: Options): Promise<MachineTotals> {
  const { group, names } = sources;
  const { table, s3 } = opened;
  const around = { group, table, s3, signal, machineArn: names.backfillMachine, settings: target.settings };
  return runMachine(around, executionInputOf(options));
}

/** A backfill that is under way, and what it reads. */
interface Begun {
  readonly run: BackfillRun;
  readonly work: Work;
  readonly marginSeconds: number;
  /** As of when all that it reads is complete, in epoch milliseconds. */
  readonly asOfMs: number;
}

/** A new backfill; undefined when it is only tried. */
async function begin(
  around: Around,
  options: Options,
  print: (value: object, text: string) => void,
): Promise<Begun | undefined> {
  const { group } = around.sources;
  const { table } = around.opened;
  const given = givenOf(options.exportTo === undefined ? options : await exported(around, options, options.exportTo));
  const sinceMs = Date.now();
  const { exports, ...tried } = await planOf(around, given, sinceMs, 0);
  if (options.dryRun) {
    const { work, unverified } = tried;
    const told = await ('segments' in work
      ? estimateScan(group, table.dynamodb, work.readUnits, options.rate)
      : estimate(group, work.place, work.files, options.rate));
    print({ ...told, unverified }, estimateText(told, unverified));
    return undefined;
  }
  const begun = { runId: randomUUID(), sinceMs, sources: JSON.stringify(given), definition: definitionHash(group) };
  const run = await beginBackfill(table, begun, exports);
  if (!run) throw new Error('A backfill is under way: see --status, take it up with --resume, or end it with --abort.');
  const plan = await planOf(around, given, sinceMs, run.firstExport);
  return { run, ...plan, marginSeconds: given.marginSeconds };
}

/** The options as if the export had been there, once it is. */
async function exported(
  { sources: { group }, opened: { table }, signal }: Around,
  options: Options,
  to: string,
): Promise<Options> {
  if (options.dryRun) throw new Error('A dry run requests no export: leave --export-to or --dry-run out.');
  const refusal = refusalOfGroup(group);
  if (refusal !== undefined) throw new Error(refusal);
  // Whatever else is wrong with the options is said before anything is exported.
  const { marginSeconds } = givenOf({ ...options, export: [...(options.export ?? []), to] });
  if (options.export) throw new Error('Give one of --export and --export-to.');
  const notBeforeMs = (await coveredSince(group, table)) + 2 * marginSeconds * 1_000;
  const progress = progressTo(process.stderr);
  progress.step('Exporting the table');
  try {
    const onWait = (what: string) => progress.at(`waiting ${what}`);
    const folder = await requestedExport(group, table.dynamodb, { to, notBeforeMs, signal, onWait });
    progress.done(folder);
    return { ...options, export: [folder] };
  } finally {
    progress.close();
  }
}

async function takenUp(around: Around, known: BackfillRun | undefined): Promise<Begun> {
  const { group } = around.sources;
  if (known?.status !== 'recording') throw new Error('No backfill is under way: begin one, for example with --export.');
  if (known.definition !== definitionHash(group)) {
    throw new Error(
      `The definition ${group.name} has changed since the backfill began: --abort it, and begin again with an export.`,
    );
  }
  const given = JSON.parse(known.sources) as Given;
  if (given.kind === 'export' && given.locations.length === 0) {
    throw new Error('The state machine has not exported the table yet: take it up with --state-machine --resume.');
  }
  const plan = await planOf(around, given, known.sinceMs, known.firstExport);
  return { run: known, ...plan, marginSeconds: given.marginSeconds };
}

/**
 * What a backfill reads.
 *
 * @param firstExport number of its first export, or of its scan, among all that were ever read.
 * @throws Error in one sentence when the feature group cannot be backfilled from it.
 */
async function planOf(
  { sources: { group }, opened: { table, s3 } }: Around,
  given: Given,
  sinceMs: number,
  firstExport: number,
): Promise<Pick<Begun, 'work' | 'asOfMs'> & { exports: number; unverified: readonly string[] }> {
  const clocks = { marginSeconds: given.marginSeconds, sinceMs };
  const covered = await coveredSince(group, table);
  if (given.kind === 'scan') {
    const refusal = refusalOfGroup(group);
    if (refusal !== undefined) throw new Error(refusal);
    const work = plannedScan(given, firstExport, given.marginSeconds, covered);
    return { work, asOfMs: Math.max(sinceMs, work.notBeforeMs), exports: 1, unverified: [] };
  }
  const { place, sources, unverified } = await findGiven(given, group, s3);
  const refusal = refusalOf(group, sources, clocks, covered);
  if (refusal !== undefined) throw new Error(refusal);
  const files = plannedFiles(sources, firstExport, clocks);
  return { work: { files, place }, asOfMs: sources.at(-1)?.asOfMs ?? 0, exports: sources.length, unverified };
}

async function carryOn(
  { sources: { group }, opened, signal }: Around,
  { run, work, marginSeconds }: Begun,
  rate: number,
): Promise<BackfillTotals> {
  const items =
    'segments' in work ? Number.NaN : work.files.reduce((sum, { file }) => sum + (file.items ?? Number.NaN), 0);
  const through = { rows: 0, rejected: 0 };
  const startedMs = Date.now();
  const progress = progressTo(process.stderr);
  const onProgress = ({ rows, rejected }: ChunkCounts) => {
    if (signal.aborted) throw new Error(INTERRUPTED);
    through.rows += rows;
    through.rejected += rejected;
    const perSecond = Math.round(through.rows / Math.max(1, (Date.now() - startedMs) / 1_000));
    const detail = `${through.rows} rows, ${perSecond} a second, ${through.rejected} rejected`;
    progress.at(detail, Number.isNaN(items) ? undefined : through.rows / items);
  };
  const time = { ...systemTime, sleep: (ms: number) => pausing(ms, signal, INTERRUPTED) };
  const paced = adaptiveRate(rate, time);
  progress.step('segments' in work ? `Backfilling from the table` : `Backfilling ${work.files.length} files`);
  try {
    const totals = await runBackfill(run, work, {
      ...{ group, marginSeconds, onProgress, rate: paced, owner: randomUUID(), decode: makeDecoder(group) },
      ...{ table: opened.table, destinations: opened.destinations(paced), time },
      ...{ putRows: opened.putRows, deleteRows: opened.deleteRows },
    });
    progress.done(`${totals.rows} rows`);
    return totals;
  } finally {
    progress.close();
  }
}

function collected(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

if (import.meta.main) await runCommand(command);
