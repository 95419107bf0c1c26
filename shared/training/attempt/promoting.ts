import { labelOf } from '../../definition/feature-group.ts';
import { trainingColumnsOf } from '../../model/encode.ts';
import { encodingOf } from '../../model/encoding.ts';
import { alarmNames } from '../../model/names.ts';
import { takeOverScaling } from '../../promotion/autoscaling.ts';
import {
  type Champion,
  championOf,
  comparableScores,
  type JudgedChallenger,
  judgeChallenger,
  scoresOfModels,
  withoutGoneLeader,
} from '../../promotion/challenger.ts';
import { challengersRow, type JudgeRows, rowsOfOneSchema, rowsOfTwoSchemas } from '../../promotion/judge-rows.ts';
import { probeEndpoint } from '../../promotion/probe.ts';
import { planRollout, type Rollout } from '../../promotion/rollout.ts';
import { readRows } from '../../promotion/scores.ts';
import { readEncoding } from '../../state/encodings.ts';
import { readEpochState } from '../../state/epochs.ts';
import { readEvidence } from '../../state/evidence.ts';
import { askForApproval } from '../../state/intervention.ts';
import { readServing } from '../../state/serving.ts';
import type { Outcome, RetrainDependencies } from '../actions.ts';
import type { RequestOf } from '../event.ts';
import { fitsBeside, sharedUri } from '../plan.ts';
import { sharedRowsQuery, unreadableBy } from '../shared-rows.ts';
import { explainTraining } from './explanation.ts';
import { WEIGHED_ROWS_MAX } from './weights.ts';

/** What the state machine asks on a challenger's way from the gate to its endpoint. */

/** The state machine goes on by `state`. */
export type GoAhead = { readonly state: 'approved' | 'waiting' | 'stopped'; readonly reason: string };

/** The models that the challenger is compared with, the rows for it, and the query that writes those first, if any does. */
export async function findChampion(
  { plan, canShare }: RequestOf<'champion'>,
  dependencies: RetrainDependencies,
): Promise<Champion & { readonly query: string | null }> {
  const { table, sagemaker } = dependencies;
  const serving = await readServing(table);
  const evidence = serving ? await readEvidence(table, serving.epoch) : [];
  const isShared = canShare && serving && serving.schemaHash !== plan.schemaHash;
  const shared = isShared ? await rowsFor(serving.schemaHash, plan, dependencies) : undefined;
  const rows = typeof shared === 'object' ? shared.rows : shared;
  const champion = await withoutGoneLeader(sagemaker, championOf(serving, evidence, plan, rows));
  return { ...champion, query: typeof shared === 'object' ? shared.query : null };
}

/** The rows to judge by in the plan's schema and in that of the champion, and what writes them; or why there are none. */
async function rowsFor(
  championHash: string,
  plan: RequestOf<'champion'>['plan'],
  { table, group }: RetrainDependencies,
): Promise<{ rows: JudgeRows; query: string } | string> {
  const challenger = encodingOf(group);
  // The plan's queries are of the definition at the claim, and so is the snapshot.
  if (challenger.schemaHash !== plan.schemaHash) return 'The definition has changed since the training began.';
  const champion = await readEncoding(table, championHash);
  if (!champion) return 'The encoding of the model that serves is not kept.';
  const unreadable = unreadableBy(champion, group);
  if (unreadable !== undefined) return unreadable;
  const uri = sharedUri(plan);
  const rows = rowsOfTwoSchemas(uri, {
    challenger: trainingColumnsOf(challenger).length,
    champion: trainingColumnsOf(champion).length,
  });
  const source = { database: plan.database, snapshot: plan.snapshot.name, selection: plan.selection };
  const query = sharedRowsQuery(group, { challenger, champion }, source, uri);
  return fitsBeside(plan, query) ? { rows, query } : 'Both encodings together do not fit into an execution.';
}

/** Judges the challenger, and writes down what there is to know of the rows that it has learned from and was judged by. */
export async function judgeAttempt(
  { plan, champion }: RequestOf<'judge'>,
  { table, group, s3, options }: RetrainDependencies,
): Promise<JudgedChallenger> {
  const rows = champion.rows ?? rowsOfOneSchema(plan.judgeUri);
  // Kept at the claim: the definition may have changed since.
  const encoding = await readEncoding(table, plan.schemaHash);
  const all = await scoresOfModels(s3, plan, { ...champion, rows }, encoding?.label);
  const { scores, unreadable = champion.incumbent.unreadable } = comparableScores(all, options.minimums.judgePerClass);
  const incumbent = { ...champion.incumbent, unreadable };
  const verdict = judgeChallenger(scores, plan.modelName, { ...champion, incumbent, rows }, options.gate);
  if (!encoding) return verdict;
  const looked = await readRows(s3, { judge: rows.challengerUri, scores: plan.challengerUri }, WEIGHED_ROWS_MAX);
  const judged = { rows: looked.rows.map((row) => challengersRow(row, rows)), scores: looked.scores };
  const dead = await explainTraining(s3, plan, encoding, labelOf(group).name, scores, judged);
  return dead.length === 0 ? verdict : { ...verdict, reason: `${verdict.reason} ${deadText(dead)}` };
}

/** Features of one value that are named. */
const DEAD_SHOWN = 10;

/** Of features that were in vain. */
function deadText(dead: readonly string[]): string {
  const more = dead.length > DEAD_SHOWN ? ` and ${dead.length - DEAD_SHOWN} more` : '';
  return `Nothing was learned from ${dead.slice(0, DEAD_SHOWN).join(', ')}${more}: one value in all rows to train on.`;
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

/** Probes a new endpoint, and has it scaled as the one is that predictions ask until now. */
export async function probe(
  { plan, champion }: RequestOf<'probe'>,
  dependencies: RetrainDependencies,
): Promise<Outcome> {
  const { endpointName, judgeUri, challengerUri } = plan;
  const judged = champion?.rows ?? rowsOfOneSchema(judgeUri);
  const rows = await probeEndpoint(dependencies, endpointName, { rows: judged, scores: challengerUri });
  const { table, autoscaling, options } = dependencies;
  const serving = await readServing(table);
  if (serving) await takeOverScaling(autoscaling, serving.endpointName ?? options.endpointName, endpointName);
  return {
    decision: 'probe',
    changed: false,
    reason: `Endpoint ${endpointName} answers ${rows} rows as its model did.`,
  };
}
