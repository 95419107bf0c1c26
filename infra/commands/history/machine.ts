import { randomUUID } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { systemTime } from '../../../shared/calls/client-settings.ts';
import { errorCode } from '../../../shared/calls/failure.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { ExecutionInput } from '../../../shared/history/machine/begin.ts';
import type { Ended } from '../../../shared/history/machine/ending.ts';
import { type PlannedFile, plannedFiles } from '../../../shared/history/run/plan.ts';
import { progressOfFiles } from '../../../shared/history/run/tail.ts';
import { type BackfillRun, leaveBackfill, readBackfill } from '../../../shared/state/backfill/run.ts';
import type { StateTable } from '../../../shared/state/table.ts';
import { progressTo } from '../../terminal/progress.ts';
import type { ClientSettings } from '../target.ts';
import { findGiven, type GivenFiles } from './given.ts';
import { pausing } from './pausing.ts';

/** Milliseconds between two looks at an execution. */
const LOOK_MS = 2_000;

const GOES_ON =
  'The state machine goes on: --status shows how it stands, --state-machine --resume follows it, and --abort ends it.';

/** What a state machine's backfill came to. */
export type MachineTotals = Extract<Ended, { done: true }>['totals'];

/** What it takes to reach a state machine and what it works on. */
export interface AroundMachine {
  readonly group: FeatureGroup;
  /** Undefined where an older version is deployed. */
  readonly machineArn: string | undefined;
  readonly table: StateTable;
  readonly s3: Pick<S3Client, 'send'>;
  readonly settings: ClientSettings;
  readonly signal: AbortSignal;
}

/** Options of the command that are the state machine's. */
interface MachineOptions {
  readonly export?: readonly string[];
  readonly workers: number;
  readonly rate: number;
  readonly resume?: true;
}
/** Those that are not. */
const OTHERS = ['exportTo', 'scan', 'dataPipeline', 'csv', 'clockMargin', 'dryRun'] as const;

/** What an execution is given. @throws Error when an option is none of the state machine's. */
export function executionInputOf(
  options: MachineOptions & { readonly [name in (typeof OTHERS)[number]]?: unknown },
): ExecutionInput {
  const other = OTHERS.find((name) => options[name] !== undefined);
  if (other !== undefined) {
    const option = other.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new Error(`--state-machine exports the table itself, or reads --export: leave --${option} out.`);
  }
  const { workers, rate, resume = false } = options;
  return { exports: options.export ?? [], workers, rate, resume };
}

/** Whether a backfill is a state machine's: then its owner is an execution. */
export const isOfMachine = ({ owner }: Pick<BackfillRun, 'owner'>): boolean => owner.startsWith('arn:');

/**
 * Has the state machine backfill, and follows it. One that is under way already is followed when it is to be resumed.
 *
 * @throws Error in one sentence when it cannot be begun or has failed, or when somebody interrupts: it goes on then.
 */
export async function runMachine(around: AroundMachine, input: ExecutionInput): Promise<MachineTotals> {
  const sfn = new SFNClient(around.settings);
  try {
    const running = input.resume ? await takenUp(sfn, around) : undefined;
    const executionArn = running ?? (await started(sfn, around, input));
    return await followed(sfn, around, executionArn);
  } finally {
    sfn.destroy();
  }
}

/** Stops the execution that works on a backfill, if it still runs. */
export async function stopMachine(owner: string, settings: ClientSettings): Promise<void> {
  const sfn = new SFNClient(settings);
  try {
    await sfn.send(new StopExecutionCommand({ executionArn: owner, cause: 'npm run backfill -- --abort' }));
  } catch (error) {
    if (errorCode(error) !== 'ExecutionDoesNotExist') throw error;
  } finally {
    sfn.destroy();
  }
}

async function started(sfn: SFNClient, { machineArn, table }: AroundMachine, input: ExecutionInput): Promise<string> {
  if (machineArn === undefined) throw new Error('The stack has no state machine of backfills: deploy this version.');
  const known = await readBackfill(table);
  if (!input.resume && known?.status === 'recording') {
    throw new Error('A backfill is under way: see --status, take it up with --resume, or end it with --abort.');
  }
  const { executionArn = '' } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn: machineArn, name: randomUUID(), input: JSON.stringify(input) }),
  );
  return executionArn;
}

