import { type RecordedDecision, readDecisions } from '../state/decisions.ts';
import { type EpochState, readEpochState } from '../state/epochs.ts';
import { type Evidence, readEvidence } from '../state/evidence.ts';
import { countLabels, type LabelCounts } from '../state/label-ledger.ts';
import { readServing, type Serving } from '../state/serving.ts';
import type { StateTable } from '../state/table.ts';
import { type Decision, decide, type Missing, missingTo, type RetrainingPolicy } from './policy.ts';

/** Trainings and decisions that are shown. */
const TRAININGS_SHOWN = 5;
const DECISIONS_SHOWN = 10;

/** How the retraining of one feature group stands. */
export interface RetrainingStatus {
  readonly at: string;
  readonly epoch: number;
  /** Records labelled in the current epoch. */
  readonly labels: LabelCounts;
  /** What the policy says of it now. */
  readonly next: { readonly decision: Decision['decision']; readonly reason: string; readonly missing: Missing };
  readonly inFlight: { readonly epoch: number; readonly attempt: number; readonly executionName: string } | null;
  readonly serving: Serving | null;
  /** Closed epochs with their evidence, newest first. */
  readonly trainings: readonly Evidence[];
  readonly lastFailure: NonNullable<EpochState['lastFailure']> | null;
  /** What was decided lately, newest first. */
  readonly decisions: readonly RecordedDecision[];
}

/** Reads how the retraining stands. Nothing is changed. */
export async function readStatus(
  table: StateTable,
  policy: RetrainingPolicy,
  nowMs: number,
): Promise<RetrainingStatus> {
  const state = await readEpochState(table);
  const [labels, serving, trainings, decisions] = await Promise.all([
    countLabels(table, state.epoch),
    readServing(table),
    readEvidence(table, state.epoch, TRAININGS_SHOWN + 1),
    readDecisions(table, DECISIONS_SHOWN),
  ]);
  const known = { counts: labels, state, policy, now: nowMs };
  const { decision, reason } = decide(known);
  const { training, lastFailure } = state;
  return {
    at: new Date(nowMs).toISOString(),
    epoch: state.epoch,
    labels,
    next: { decision, reason, missing: missingTo(known) },
    inFlight: training
      ? { epoch: training.epoch, attempt: training.attempt, executionName: training.executionName }
      : null,
    serving: serving ?? null,
    trainings: trainings.slice(0, TRAININGS_SHOWN),
    lastFailure: lastFailure ?? null,
    decisions,
  };
}
