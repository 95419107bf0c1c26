import { setTimeout as sleep } from 'node:timers/promises';
import { AthenaClient } from '@aws-sdk/client-athena';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { type FeatureGroup, labelOf } from '../../../shared/definition/feature-group.ts';
import { readStatus } from '../../../shared/training/status.ts';
import { readOnlineStore } from '../../demo/findings/online-store.ts';
import { newCommand, runCommand } from '../../terminal/command.ts';
import { note } from '../../terminal/note.ts';
import { definitionOption, regionOption, stageOption } from '../../terminal/options.ts';
import { type Names, namesOf } from '../cloudformation/names.ts';
import { loadDefinition } from '../definitions/definitions.ts';
import { checkPredictions, configOf, lookForModel } from './model.ts';
import { changeLogRecords, differencesOf, type Records, tableRecords } from './stores.ts';
import { changeItems } from './writes.ts';

/**
 * Longest times: for the online store and the change log to be what the table is, which takes seconds and minutes; and
 * for a model to be trained, judged and put behind an endpoint, which takes SageMaker a quarter of an hour.
 */
const LIMITS: Limits = { pollMs: 10_000, storesMs: 20 * 60 * 1_000, modelMs: 75 * 60 * 1_000 };

/** Differences that are named when there are more. */
const DIFFERENCES_SHOWN = 5;

export const command = newCommand(
  'live-test',
  'Writes, labels and deletes items in the table of a deployed stack, compares online store and change log with it record by record, waits for the model that is trained, and asks predict. The stack must be its own: other writers would differ.',
  'node infra/aws/live-test/live-test.ts',
)
  .addOption(definitionOption().makeOptionMandatory())
  .addOption(stageOption().default('live-test'))
  .addOption(regionOption())
  .action(async ({ definition, stage, region }) => {
    const group = await loadDefinition(definition);
    const names = namesOf(group, stage);
    note(`Definition ${group.name}, stack ${names.stack}`);
    const settings = region === undefined ? {} : { region };
    const clients = {
      dynamodb: new DynamoDBClient(settings),
      featureStore: new SageMakerFeatureStoreRuntimeClient(settings),
      athena: new AthenaClient(settings),
      lambda: new LambdaClient(settings),
    };
    const { records, prediction } = await liveTest({ group, names, run: Date.now() }, clients, LIMITS);
    console.log(`Table, online store and change log have the same ${records} records.`);
    if (!prediction) return;
    const { model, scores } = prediction;
    console.log(`${model} was trained, promoted and serves: predict gives ${scores.join(', ')}.`);
  });

interface Clients {
  readonly dynamodb: DynamoDBClient;
  readonly featureStore: SageMakerFeatureStoreRuntimeClient;
  readonly athena: AthenaClient;
  readonly lambda: LambdaClient;
}

interface Limits {
  readonly pollMs: number;
  readonly storesMs: number;
  readonly modelMs: number;
}

/** What the live test has seen: records that are the same everywhere, and the model that answered. */
export interface Outcome {
  readonly records: number;
  /** Absent where the definition has no label. */
  readonly prediction?: { readonly model: string; readonly scores: readonly number[] };
}

/** @throws Error naming what differs, what the training waits for, or what predict answers, when it is not right in time. */
export async function liveTest(
  { group, names, run }: { readonly group: FeatureGroup; readonly names: Names; readonly run: number },
  clients: Clients,
  { pollMs, storesMs, modelMs }: Limits,
): Promise<Outcome> {
  const { dynamodb, featureStore, athena, lambda } = clients;
  const config = await configOf(lambda, group, names);
  const table = { name: config.stateTable, dynamodb };
  const before = await readStatus(table, group, config, Date.now());
  await changeItems(group, dynamodb, run);

  const expected = await tableRecords(dynamodb, group);
  const stores: Readonly<Record<string, () => Promise<Records>>> = {
    'The online store': () => readOnlineStore(featureStore, group),
    'The change log': () => changeLogRecords(athena, group, names),
  };
  for (const [store, read] of Object.entries(stores)) {
    await within({ pollMs, limitMs: storesMs }, async () => {
      const found = differencesOf(group, expected, await read());
      const shown = found.slice(0, DIFFERENCES_SHOWN).join('; ');
      return { over: found.length === 0, seen: `${store} differs from the table ${found.length} times: ${shown}` };
    });
  }

  if (!group.label) return { records: expected.size };
  let model = '';
  await within({ pollMs, limitMs: modelMs }, async () => {
    const look = await lookForModel(table, group, config, before);
    model = look.model ?? '';
    return { over: look.model !== undefined, seen: `No model serves yet: ${look.seen}` };
  });
  const scores = await checkPredictions(lambda, group, names, { known: extremes(expected, group), model });
  return { records: expected.size, prediction: { model, scores } };
}

/** Looks until it is over. @throws Error with what was last seen, when it is not in time. */
async function within(
  { pollMs, limitMs }: { readonly pollMs: number; readonly limitMs: number },
  look: () => Promise<{ readonly over: boolean; readonly seen: string }>,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (let last = ''; ; ) {
    const { over, seen } = await look();
    if (over) return;
    if (performance.now() > deadline) throw new Error(seen);
    if (seen !== last) note(seen);
    last = seen;
    await sleep(pollMs);
  }
}

/** The records whose features speak most clearly for 0 and for 1: those of the least and the greatest position. */
function extremes(records: Records, group: FeatureGroup): readonly [string, string] {
  const { name } = group.features.find(({ type }) => type === 'fractional' || type === 'integral') ?? labelOf(group);
  const having = [...records].filter(([, columns]) => columns.has(name));
  const sorted = having.toSorted(([, one], [, other]) => Number(one.get(name)) - Number(other.get(name)));
  return [sorted[0]?.[0] ?? '', sorted.at(-1)?.[0] ?? ''];
}

if (import.meta.main) await runCommand(command);