/** The execution that works on the backfill; none when it has ended: then it holds the backfill no longer. */
async function takenUp(sfn: SFNClient, { table }: AroundMachine): Promise<string | undefined> {
  const known = await readBackfill(table);
  if (known?.status !== 'recording') throw new Error('No backfill is under way: begin one with --state-machine.');
  if (!isOfMachine(known)) return undefined;
  const status = await statusOf(sfn, known.owner);
  if (status === 'RUNNING') return known.owner;
  await leaveBackfill(table, known.runId, known.owner);
  return undefined;
}

async function statusOf(sfn: SFNClient, executionArn: string): Promise<string> {
  try {
    return (await sfn.send(new DescribeExecutionCommand({ executionArn }))).status ?? '';
  } catch (error) {
    // An execution is forgotten after 90 days.
    if (errorCode(error) === 'ExecutionDoesNotExist') return 'FORGOTTEN';
    throw error;
  }
}

async function followed(sfn: SFNClient, around: AroundMachine, executionArn: string): Promise<MachineTotals> {
  const { signal, table } = around;
  const progress = progressTo(process.stderr);
  progress.step('Backfilling by the state machine');
  let plan: Plan | undefined;
  try {
    for (;;) {
      const told = await sfn.send(new DescribeExecutionCommand({ executionArn }));
      if (told.status === 'SUCCEEDED') {
        const totals = JSON.parse(told.output ?? '') as MachineTotals;
        progress.done(`${totals.rows} rows`);
        return totals;
      }
      const run = await readBackfill(table);
      if (told.status !== 'RUNNING') throw new Error(failureOf(told, run?.status === 'recording'));
      if (run?.owner === executionArn) {
        plan ??= await planned(run, around);
        const { text, share } = await farOf(run, plan, table);
        progress.at(text, share);
      }
      await pausing(LOOK_MS, signal, GOES_ON);
    }
  } finally {
    progress.close();
  }
}

/** Files of a backfill whose exports are there. */
interface Plan {
  readonly files: readonly PlannedFile[];
  readonly items: number;
}

/** How far a state machine is with a backfill; undefined of another, or of one that is over. */
export async function howFar(
  run: BackfillRun | undefined,
  around: Pick<AroundMachine, 'group' | 's3' | 'table'>,
): Promise<string | undefined> {
  if (run?.status !== 'recording' || !isOfMachine(run)) return undefined;
  return (await farOf(run, await planned(run, around), around.table)).text;
}

async function planned(
  run: BackfillRun,
  { group, s3 }: Pick<AroundMachine, 'group' | 's3'>,
): Promise<Plan | undefined> {
  const given = JSON.parse(run.sources) as GivenFiles;
  if (given.locations.length === 0) return undefined;
  const { sources } = await findGiven(given, group, s3);
  const clocks = { marginSeconds: given.marginSeconds, sinceMs: run.sinceMs };
  const files = plannedFiles(sources, run.firstExport, clocks);
  return { files, items: files.reduce((sum, { file }) => sum + (file.items ?? 0), 0) };
}

async function farOf(
  run: BackfillRun,
  plan: Plan | undefined,
  table: StateTable,
): Promise<{ text: string; share: number | undefined }> {
  if (!plan) return { text: 'waiting for the export', share: undefined };
  const progress = [...(await progressOfFiles(table, run.runId, plan.files, systemTime)).values()];
  const rows = progress.reduce((sum, it) => sum + it.rows, 0);
  const rejected = progress.reduce((sum, it) => sum + it.rejected, 0);
  const done = progress.filter((it) => it.done).length;
  const text = `${rows} rows, ${rejected} rejected, ${done} of ${plan.files.length} files`;
  return { text, share: plan.items === 0 ? undefined : rows / plan.items };
}

/** @param isLeft whether a backfill has begun, and was left. */
function failureOf({ status, error, cause }: DescribeExecutionCommandOutput, isLeft: boolean): string {
  const why = [error, sentenceOf(cause)].filter(Boolean).join(': ').replace(/\.$/, '');
  if (!isLeft) return `The state machine has begun nothing, or it was ended (${status}, ${why}).`;
  return `The execution of the state machine is ${status} (${why}): --state-machine --resume takes the backfill up, --abort ends it.`;
}

/** What the function said, of a cause that is its whole answer. */
function sentenceOf(cause: string | undefined): string | undefined {
  try {
    return (JSON.parse(cause ?? '') as { errorMessage?: string }).errorMessage ?? cause;
  } catch {
    return cause;
  }
}
