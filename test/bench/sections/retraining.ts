import { CHANGE_LOG_TABLE } from '../../../shared/change-log/sql.ts';
import type { RetrainConfig } from '../../../shared/config/retrain.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { Snapshot } from '../../../shared/state/snapshots.ts';
import { type TrainingPlan, trainingPlan } from '../../../shared/training/plan.ts';
import type { localAthena, Scanned } from '../../given/local/local-athena.ts';

export type Athena = Awaited<ReturnType<typeof localAthena>>;

/** What preparing one training took. */
export interface Retraining {
  readonly plan: TrainingPlan;
  /** What the snapshot was made from, of the change log and of the last snapshot. */
  readonly changes: Scanned;
  readonly base: Scanned;
  /** What counts and files were made from. */
  readonly sets: Scanned;
  readonly seconds: number;
  /** CPU of the whole process, DuckDB's threads included: the snapshot's, and that of counts and files. */
  readonly snapshotCpuMs: number;
  readonly setsCpuMs: number;
  readonly files: string;
}

/** Prepares a training as the deployed state machine does: its queries, one after the other. */
export async function retrain(
  athena: Athena,
  group: FeatureGroup,
  config: RetrainConfig,
  nowMs: number,
  attempt: number,
  last?: Snapshot,
): Promise<Retraining> {
  const plan = trainingPlan(group, config, { epoch: 1, attempt }, nowMs, last);
  const startedMs = performance.now();
  const start = process.cpuUsage();
  const all = await athena.run(plan.snapshotQuery);
  const snapshotMade = process.cpuUsage();
  const parts = [await athena.run(plan.countQuery), await athena.run(plan.trainingSetQuery)];
  const seconds = (performance.now() - startedMs) / 1_000;
  const sets = process.cpuUsage(snapshotMade);
  const { changeLogFrom } = plan.snapshot;
  const where = changeLogFrom === null ? '' : ` WHERE "dt" >= '${changeLogFrom}'`;
  const changes = await athena.run(`SELECT count(*) FROM ${config.glueDatabase}.${CHANGE_LOG_TABLE}${where}`);
  const retraining: Retraining = {
    ...{ plan, changes, seconds },
    snapshotCpuMs: (snapshotMade.user + snapshotMade.system - start.user - start.system) / 1_000,
    setsCpuMs: (sets.user + sets.system) / 1_000,
    base: { rows: all.rows - changes.rows, bytes: all.bytes - changes.bytes },
    sets: parts.reduce((sum, it) => ({ rows: sum.rows + it.rows, bytes: sum.bytes + it.bytes })),
    files: `${await athena.read(plan.trainUri)}|${await athena.read(plan.validationUri)}`,
  };
  return retraining;
}
