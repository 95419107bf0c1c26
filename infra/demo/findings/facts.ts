import { type Item, itemOf } from '../customers/item.ts';
import type { Cast, Played } from '../stage/cast.ts';
import type { Stage } from '../stage/stage.ts';
import { queryCorrelations } from './athena.ts';
import { correlationsOf } from './correlation.ts';
import { describeEndpoint, servingEndpoint } from './endpoint.ts';
import { byClass, readLabelLedger } from './labels.ts';
import { differencesFrom, idOf } from './online-store.ts';
import { percentile } from './percentile.ts';
import { predict } from './predictions.ts';
import { readQuarantine } from './quarantine.ts';
import type { Answer, Prediction, Report } from './report.ts';
import { readTrainings } from './trainings.ts';

/** Everything there is to tell after the last act, read from the services as anybody could. */
export async function findFacts(stage: Stage, cast: Cast, played: Played): Promise<Omit<Report, 'checks'>> {
  const { clients, names, group, table } = stage;
  const serving = (await servingEndpoint(clients.dynamodb, names.stateTable)) ?? names.endpoint;
  const endpoint = await describeEndpoint(clients.sagemaker, serving);
  const configuration = endpoint?.status === 'InService' ? endpoint.configuration : null;
  const answers = await predict(stage, played.predicted, played.fresh, configuration ?? '');
  const quarantine = await readQuarantine(clients.s3, names.quarantineBucket, group);
  const items = withoutQuarantined(await table.scan(), quarantine, group);
  const online = await differencesFrom(items, clients.featureStore, group);
  const ledger = await readLabelLedger(clients.dynamodb, names.stateTable);
  return {
    source: { customers: cast.customers.length, from: cast.from, seed: cast.seed },
    threshold: cast.plan.threshold,
    seconds: (performance.now() - played.startedAt) / 1_000,
    changes: { written: table.changesWritten(), ...table.changes },
    lag: lagOf(played.lagsMs),
    changeLog: played.changeLog,
    labels: {
      counted: ledger.length,
      distinct: new Set(cast.customers.map(({ id }) => id)).size,
      byClass: byClass(ledger),
    },
    trainings: await readTrainings(stage),
    endpoint: { name: serving, before: played.before.configuration || null, after: configuration },
    predictions: predictionsOf(played, answers),
    correlations: {
      complete: played.complete,
      completeFromRows: correlationsOf(labeledItems(cast, group)),
      final: await queryCorrelations(clients.athena, names.database, names.workGroup),
      finalFromTable: correlationsOf(items),
    },
    onlineStore: { ...online, equalsTable: online.differences.length === 0 },
    quarantine,
  };
}

function withoutQuarantined(items: readonly Item[], quarantine: Report['quarantine'], group: Stage['group']): Item[] {
  const quarantined = new Set(quarantine.map(({ recordIdentifier }) => recordIdentifier));
  return items.filter((item) => !quarantined.has(idOf(item, group)));
}

/** The items as they were when every customer had its label and none had been changed again. */
function labeledItems({ customers }: Cast, group: Stage['group']): Item[] {
  return customers.map((it) => ({ ...itemOf(it, group), [group.label.attribute]: { N: it.label } }));
}

function lagOf(lagsMs: readonly number[]): Report['lag'] {
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
