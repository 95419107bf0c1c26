import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { localSettings } from '../../infra/commands/target.ts';
import { PREFIX } from '../../infra/console/assets.ts';
import { makeConsole } from '../../infra/console/console.ts';
import { seededRandom } from '../../infra/demo/customers/random.ts';
import { waitForTraining } from '../../infra/demo/findings/trainings.ts';
import { type Clients, connect, disconnect } from '../../infra/demo/stage/clients.ts';
import { summarizeFeatures } from '../../infra/insight/features/summary.ts';
import { readJudged } from '../../infra/insight/judged.ts';
import { openLiveSources } from '../../infra/insight/live/live-sources.ts';
import { openSources, type Sources } from '../../infra/insight/sources.ts';
import { findTrainingSet } from '../../infra/insight/training-sets.ts';
import { type Cloud, startCloud } from '../../infra/local/cloud.ts';
import { stackNames } from '../../infra/local/stack/names.ts';
import { loadFeatureGroup } from '../../shared/definition/load.ts';
import { readStatus } from '../../shared/training/status.ts';
import { CHROMIUM, launch, openPage } from '../given/console/browser.ts';

/**
 * Labels of several classes, and such that are numbers, from an application's writes to predictions. The rule that the
 * labels follow is known here, and so is the error that no model can beat.
 */

const example = (name: string) => new URL(`../../docs/examples/${name}.ts`, import.meta.url).pathname;

/** Records of an epoch, and fresh ones that predictions are asked of. */
const LABELED = 900;
const FRESH = 600;
/** Items of one write, and records of one request. Source: BatchWriteItem. */
const BATCH = 25;

/** How much worse than the best error that can be. */
const WORSE_MAX = 1.05;

const PARAMS = {
  ...{ changeLogBufferSeconds: 1, labelsWindowSeconds: 1, endpointPollSeconds: 1, coolDownSeconds: 0 },
  ...{ canarySeconds: 1, terminationSeconds: 0, labelsThreshold: LABELED, labelsPerClassMin: 10 },
};

/** What status is told of the stack's own policy. */
const POLICY = {
  ...{ labelsPerClassMin: 10, coolDownSeconds: 0, stalenessMaxSeconds: 86_400 },
  ...{ retryBackoffSeconds: 1, attemptsMax: 5 },
};

interface Labeled {
  readonly features: Readonly<Record<string, string | number | boolean>>;
  readonly label: string | number;
}

let close: (() => Promise<void>) | undefined;
afterEach(() => close?.());

async function stackOf(name: string) {
  const dir = await mkdtemp(join(tmpdir(), `tributary-${name}-`));
  const cloud: Cloud = await startCloud({ dir, port: 0, featureGroup: example(name), params: PARAMS });
  const clients: Clients = connect(cloud.endpoint);
  const settings = localSettings(cloud.endpoint);
  const lambda = new LambdaClient(settings);
  const sources: Sources = await openSources(await loadFeatureGroup(example(name)), cloud.stack.name, settings);
  close = async () => {
    sources.close();
    lambda.destroy();
    disconnect(clients);
    await cloud.close();
    await rm(dir, { recursive: true, force: true });
  };
  const names = stackNames(cloud.stack);
  const { name: identifier } = sources.group.recordIdentifier;
  const look = async (see: (page: Page) => Promise<void>) => {
    if (CHROMIUM === undefined) return;
    const live = await openLiveSources(sources.group, cloud.stack.name, settings);
    const pages = makeConsole({ sources: live, commandOptions: '', lookMs: 200, readsFreely: true });
    cloud.servePages(PREFIX, pages.listener);
    const browser = await launch();
    try {
      const { page, complaints } = await openPage(browser, 1_280);
      await page.goto(`${cloud.endpoint}${PREFIX}#/trainings`);
      await page.getByText('Curves and calibration').first().click();
      await page.getByText(/^Over \d+ rows that nothing was chosen by/).waitFor();
      await see(page);
      await page.goto(`${cloud.endpoint}${PREFIX}#/flow`);
      await page.getByText(/^Labels of epoch \d/).waitFor();
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      pages.close();
      live.close();
    }
  };
  return {
    sources,
    /** Looks at the console's pages of the trainings and of the flow. */
    look,
    async write(label: string, from: number, records: readonly Labeled[]) {
      for (let first = 0; first < records.length; first += BATCH) {
        const items = records.slice(first, first + BATCH).map((it, index) => ({
          ...{ [identifier]: `r-${from + first + index}`, ...it.features, [label]: it.label },
        }));
        const requests = items.map((item) => ({ PutRequest: { Item: marshall(item) } }));
        const { UnprocessedItems = {} } = await clients.dynamodb.send(
          new BatchWriteItemCommand({ RequestItems: { [name]: requests } }),
        );
        expect(UnprocessedItems).toEqual({});
      }
    },
    async trained(epoch: number) {
      await waitForTraining({ clients, names }, epoch);
      await cloud.idle();
      const table = { name: names.stateTable, dynamodb: clients.dynamodb };
      const policy = { ...POLICY, labelsThreshold: LABELED };
      const status = await readStatus(table, sources.group, { policy, endpointName: '' }, Date.now());
      return { status, training: status.trainings[0] };
    },
    async predict<P>(records: readonly Labeled[]): Promise<P[]> {
      const found: P[] = [];
      for (let first = 0; first < records.length; first += BATCH) {
        const asked = records.slice(first, first + BATCH).map(({ features }) => ({ features }));
        const { Payload } = await lambda.send(
          new InvokeCommand({ FunctionName: names.predictFunction, Payload: JSON.stringify({ records: asked }) }),
        );
        const { predictions, errorMessage } = JSON.parse(Payload?.transformToString() ?? '');
        expect(errorMessage).toBeUndefined();
        found.push(...predictions);
      }
      return found;
    },
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, it) => sum + it, 0) / values.length;

