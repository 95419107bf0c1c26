import type { Item } from '../customers/item.ts';
import type { Cast, Played } from '../stage/cast.ts';
import type { CorrelationRow } from '../stage/material.ts';
import type { Stage } from '../stage/stage.ts';
import { queryCorrelations } from './athena.ts';
import { describeEndpoint, servingEndpoint } from './endpoint.ts';
import { countedIn, countLabels } from './labels.ts';
import { differencesFrom } from './online-store.ts';
import { percentile } from './percentile.ts';
import { predict } from './predictions.ts';
import { readQuarantine } from './quarantine.ts';
import type { Answer, Prediction, Report } from './report.ts';
import { readTrainings } from './trainings.ts';

/** Everything there is to tell after the last act, read from the services as anybody could. */
export async function findFacts(stage: Stage, cast: Cast, played: Played): Promise<Omit<Report, 'checks'>> {
  const { clients, names, group, table, material } = stage;
  const serving = (await servingEndpoint(clients.dynamodb, names.stateTable)) ?? names.endpoint;
  const endpoint = await describeEndpoint(clients.sagemaker, serving);
  const configuration = endpoint?.status === 'InService' ? endpoint.configuration : null;
  const answers = await predict(stage, played.predicted, material.fresh, configuration ?? '');
  const quarantine = await readQuarantine(clients.s3, names.quarantineBucket, material.idOf);
  const rows: CorrelationRow[] = [];
  async function* pages() {
    for await (const page of table.pages()) {
      const items = withoutQuarantined(page, quarantine, material);
      rows.push(...rowsOf(items, material));
      yield items;
    }
  }
  const online = await differencesFrom(pages(), clients.featureStore, group, material);
  const labels = await countLabels(clients.dynamodb, names.stateTable);
  return {
    source: {
      customers: cast.customers.length + cast.others.length,
      plural: material.plural,
      from: cast.from,
      seed: cast.seed,
    },
    threshold: cast.plan.threshold,
    seconds: (performance.now() - played.startedAt) / 1_000,
    changes: { written: table.changesWritten(), ...table.changes },
    lag: { ...lagOf(played.lagsMs), batchWindowMs: stage.batchWindowMs },
    changeLog: played.changeLog,
    labels: {
      counted: countedIn(labels),
      distinct: new Set(cast.customers.map(({ id }) => id)).size,
      byClass: labels,
    },
    trainings: await readTrainings(stage),
    endpoint: { name: serving, before: played.before.configuration || null, after: configuration },
    predictions: predictionsOf(played, answers),
    correlations: {
      complete: played.complete,
      completeFromRows: material.correlations.of(rowsOf(labeledItems(cast, material), material)),
      final: await queryCorrelations(clients.athena, material.correlations.sql, names.database, names.workGroup),
      finalFromTable: material.correlations.of(rows),
    },
    onlineStore: { ...online, equalsTable: online.differences.length === 0 },
    quarantine,
  };
}

function withoutQuarantined(
  items: readonly Item[],
  quarantine: Report['quarantine'],
  { idOf }: Stage['material'],
): Item[] {
  const quarantined = new Set(quarantine.map(({ recordIdentifier }) => recordIdentifier));
  return items.filter((item) => !quarantined.has(idOf(item)));
}

/** The items as they were when every customer had its label and none had been changed again. */
function labeledItems({ customers, others }: Cast, material: Stage['material']): Item[] {
  const labeled = customers.map((it) => ({ ...material.itemOf(it), ...material.withLabel(it, it.label) }));
  return [...labeled, ...others];
}

function rowsOf(items: readonly Item[], { correlations }: Stage['material']): CorrelationRow[] {
  return items.map((item) => correlations.rowOf(item)).filter((row) => row !== undefined);
}

function lagOf(lagsMs: readonly number[]): Omit<Report['lag'], 'batchWindowMs'> {
  const rounded = (share: number) => {
    const ms = percentile(lagsMs, share);
    return ms === undefined ? null : Math.round(ms);
  };
  return { p50Ms: rounded(0.5), p99Ms: rounded(0.99), samples: lagsMs.length };
}

function predictionsOf({ predicted, before }: Played, after: readonly Answer[]): Prediction[] {
  return [...predicted.map(({ id }) => id), null].map((recordIdentifier, index) => ({
    recordIdentifier,
    before: before.answers[index] ?? null,
    after: after[index] as Answer,
  }));
}
