import { queryCorrelations } from './athena.ts';
import { type ChangeLogReader, changeLogReader } from './change-log.ts';
import { BAD_RECORD, changeCustomers, dealFates } from './change-customers.ts';
import { checksOf } from './checks.ts';
import { correlationsOf } from './correlation.ts';
import { type Customer, generateCustomers } from './customers.ts';
import { describeEndpoint } from './endpoint.ts';
import { itemOf } from './item.ts';
import { type LabelLedger, readLabelLedger } from './labels.ts';
import { type LagMeter, startLagMeter } from './lag.ts';
import { differencesFrom, idOf } from './online-store.ts';
import { percentile } from './percentile.ts';
import type { RetrainingPlan } from './policy.ts';
import { predict } from './predictions.ts';
import { readQuarantine } from './quarantine.ts';
import type { Answer, Report, Training } from './report.ts';
import type { Stage } from './stage.ts';
import { isTraining, readTrainings, waitForTraining } from './trainings.ts';
import { waitUntil } from './wait.ts';
import { labelCustomers, writeCustomers } from './write-customers.ts';

/** Customers whose predictions are shown. */
const PREDICTED = 5;

/** Longest time, in milliseconds, that the pipeline may stand still while something is under way. */
const STALL_MS = 30_000;

/** The customers of the demo, and where they are from. */
export interface Cast {
  readonly customers: readonly Customer[];
  readonly from: string;
  readonly seed: number;
  readonly plan: RetrainingPlan;
}

/**
 * Plays the demo: customers, labels, trainings, queries, changes; then looks whether everything is as it should be.
 *
 * @throws Error when an act cannot go on; what is merely wrong is a failed check of the report.
 */
export async function playStory(stage: Stage, cast: Cast): Promise<Report> {
  const { clients, names, group, table } = stage;
  const startedAt = performance.now();
  const fates = dealFates(cast.plan.labelled);
  const predicted = fates.untouched.slice(0, PREDICTED);
  const [fresh] = generateCustomers(1, cast.seed + 1) as [Customer];
  const changeLog = changeLogReader(clients.s3, names.dataBucket);
  const lag = startLagMeter(clients.featureStore, group);

  await writeCustomers(stage, cast.customers, lag);
  const before = await labelEveryone(stage, cast.plan, lag, (model) => predict(stage, predicted, fresh, model));
  await drain(stage, changeLog, 0);
  const complete = await queryCorrelations(clients.athena, names.database, names.workGroup);
  const labelledItems = cast.customers.map((it) => ({
    ...itemOf(it, group),
    [group.label.attribute]: { N: it.label },
  }));

  stage.progress.step('Changing and deleting some customers');
  await changeCustomers(stage, fates);
  const counts = await drain(stage, changeLog, 1);
  await waitUntil(STALL_MS, async () => ({ over: !(await isTraining(stage)), seen: '' }));
  await lag.stop();
  stage.progress.done('all changes have arrived');

  stage.progress.step('Checking');
  const trainings = await readTrainings(stage);
  const endpoint = await describeEndpoint(clients.sagemaker, names.endpoint);
  const after = await predict(stage, predicted, fresh, endpoint?.configuration ?? '');
  const quarantine = await readQuarantine(clients.s3, names.quarantineBucket, group);
  const quarantined = new Set(quarantine.map(({ recordIdentifier }) => recordIdentifier));
  const good = (await table.scan()).filter((item) => !quarantined.has(idOf(item, group)));
  const { records, differences } = await differencesFrom(good, clients.featureStore, group);
  const ledger = await readLabelLedger(clients.dynamodb, names.stateTable);
  const written = table.changes.inserted + table.changes.updated + table.changes.deleted;
  const rounded = (share: number) => {
    const ms = percentile(lag.lagsMs, share);
    return ms === undefined ? null : Math.round(ms);
  };
  const facts = {
    source: { customers: cast.customers.length, from: cast.from, seed: cast.seed },
    threshold: cast.plan.threshold,
    seconds: (performance.now() - startedAt) / 1_000,
    changes: { written, ...table.changes },
    lag: { p50Ms: rounded(0.5), p99Ms: rounded(0.99), samples: lag.lagsMs.length },
    changeLog: counts,
    labels: {
      counted: ledger.recordIdentifiers.size,
      distinct: cast.customers.length,
      byClass: ledger.byClass,
    },
    trainings,
    endpoint: { name: names.endpoint, before: before.configuration, after: endpoint?.configuration ?? null },
    predictions: [...predicted.map(({ id }) => id), null].map((recordIdentifier, index) => ({
      recordIdentifier,
      before: before.answers[index] ?? null,
      after: after[index] as Answer,
    })),
    correlations: {
      complete,
      completeFromRows: correlationsOf(labelledItems),
      final: await queryCorrelations(clients.athena, names.database, names.workGroup),
      finalFromTable: correlationsOf(good),
    },
    onlineStore: { records, equalsTable: differences.length === 0, differences },
    quarantine,
  };
  stage.progress.done('done');
  const expected = { fates, ledger, customers: cast.customers, badRecord: BAD_RECORD };
  return { ...facts, checks: checksOf(facts, expected) };
}
