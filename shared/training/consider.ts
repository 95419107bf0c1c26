import { labelOf } from '../definition/feature-group.ts';
import { countedClasses, labelKind } from '../definition/label.ts';
import { encodingOf } from '../model/encoding.ts';
import { endpointName } from '../model/names.ts';
import { scalingRefusal } from '../promotion/autoscaling.ts';
import { floorText, metricFor } from '../promotion/gate.ts';
import { deleteRetiredEndpoints } from '../promotion/retired.ts';
import { readBackfill } from '../state/backfill/run.ts';
import { writeEncoding } from '../state/encodings.ts';
import { claimEpoch, countPending, type EpochState, readEpochState, reopenEpoch } from '../state/epochs.ts';
import { readEvidence } from '../state/evidence.ts';
import { classesText, type LabelCounts } from '../state/label-ledger.ts';
import { readServing, type ServingRecord } from '../state/serving.ts';
import { readSnapshot } from '../state/snapshots.ts';
import type { Outcome, RetrainDependencies } from './actions.ts';
import { startTraining } from './execution.ts';
import { trainingOf, trainingPlan } from './plan.ts';
import { type Circumstances, type Decision, decide, decideWithoutCounts } from './policy.ts';

/**
 * Starts a training when one is due.
 *
 * @param asked why a person asks for one now, whatever the labels.
 */
export async function considerTraining(dependencies: RetrainDependencies, asked?: string): Promise<Outcome> {
  const { table, sfn, options, now } = dependencies;
  const serving = await readServing(table);
  const state = await readEpochState(table);
  if (serving) await keepHouse(dependencies, serving, state);
  const known = { ...circumstances(dependencies, state, serving), asked };
  const { decision, counts } = await decideNow(dependencies, known);
  if (decision.decision === 'wait') return decision;
  if (decision.decision === 'train' && asked === undefined && (await readBackfill(table))?.status === 'recording') {
    const reason = 'A backfill is under way: labels are counted, and it is decided once it has ended.';
    return { decision: 'wait', reason };
  }
  const refusal = await deploymentRefusal(dependencies, decision);
  if (refusal !== undefined) return { decision: 'wait', reason: refusal };

  const training =
    decision.decision === 'resume' ? decision.training : await claim(dependencies, decision, own(counts, state));
  if (!training) return { decision: 'wait', reason: 'Another invocation has just moved the epoch on.' };

  const execution = await startTraining(sfn, options.stateMachineArn, training);
  if (execution === 'running') return decision;
  // An execution closes or reopens its epoch before it ends; one that was aborted or timed out did neither.
  const failure = {
    ...training,
    error: 'ExecutionEnded',
    cause: `${training.executionName} ended and left its epoch.`,
  };
  const changed = await reopenEpoch(table, failure, now());
  return { decision: 'reopen', changed, reason: failure.cause };
}

/** What would be trained now, and what the gate would ask for. Nothing is changed. */
export async function tellTraining(dependencies: RetrainDependencies, asked: string): Promise<Outcome> {
  const { table, options, group } = dependencies;
  const [serving, state, snapshot] = await Promise.all([
    readServing(table),
    readEpochState(table),
    readSnapshot(table),
  ]);
  const pending = await countPending(table, state, countedClasses(group.label));
  const decision = decide({ ...circumstances(dependencies, state, serving), asked, counts: pending });
  const [last] = await readEvidence(table, state.epoch, 1 + Number(state.epoch > 1));
  const rows = Object.entries(last?.counts ?? {}).flatMap(([name, count]) =>
    name.endsWith('Rows') ? `${name} ${count}` : [],
  );
  const { gate, minimums } = options;
  const kind = labelKind(labelOf(group));
  const refusal = await deploymentRefusal(dependencies, decision);
  const sentences = [
    refusal ??
      (decision.decision === 'train'
        ? `Epoch ${decision.epoch}, attempt ${decision.attempt}, would be trained now, by ${options.trainingAlgorithm}, schema ${encodingOf(group).schemaHash}.`
        : decision.reason),
    `${pending.total} newly labeled records${classesText(pending)} beside those of earlier trainings${rows.length > 0 ? ` (the last had ${rows.join(', ')})` : ''}.`,
    snapshot
      ? `Read from snapshot ${snapshot.name} and the changes since ${snapshot.watermark}.`
      : 'Read from all of the change log.',
    `${kind === 'regression' ? 'A training' : 'Each class'} needs ${minimums.trainPerClass} rows to train on, ${minimums.validationPerClass} to validate on, ${minimums.judgePerClass} to judge by.`,
    serving
      ? `The gate asks for a gain in ${metricFor(kind, gate.metric)} over ${serving.modelName} that lies above ${gate.minimumGain} at ${gate.confidence} %.`
      : `The gate asks for ${floorText(kind, gate.floor)} (at ${gate.confidence} %), as nothing serves.`,
  ];
  return { decision: 'dry-run', changed: false, reason: sentences.join(' ') };
}