/** A number of the standard normal distribution. */
const normal = (random: ReturnType<typeof seededRandom>) =>
  Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());

const NOISE_HOURS = 4;

/** Parcels whose hours are a weighted sum of their features, and noise. */
function parcels(count: number, seed: number): (Labeled & { readonly expected: number })[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const features = {
      kilometers: Math.round(random.uniform() * 8_000) / 10,
      kilograms: Math.round(random.uniform() * 300) / 10,
      service: random.uniform() < 0.4 ? 'express' : 'standard',
      fragile: random.uniform() < 0.2,
    };
    const express = features.service === 'express' ? -18 : 0;
    const expected = 60 + 0.05 * features.kilometers + 0.4 * features.kilograms + express + (features.fragile ? 6 : 0);
    return { features, expected, label: Math.round((expected + NOISE_HOURS * normal(random)) * 100) / 100 };
  });
}

const TEAMS = ['billing', 'product', 'abuse'] as const;

/** Tickets whose team is drawn by probabilities that follow from their features. */
function tickets(count: number, seed: number): (Labeled & { readonly chances: readonly number[] })[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const features = {
      words: Math.round(random.uniform() * 300),
      account_days: Math.round(random.uniform() * 1_000),
      channel: ['mail', 'chat', 'phone'][Math.floor(random.uniform() * 3)] ?? 'mail',
      paying: random.uniform() < 0.6,
    };
    const [words, days] = [features.words / 100 - 1.5, features.account_days / 300 - 1.7];
    const sums = [
      (features.paying ? 1.6 : -1) + (features.channel === 'phone' ? 0.8 : 0),
      1.2 * words + (features.channel === 'chat' ? 0.7 : 0),
      -1.4 * days - (features.paying ? 1 : 0),
    ].map(Math.exp);
    const whole = sums.reduce((sum, it) => sum + it, 0);
    const chances = sums.map((it) => it / whole);
    const drawn = random.uniform();
    const label = drawn < (chances[0] ?? 0) ? 0 : drawn < (chances[0] ?? 0) + (chances[1] ?? 0) ? 1 : 2;
    return { features, chances, label: TEAMS[label] ?? 'abuse' };
  });
}

