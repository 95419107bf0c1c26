import { type Label, labelOf } from '../../definition/feature-group.ts';
import { classesOf, countedClasses, labelKind } from '../../definition/label.ts';
import { type Removed, removeOldModels } from '../../promotion/retention.ts';
import { deleteStrayEndpoints } from '../../promotion/retired.ts';
import { closeEpoch, countPending, readEpochState, reopenEpoch } from '../../state/epochs.ts';
import { type Evidence, readEvidence, servedBefore } from '../../state/evidence.ts';
import { readServing } from '../../state/serving.ts';
import type { Outcome, RetrainDependencies } from '../actions.ts';
import { classCount, type RequestOf, servingOf } from '../event.ts';
import { evidenceOf, fingerprintOf, setEvidence } from './evidence.ts';
import { kindOf, reasonOf } from './failure.ts';

/** How an attempt ends: its model serves, it was refused, it is not worth training, or it failed. */

export const nameOf = ({ epoch, attempt }: { epoch: number; attempt: number }) =>
  `attempt ${attempt} at epoch ${epoch}`;

/** Most attempts that names have room for, whatever becomes of them. */
const ATTEMPTS_NAMED_MAX = 99;

/** Part of the threshold that has to come when there were too few rows. */
const LABELS_AWAITED_PART = 10;

const countedBy = ({ label }: RetrainDependencies['group']) => ({ classes: countedClasses(label) });

export async function close(request: RequestOf<'close'>, { table, group, now }: RetrainDependencies): Promise<Outcome> {
  const { epoch, attempt } = request;
  const closed = { epoch, attempt, evidence: evidenceOf(request), serving: servingOf(request), ...countedBy(group) };
  const changed = await closeEpoch(table, closed, now());
  return { decision: 'close', changed, reason: `The model of ${nameOf(request)} serves.` };
}

export async function refuse(
  request: RequestOf<'refuse'>,
  { table, group, now }: RetrainDependencies,
): Promise<Outcome> {
  const { epoch, attempt, verdict } = request;
  const changed = await closeEpoch(
    table,
    { epoch, attempt, evidence: evidenceOf(request), ...countedBy(group) },
    now(),
  );
  return {
    decision: 'refused',
    changed,
    reason: `The model of ${nameOf(request)} was refused: ${verdict.reason}`,
  };
}

/** What the counts of a training set say. The state machine goes on by `decision`. */
export async function examine(request: RequestOf<'examine'>, dependencies: RetrainDependencies): Promise<Outcome> {
  const { plan, counted, epoch, attempt } = request;
  const { table, group, options, now } = dependencies;
  const lacking = lackOf(counted.counts, options.minimums, labelOf(group));
  if (lacking.length > 0) {
    return { decision: 'too-few-rows', changed: false, reason: `The training set lacks ${lacking.join(', ')}.` };
  }
  const before = await trainedBefore(dependencies, epoch, fingerprintOf(plan, counted));
  if (!before) return { decision: 'worth-training', changed: false, reason: `${nameOf(request)} has enough rows.` };
  const reason = `Its training set is that of ${nameOf(before)}, trained in the same way: there is nothing to learn from it.`;
  const evidence = { ...setEvidence(plan, counted), decision: 'refuse', reason };
  const changed = await closeEpoch(table, { epoch, attempt, evidence, ...countedBy(group) }, now());
  return { decision: 'known', changed, reason };
}

/** What is lacking, in words. */
function lackOf(
  counts: Readonly<Record<string, number>>,
  minimums: RetrainDependencies['options']['minimums'],
  label: Label,
): string[] {
  const parts = [
    ['train', 'to train on', minimums.trainPerClass],
    ['validation', 'to validate on', minimums.validationPerClass],
    ['judge', 'to judge by', minimums.judgePerClass],
  ] as const;
  return parts.flatMap(([part, use, least]) =>
    sidesOf(label).flatMap(({ count, rows }) => {
      const found = counts[`${part}${count}`] ?? 0;
      return found < least ? `${rows} ${use}: ${found} of ${least}` : [];
    }),
  );
}

