import { changeCustomers, dealFates } from './acts/change-customers.ts';
import { type LagMeter, startLagMeter } from './acts/lag.ts';
import { labelCustomers, writeCustomers } from './acts/write-customers.ts';
import { queryCorrelations } from './findings/athena.ts';
import { type ChangeLogReader, changeLogReader } from './findings/change-log.ts';
import { checksOf } from './findings/checks.ts';
import { findFacts } from './findings/facts.ts';
import { countedIn, countLabels } from './findings/labels.ts';
import { predict } from './findings/predictions.ts';
import { readRejections } from './findings/quarantine.ts';
import type { Answer, Report } from './findings/report.ts';
import { isTraining, waitForTraining } from './findings/trainings.ts';
import type { Cast, Played, RetrainingPlan } from './stage/cast.ts';
import type { Stage } from './stage/stage.ts';
import { waitUntil } from './stage/wait.ts';

/** Customers whose predictions are shown. */
const PREDICTED = 5;

/** Longest time, in milliseconds, that nothing may move while something is under way. */
const STALL_MS = 30_000;

/**
 * Plays the demo: customers, labels, trainings, queries, changes; then looks whether everything is as it should be.
 *
 * @throws Error when an act cannot go on; what is merely wrong is a failed check of the report.
 */
export async function playStory(stage: Stage, cast: Cast): Promise<Report> {
  const lag = startLagMeter(stage.clients.featureStore, stage.group);
  try {
    const played = await playActs(stage, cast, lag);
    stage.progress.step('Checking');
    const facts = await findFacts(stage, cast, played);
    const checks = checksOf(facts, cast, played.fates, played.bad);
    stage.progress.done(`${checks.filter(({ ok }) => ok).length} of ${checks.length} checks hold`);
    return { ...facts, checks };
  } finally {
    await lag.stop();
  }
}

async function playActs(stage: Stage, { customers, others, plan }: Cast, lag: LagMeter): Promise<Played> {
  const { clients, names, group, material } = stage;
  const startedAt = performance.now();
  const changeLog = changeLogReader(clients.s3, names.dataBucket);
  const fates = dealFates(plan.labeled);
  const predicted = fates.untouched.slice(0, PREDICTED);

  await writeCustomers(stage, { customers, others }, lag);
  const before = await labelEveryone(stage, plan, lag, (model) => predict(stage, predicted, material.fresh, model));
  stage.progress.step('Running the correlation query');
  await drain(stage, changeLog, customers.length, 0);
  const complete = await queryCorrelations(clients.athena, material.correlations.sql, names.database, names.workGroup);
  stage.progress.done(`${customers.length} have a label`);

  stage.progress.step(`Changing, deleting and spoiling some ${material.plural.toLowerCase()}`);
  const bad = await changeCustomers(stage, fates);
  const counts = await drain(stage, changeLog, customers.length, bad === undefined ? 0 : 1);
  stage.progress.done(`the change log of ${group.name} has every change`);
  return { startedAt, fates, lagsMs: lag.lagsMs, changeLog: counts, complete, before, predicted, bad };
}

/**
 * Labels become known, an epoch's worth at a time, and each sets off a training; the rest comes after the last.
 *
 * @returns what served before the last swap.
 */
async function labelEveryone(
  stage: Stage,
  { labeled, threshold }: RetrainingPlan,
  lag: LagMeter,
  ask: (model: string) => Promise<Answer[]>,
): Promise<Played['before']> {
  const epochs = Math.floor(labeled.length / threshold);
  let before: Played['before'] = { configuration: '', answers: [] };
  for (let epoch = 1; epoch <= epochs; epoch += 1) {
    stage.progress.step(`Labels of epoch ${epoch}, and the training they set off`);
    await labelCustomers(stage, labeled.slice((epoch - 1) * threshold, epoch * threshold), lag);
    stage.progress.at('training');
    const { endpointConfigName, rows, auc } = await waitForTraining(stage, epoch);
    const outcome = endpointConfigName
      ? `${endpointConfigName} serves`
      : 'not good enough to take the place of the model before';
    stage.progress.done(`${rows} rows, AUC ${auc?.toFixed(4) ?? 'not measured'}, ${outcome}`);
    const configuration = endpointConfigName ?? before.configuration;
    if (epoch < epochs) before = { configuration, answers: await ask(configuration) };
  }
  stage.progress.step('Labels of those that are left');
  await labelCustomers(stage, labeled.slice(epochs * threshold), lag);
  stage.progress.done(`${labeled.length - epochs * threshold}`);
  return before;
}

/** Waits until every change has gone through the pipeline and no training runs; gives up when nothing moves. */
async function drain(stage: Stage, changeLog: ChangeLogReader, labeled: number, quarantined: number) {
  const { table, clients, names } = stage;
  let counts = await changeLog.read();
  await waitUntil(STALL_MS, async () => {
    counts = await changeLog.read();
    const arrived = counts.distinct === table.changesWritten() - quarantined;
    return { over: arrived && !(await isTraining(stage)), seen: `${counts.distinct}` };
  });
  // Read whole, so asked for only when there is nothing else left to wait for.
  await waitUntil(STALL_MS, async () => {
    const counted = countedIn(await countLabels(clients.dynamodb, names.stateTable));
    const rejected = (await readRejections(clients.s3, names.quarantineBucket)).length;
    return { over: counted === labeled && rejected === quarantined, seen: `${counted} ${rejected}` };
  });
  return counts;
}