test('a label that is a number is learned about as well as it can be, and its challengers are judged by their RMSE', async () => {
  const stack = await stackOf('parcels');
  await stack.write('hours', 0, parcels(LABELED, 1));
  const { status, training } = await stack.trained(1);
  expect(training).toMatchObject({ decision: 'promote', comparison: { metric: 'rmse' } });
  expect(training?.reason).toContain("the challenger's R² is 0.9");
  expect(training?.counts).toEqual({
    ...{ trainRows: expect.any(Number), validationRows: expect.any(Number), judgeRows: expect.any(Number) },
    inexactRows: 0,
  });
  expect(status.labels).toEqual({ total: 0 });

  const fresh = parcels(FRESH, 3);
  const predictions = await stack.predict<{ score: number }>(fresh);
  expect(Object.keys(predictions[0] ?? {})).toEqual(['score', 'model', 'schema']);
  const rmseOf = (predicted: readonly number[]) =>
    Math.sqrt(mean(fresh.map(({ label }, row) => (Number(label) - (predicted[row] ?? 0)) ** 2)));
  const best = rmseOf(fresh.map(({ expected }) => expected));
  expect(best).toBeCloseTo(NOISE_HOURS, 0);
  expect(rmseOf(predictions.map(({ score }) => score)) / best).toBeLessThan(WORSE_MAX);

  await stack.write('hours', LABELED, parcels(LABELED, 2));
  const second = (await stack.trained(2)).training;
  expect(second?.comparison).toMatchObject({ metric: 'rmse', champion: { rmse: expect.any(Number) } });
  const { low = 1, value = 0, high = 0 } = second?.comparison?.gain ?? {};
  expect([low < value, value < high, Math.abs(value) < 0.05]).toEqual([true, true, true]);

  const summary = await summarizeFeatures(stack.sources);
  expect(summary.rows).toEqual({ number: 2 * LABELED });
  expect(summary.baseline).toMatchObject({ unweighted: null });
  const judged = await readJudged(stack.sources, second?.modelName ?? '');
  const { calibration = [], roc } = judged?.models.challenger ?? {};
  expect([judged?.kind, roc, calibration.length]).toEqual(['regression', undefined, 10]);
  for (const { meanScore, share } of calibration) expect(Math.abs(meanScore - share)).toBeLessThan(NOISE_HOURS);
  await stack.look(async (page) => {
    await page
      .getByText(/^RMSE \d\.\d{4} against \d\.\d{4}, MAE \d\.\d{4}$/)
      .first()
      .waitFor();
    await page.getByText('mean of the labels').waitFor();
  });
  const { columns } = await findTrainingSet(stack.sources, second?.modelName ?? '');
  expect(columns[0]).toEqual({ name: 'hours', type: 'double' });
});

test('a label of three classes is learned about as well as it can be, and its challengers are judged by their log loss', async () => {
  const stack = await stackOf('tickets');
  await stack.write('team', 0, tickets(LABELED, 1));
  const { status, training } = await stack.trained(1);
  expect(training).toMatchObject({ decision: 'promote', comparison: { metric: 'log_loss' } });
  expect(training?.reason).toContain("the challenger's share of log loss saved is 0.");
  const { trainRows = 0, trainClass0 = 0, trainClass1 = 0, trainClass2 = 0 } = training?.counts ?? {};
  expect(trainClass0 + trainClass1 + trainClass2).toBe(trainRows);
  expect(Math.min(trainClass0, trainClass1, trainClass2)).toBeGreaterThan(50);
  expect(status.labels).toEqual({ 0: 0, 1: 0, 2: 0, total: 0 });

  const fresh = tickets(FRESH, 3);
  type Answer = { score: number; predicted_label: number; predicted_class: string; scores: Record<string, number> };
  const predictions = await stack.predict<Answer>(fresh);
  for (const { score, predicted_label, predicted_class, scores } of predictions) {
    expect(Object.keys(scores)).toEqual(TEAMS);
    expect(predicted_class).toBe(TEAMS[predicted_label]);
    expect(score).toBe(Math.max(...Object.values(scores)));
    expect(Object.values(scores).reduce((sum, it) => sum + it, 0)).toBeCloseTo(1, 6);
  }
  const lossOf = (chanceOf: (team: string, row: number) => number) =>
    mean(fresh.map(({ label }, row) => -Math.log(chanceOf(String(label), row))));
  const best = lossOf((team, row) => fresh[row]?.chances[(TEAMS as readonly string[]).indexOf(team)] ?? 0);
  expect(lossOf((team, row) => predictions[row]?.scores[team] ?? 0) / best).toBeLessThan(WORSE_MAX);

  await stack.write('team', LABELED, tickets(LABELED, 2));
  const second = (await stack.trained(2)).training;
  const { champion, gain } = second?.comparison ?? {};
  expect(champion).toEqual({
    ...{ logLoss: expect.any(Number), macroF1: expect.any(Number), skill: expect.any(Number) },
  });
  const { low = 1, value = 0, high = 0 } = gain ?? {};
  expect([low < value, value < high, Math.abs(value) < 0.1]).toEqual([true, true, true]);
  const judged = await readJudged(stack.sources, second?.modelName ?? '');
  const confused = judged?.models.challenger?.confusion?.flat() ?? [];
  expect(confused.reduce((sum, rows) => sum + rows, 0)).toBe(second?.counts.judgeRows);
  await stack.look(async (page) => {
    await page
      .getByText(/^log loss \d\.\d{4} against \d\.\d{4}, macro F1 \d\.\d{4}$/)
      .first()
      .waitFor();
    await page.getByText('taken for 2').waitFor();
  });
  expect((await summarizeFeatures(stack.sources)).baseline?.unweighted).toContain('weights of its own');
});
