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
  /** CPU of the whole process, DuckDB's threads included: the snapshot's, that of the counts, and that of the files. */
  readonly snapshotCpuMs: number;
  readonly countsCpuMs: number;
  readonly filesCpuMs: number;
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
  const cpu: number[] = [];
  const scanned: Scanned[] = [];
  for (const query of [plan.snapshotQuery, plan.countQuery, plan.trainingSetQuery]) {
    const start = process.cpuUsage();
    scanned.push(await athena.run(query));
    const { user, system } = process.cpuUsage(start);
    cpu.push((user + system) / 1_000);
  }
  const [all, counts, files] = scanned as [Scanned, Scanned, Scanned];
  const [snapshotCpuMs, countsCpuMs, filesCpuMs] = cpu as [number, number, number];
  const seconds = (performance.now() - startedMs) / 1_000;
  const { changeLogFrom } = plan.snapshot;
  const where = changeLogFrom === null ? '' : ` WHERE "dt" >= '${changeLogFrom}'`;
  const changes = await athena.run(`SELECT count(*) FROM ${config.glueDatabase}.${CHANGE_LOG_TABLE}${where}`);
  const retraining: Retraining = {
    ...{ plan, changes, seconds },
    ...{ snapshotCpuMs, countsCpuMs, filesCpuMs },
    base: { rows: all.rows - changes.rows, bytes: all.bytes - changes.bytes },
    sets: { rows: counts.rows + files.rows, bytes: counts.bytes + files.bytes },
    files: `${await athena.read(plan.trainUri)}|${await athena.read(plan.validationUri)}`,
  };
  return retraining;
}
