import { alarmNames } from '../../model/names.ts';
import { type Champion, championOf } from '../../promotion/challenger.ts';
import { probeEndpoint } from '../../promotion/probe.ts';
import { planRollout, type Rollout } from '../../promotion/rollout.ts';
import { readEpochState } from '../../state/epochs.ts';
import { readEvidence } from '../../state/evidence.ts';
import { askForApproval } from '../../state/intervention.ts';
import { readServing } from '../../state/serving.ts';
import type { Outcome, RetrainDependencies } from '../actions.ts';
import type { RequestOf } from '../event.ts';

/** What the state machine asks on a challenger's way from the gate to its endpoint. */

/** The state machine goes on by `state`. */
export type GoAhead = { readonly state: 'approved' | 'waiting' | 'stopped'; readonly reason: string };

export async function findChampion(
  { plan }: RequestOf<'champion'>,
  { table, options }: RetrainDependencies,
): Promise<Champion> {
  const serving = await readServing(table);
  const [record] = serving ? await readEvidence(table, serving.epoch, 1) : [];
  return championOf(serving, record, plan, options.gate.metric);
}

/** Asks people, once, and tells their answer. One that nobody gives in time is a refusal. */
export async function awaitApproval(
  { epoch, attempt, plan, verdict }: RequestOf<'approval'>,
  { table, now }: RetrainDependencies,
): Promise<GoAhead> {
  const { training } = await readEpochState(table);
  const approval = training?.epoch === epoch && training.attempt === attempt ? training.approval : undefined;
  if (!approval) {
    const expiresAtMs = now() + plan.approvalSeconds * 1_000;
    await askForApproval(table, { epoch, attempt }, { modelName: plan.modelName, reason: verdict.reason, expiresAtMs });
    return { state: 'waiting', reason: 'A person is asked.' };
  }
  const { answer, expiresAtMs } = approval;
  if (answer) {
    const { approved, at, reason } = answer;
    return approved
      ? { state: 'approved', reason: `Approved at ${at}: ${reason}.` }
      : { state: 'stopped', reason: `A person refused it at ${at}: ${reason}.` };
  }
  if (now() < expiresAtMs) return { state: 'waiting', reason: 'A person is asked.' };
  return { state: 'stopped', reason: `Nobody approved it until ${new Date(expiresAtMs).toISOString()}.` };
}

/**
 * How the challenger is deployed, at the last moment before. A person who has paused the loop, or gone back to another
 * model, since the training was claimed does not want its model, unless it was approved by name.
 */
export async function rollOut(
  { plan }: RequestOf<'rollout'>,
  { table, sagemaker, options }: RetrainDependencies,
): Promise<Rollout | GoAhead> {
  const { training, paused } = await readEpochState(table);
  if (paused && training && paused.atMs > training.claimedAtMs && !training.approval?.answer) {
    return { state: 'stopped', reason: `The loop was paused while it was trained: ${paused.reason}.` };
  }
  const serving = await readServing(table);
  const endpoint = serving && (serving.endpointName ?? options.endpointName);
  const { errorAlarmName, latencyAlarmName } = alarmNames(plan.endpointConfigName);
  return planRollout(sagemaker, plan.endpointName, endpoint, options, [errorAlarmName, latencyAlarmName]);
}

export async function probe({ plan }: RequestOf<'probe'>, dependencies: RetrainDependencies): Promise<Outcome> {
  const { endpointName, judgeUri, challengerUri } = plan;
  const rows = await probeEndpoint(dependencies, endpointName, { judge: judgeUri, scores: challengerUri });
  return {
    decision: 'probe',
    changed: false,
    reason: `Endpoint ${endpointName} answers ${rows} rows as its model did.`,
  };
}