/** Why the model of a training that is due could not be deployed: asked before the training is paid for. */
export async function deploymentRefusal(
  {
    options,
    group,
    sagemaker,
    autoscaling,
  }: Pick<RetrainDependencies, 'group' | 'sagemaker' | 'autoscaling'> & {
    readonly options: Pick<RetrainDependencies['options'], 'endpointName' | 'endpointInstanceType'>;
  },
  { decision }: Decision,
): Promise<string | undefined> {
  if (decision !== 'train') return undefined;
  const name = endpointName(options.endpointName, encodingOf(group).schemaHash);
  return scalingRefusal({ sagemaker, autoscaling }, name, options.endpointInstanceType);
}

export function circumstances(
  {
    options,
    group,
    now,
  }: Pick<RetrainDependencies, 'group' | 'now'> & { options: Pick<RetrainDependencies['options'], 'policy'> },
  state: EpochState,
  serving: ServingRecord | undefined,
): Circumstances {
  const schemas = { defined: encodingOf(group).schemaHash, serving: serving?.schemaHash };
  return { state, policy: options.policy, now: now(), schemas };
}

async function decideNow(
  { table, group, report }: RetrainDependencies,
  known: Circumstances,
): Promise<{ decision: Decision; counts?: LabelCounts }> {
  const decided = decideWithoutCounts(known);
  // A first attempt's claim keeps how many labels there were.
  if (decided && !(decided.decision === 'train' && decided.attempt === 1)) return { decision: decided };
  const counts = await countPending(table, known.state, countedClasses(group.label));
  report?.(counts);
  return { decision: decide({ ...known, counts }), counts };
}

/** Of labels that count towards an epoch, its own: those that were carried over are counted, once and for all, now. */
function own(counts: LabelCounts | undefined, { carried }: EpochState): LabelCounts | undefined {
  if (!counts || !carried) return counts;
  const names = Object.keys(counts);
  return Object.fromEntries(names.map((it) => [it, (counts[it] ?? 0) - (carried[it] ?? 0)])) as { total: number };
}

async function claim(
  { table, options, group, now }: RetrainDependencies,
  due: { epoch: number; attempt: number },
  counts: LabelCounts | undefined,
) {
  const snapshot = await readSnapshot(table);
  const training = trainingOf(trainingPlan(group, options, due, now(), snapshot), now());
  // Before anything is trained by it: the definition may be another when the model serves.
  await writeEncoding(table, encodingOf(group));
  return claimEpoch(table, training, counts);
}

/** What time alone makes due. */
async function keepHouse(dependencies: RetrainDependencies, serving: ServingRecord, state: EpochState): Promise<void> {
  const { table, options, group, now } = dependencies;
  const encoding = encodingOf(group);
  // Version 0.1.0 kept no encoding: it is the definition's, while that has not changed.
  if (serving.endpointName === undefined && serving.schemaHash === encoding.schemaHash) {
    await writeEncoding(table, encoding);
  }
  // A training in flight may be about to deploy to an endpoint that retires.
  if (!state.training) await deleteRetiredEndpoints(dependencies, serving, options.endpointGraceSeconds, now());
}
