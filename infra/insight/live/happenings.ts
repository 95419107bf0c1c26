import { byClass } from '../../../shared/state/label-ledger.ts';
import type { RetrainingStatus } from '../../../shared/training/status.ts';
import type { Look } from './look.ts';

/** Something that has happened, told in one line. No values of records are in it. */
export interface Happening {
  readonly kind: 'batch' | 'quarantine' | 'labels' | 'training' | 'epoch' | 'swap' | 'loop' | 'failure';
  readonly text: string;
}

/** Shares of the threshold that labels are told at. */
const MILESTONES = [0.25, 0.5, 0.75, 1];

/** States that are told, and what the training does in each. The others take no time, or are told by their outcome. */
const DOING: Readonly<Record<string, string>> = {
  WaitForChangeLog: "waits for Firehose's buffer",
  BuildSnapshot: 'reads what has changed since the last snapshot',
  BuildTrainingSet: 'builds the training set',
  Train: 'trains',
  BuildSharedRows: 'encodes the rows to judge by for both schemas',
  ScoreChallenger: 'scores the challenger',
  ScoreChampion: 'scores the champion',
  ScoreLeader: 'scores the best model so far',
  JudgeChallenger: 'judges',
  WaitForApproval: 'waits for npm run approve',
  CreateEndpoint: 'makes an endpoint',
  UpdateEndpoint: 'swaps the model in',
  ProbeEndpoint: 'probes the endpoint',
};

/** What happened between two looks, in the order of a record's way. @param threshold labels that make a training due. */
export function happenings(before: Look | undefined, after: Look, threshold: number): Happening[] {
  return [
    ...batchHappenings(after),
    ...(before
      ? [...labelHappenings(before.status, after.status, threshold), ...trainingHappenings(before, after)]
      : []),
  ];
}

function batchHappenings({ batches, rejected }: Look): Happening[] {
  const sum = (
    count: 'RecordsIn' | 'Delivered' | 'Superseded' | 'Deleted' | 'Quarantined' | 'Skipped' | 'Failed' | 'LabelEvents',
  ) => batches.reduce((total, batch) => total + batch[count], 0);
  const told = [
    [sum('Delivered'), 'delivered'],
    [sum('Superseded'), 'superseded'],
    [sum('Deleted'), 'deleted'],
    [sum('Quarantined'), 'in quarantine'],
    [sum('Skipped'), 'skipped'],
    [sum('Failed'), 'to be delivered again'],
    [sum('LabelEvents'), 'with a new label'],
  ] as const;
  const counts = told.flatMap(([count, what]) => (count > 0 ? `${count} ${what}` : []));
  const lag = Math.max(0, ...batches.map(({ WatermarkLag = 0 }) => WatermarkLag));
  const one = `${counted(sum('RecordsIn'), 'record')}: ${counts.join(', ') || 'nothing to do'}; ${lag} s behind`;
  return [
    ...(batches.length > 0 ? [{ kind: 'batch' as const, text: `${counted(batches.length, 'batch')} of ${one}` }] : []),
    ...rejected.map(({ records, examples }): Happening => {
      const reasons = new Set(examples.map(({ reason, path }) => (path === '' ? reason : `${reason} at ${path}`)));
      const text = `${counted(records, 'record')} put into quarantine: ${[...reasons].join(', ')}. See npm run redrive -- --list`;
      return { kind: 'quarantine', text };
    }),
  ];
}

function labelHappenings(before: RetrainingStatus, after: RetrainingStatus, threshold: number): Happening[] {
  const former = before.epoch === after.epoch ? before.labels.total : 0;
  const { total } = after.labels;
  const passed = MILESTONES.filter((share) => former < share * threshold && total >= share * threshold).at(-1);
  if (passed === undefined) return [];
  const classes = byClass(after.labels)
    .map(([label, count]) => `${count} of class ${label}`)
    .join(' and ');
  const text = `${total} of ${threshold} labels of epoch ${after.epoch}${classes === '' ? '' : `, ${classes}`}`;
  return [{ kind: 'labels', text }];
}

function trainingHappenings(before: Look, after: Look): Happening[] {
  const [was, is] = [before.status, after.status];
  const known = new Set(was.trainings.map(attemptOf));
  const closed = is.trainings.filter((it) => !known.has(attemptOf(it))).reverse();
  const decided = { promote: 'promoted', refuse: 'refused', failed: 'given up' };
  const doing = after.state === undefined ? undefined : DOING[after.state];
  const isNewState = after.state !== before.state || was.inFlight?.executionName !== is.inFlight?.executionName;
  return [
    ...(is.inFlight && doing && isNewState
      ? [told('training', `Training of epoch ${is.inFlight.epoch}, attempt ${is.inFlight.attempt}, ${doing}`)]
      : []),
    ...(is.lastFailure && is.lastFailure.failedAtMs !== was.lastFailure?.failedAtMs
      ? [
          told(
            'failure',
            `Training of epoch ${is.lastFailure.epoch} failed: ${is.lastFailure.error}: ${is.lastFailure.cause}`,
          ),
        ]
      : []),
    ...closed.map((it) => told('epoch', `Epoch ${it.epoch} ${decided[it.decision]}: ${it.reason}`)),
    ...swapHappenings(was, is),
    ...(is.paused && is.paused.at !== was.paused?.at ? [told('loop', `The loop is paused: ${is.paused.reason}`)] : []),
    ...(was.paused && !is.paused ? [told('loop', 'The loop goes on')] : []),
  ];
}

function swapHappenings({ serving: was }: RetrainingStatus, { serving: is }: RetrainingStatus): Happening[] {
  if (!is || is.modelName === was?.modelName) return [];
  const why = is.rolledBack ? `, rolled back: ${is.rolledBack.reason}` : '';
  return [told('swap', `${is.modelName} serves${was ? ` in place of ${was.modelName}` : ', the first model'}${why}`)];
}

const told = (kind: Happening['kind'], text: string): Happening => ({ kind, text });
const attemptOf = ({ epoch, attempt }: { epoch: number; attempt: number }): string => `${epoch}-${attempt}`;

function counted(count: number, what: string): string {
  if (count === 1) return `1 ${what}`;
  return `${count} ${what.endsWith('ch') ? `${what}es` : `${what}s`}`;
}