/** What must be there of each part, as the counts name it: rows of each class, or of a number any. */
function sidesOf(label: Label): { readonly count: string; readonly rows: string }[] {
  switch (labelKind(label)) {
    case 'binary':
      return [
        { count: 'Negatives', rows: 'rows of class 0' },
        { count: 'Positives', rows: 'rows of class 1' },
      ];
    case 'multi-class':
      return classesOf(label).map((number) => ({ count: classCount(number), rows: `rows of class ${number}` }));
    case 'regression':
      return [{ count: 'Rows', rows: 'rows' }];
  }
}

async function trainedBefore(
  { table }: RetrainDependencies,
  epoch: number,
  fingerprint: string,
): Promise<Evidence | undefined> {
  const evidence = await readEvidence(table, epoch);
  return evidence.find((it) => it.fingerprint === fingerprint && it.modelName !== undefined && it.epoch < epoch);
}

/** Gives the epoch back for another attempt, or ends it: by what has failed, and how often. */
export async function fail({ run }: RequestOf<'fail'>, dependencies: RetrainDependencies): Promise<Outcome> {
  const { table, group, options, now } = dependencies;
  const { epoch, attempt, failure, training, counted, verdict } = run;
  const reason = reasonOf(failure.Cause) || failure.Error;
  const failed = { epoch, attempt, error: failure.Error, cause: reason };
  const kind = kindOf(failure.Error);
  const story = `The ${nameOf(run)} failed (${failure.Error}): ${reason}`;
  if (kind === 'final' && training && counted && verdict) {
    const refused = { ...verdict, decision: 'refuse' as const, reason: `${failure.Error}: ${reason}` };
    const evidence = evidenceOf({ action: 'refuse', epoch, attempt, plan: run, training, counted, verdict: refused });
    const changed = await closeEpoch(table, { epoch, attempt, evidence, ...countedBy(group) }, now(), failed);
    return { decision: 'refused', changed, reason: story };
  }
  const most = kind === 'labels' ? ATTEMPTS_NAMED_MAX : options.policy.attemptsMax;
  if (attempt >= most) {
    const last = `${story} It was the last of ${most}: the epoch is given up, and new labels, or a person, start the next training.`;
    const evidence = { ...setEvidence(run, counted), decision: 'failed', reason: last };
    const changed = await closeEpoch(table, { epoch, attempt, evidence, ...countedBy(group) }, now(), failed);
    dependencies.reportGivenUp?.();
    return { decision: 'given-up', changed, reason: last };
  }
  const labelsAwaited = kind === 'labels' ? await labelsAwaitedNow(dependencies) : undefined;
  const changed = await reopenEpoch(table, { ...failed, labelsAwaited }, now());
  return { decision: 'reopen', changed, reason: story };
}

async function labelsAwaitedNow({ table, group, options }: RetrainDependencies): Promise<number> {
  const { total } = await countPending(table, await readEpochState(table), countedClasses(group.label));
  return total + Math.max(1, Math.ceil(options.policy.labelsThreshold / LABELS_AWAITED_PART));
}

/** Removes what nobody needs any more, but not what serves, retires, would be gone back to, or is compared with. */
export async function cleanUp(
  { table, sagemaker, autoscaling, options }: RetrainDependencies,
  alarmNames: readonly string[],
): Promise<Removed & { alarms: number }> {
  const { endpointName: base, modelsKept } = options;
  const serving = await readServing(table);
  const { epoch } = await readEpochState(table);
  const endpoints = serving ? [serving.endpointName ?? base, ...Object.keys(serving.retiring)] : [];
  await deleteStrayEndpoints({ sagemaker, autoscaling }, base, endpoints);
  const evidence = serving ? await readEvidence(table, epoch) : [];
  const before = serving && servedBefore(serving, evidence);
  const best = evidence.find((it) => it.epoch === serving?.epoch)?.comparison?.bestModelName;
  const inUse = [serving, before].flatMap((it) => (it ? [it.modelName, it.endpointConfigName] : [])).concat(best ?? []);
  const removed = await removeOldModels(sagemaker, base, endpoints, modelsKept, inUse, alarmNames);
  return { ...removed, alarms: removed.alarmNames.length };
}
