import { type FeatureGroup, withoutLabel } from '../definition/feature-group.ts';
import { countedClasses } from '../definition/label.ts';
import { schemaHash } from '../model/schema-hash.ts';
import { type CheckState, driftedOf, readCheck } from '../state/checks.ts';
import { type RecordedDecision, readDecisions } from '../state/decisions.ts';
import { countPending, type EpochState, readEpochState } from '../state/epochs.ts';
import { type Evidence, readEvidence } from '../state/evidence.ts';
import type { LabelCounts } from '../state/label-ledger.ts';
import { readServing, type ServingRecord } from '../state/serving.ts';
import type { StateTable } from '../state/table.ts';
import { circumstances } from './consider.ts';
import { type Decision, decide, type Missing, missingTo, type RetrainingPolicy } from './policy.ts';

/** Trainings and decisions that are shown. */
const TRAININGS_SHOWN = 5;
const DECISIONS_SHOWN = 10;

const NOTHING_MISSING: Missing = { labels: 0, perClass: {}, notBefore: null };

/** How the retraining of one feature group stands. */
export interface RetrainingStatus {
  readonly at: string;
  readonly epoch: number;
  /** Newly labeled records that count towards the current epoch. */
  readonly labels: LabelCounts;
  /** What the policy says of it now. */
  readonly next: { readonly decision: Decision['decision']; readonly reason: string; readonly missing: Missing };
  readonly inFlight: { readonly epoch: number; readonly attempt: number; readonly executionName: string } | null;
  /** Since when the loop is paused, and why. */
  readonly paused: { readonly at: string; readonly reason: string } | null;
  /** A challenger that waits for a person. */
  readonly approval: { readonly modelName: string; readonly reason: string; readonly expiresAt: string } | null;
  readonly serving: ServingRecord | null;
  /** Endpoint that predictions ask, and that takes encoded rows from others; null before the first model. */
  readonly endpoint: string | null;
  /** Schema of the definition that is deployed, and of what serves. Where they differ, a training is due or has been. */
  readonly schemas: { readonly defined: string; readonly serving: string | null };
  /** Closed epochs with their evidence, newest first. */
  readonly trainings: readonly Evidence[];
  readonly lastFailure: NonNullable<EpochState['lastFailure']> | null;
  /** What was decided lately, newest first. */
  readonly decisions: readonly RecordedDecision[];
  /** The last check of the online store; null before the first one. */
  readonly check: {
    readonly at: string;
    /** When the last one ended that found no difference. */
    readonly equalAt: string | null;
    readonly drifted: number;
    readonly counts: NonNullable<CheckState['counts']>;
  } | null;
}

/**
 * Reads how the retraining stands. Nothing is changed.
 *
 * @param options of the function retrain.
 * @param refusalOf says why the model of a training that is due could not be deployed, if it is to be asked.
 */
export async function readStatus(
  table: StateTable,
  group: FeatureGroup,
  options: { readonly policy: RetrainingPolicy; readonly endpointName: string },
  nowMs: number,
  refusalOf: (decision: Decision) => Promise<string | undefined> = async () => undefined,
): Promise<RetrainingStatus> {
  const state = await readEpochState(table);
  const [labels, serving, trainings, decisions, check] = await Promise.all([
    countPending(table, state, countedClasses(group.label)),
    readServing(table),
    readEvidence(table, state.epoch, TRAININGS_SHOWN + 1),
    readDecisions(table, DECISIONS_SHOWN),
    readCheck(table),
  ]);
  const known = { ...circumstances({ group, options, now: () => nowMs }, state, serving), counts: labels };
  const due: Decision = group.label ? decide(known) : { decision: 'wait', reason: withoutLabel(group) };
  const refusal = await refusalOf(due);
  const { decision, reason } = refusal === undefined ? due : { decision: 'wait' as const, reason: refusal };
  const { training, lastFailure, paused } = state;
  const approval = training?.approval;
  return {
    at: iso(nowMs),
    epoch: state.epoch,
    labels,
    next: { decision, reason, missing: group.label ? missingTo(known) : NOTHING_MISSING },
    inFlight: training
      ? { epoch: training.epoch, attempt: training.attempt, executionName: training.executionName }
      : null,
    paused: paused ? { at: iso(paused.atMs), reason: paused.reason } : null,
    approval:
      approval && !approval.answer
        ? { modelName: approval.modelName, reason: approval.reason, expiresAt: iso(approval.expiresAtMs) }
        : null,
    serving: serving ?? null,
    endpoint: serving ? (serving.endpointName ?? options.endpointName) : null,
    schemas: { defined: schemaHash(group), serving: serving?.schemaHash ?? null },
    trainings: trainings.slice(0, TRAININGS_SHOWN),
    lastFailure: lastFailure ?? null,
    decisions,
    check: checkOf(check),
  };
}

function checkOf({ atMs, equalAtMs, counts }: Partial<CheckState> = {}): RetrainingStatus['check'] {
  if (atMs === undefined || counts === undefined) return null;
  return {
    at: iso(atMs),
    equalAt: equalAtMs === undefined ? null : iso(equalAtMs),
    drifted: driftedOf(counts),
    counts,
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();
