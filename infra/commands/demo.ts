import { rmSync } from 'node:fs';
import { access, constants, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type FeatureGroup, labelOf } from '../../shared/definition/feature-group.ts';
import { labelKind } from '../../shared/definition/label.ts';
import { loadDefinition } from '../aws/definitions/definitions.ts';
import { sampleItem } from '../aws/live-test/sample-item.ts';
import { planRetraining } from '../demo/acts/policy.ts';
import { readBankCsv } from '../demo/customers/bank-csv.ts';
import { generateCustomers } from '../demo/customers/customers.ts';
import { exampleMaterial } from '../demo/customers/example.ts';
import type { Report } from '../demo/findings/report.ts';
import { renderSummary } from '../demo/findings/summary.ts';
import type { Cast } from '../demo/stage/cast.ts';
import { type Clients, connect, disconnect } from '../demo/stage/clients.ts';
import type { Material } from '../demo/stage/material.ts';
import { sourceTable } from '../demo/stage/table.ts';
import { playStory } from '../demo/story.ts';
import type { Cloud } from '../local/cloud.ts';
import { stackNames } from '../local/stack/names.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { note } from '../terminal/note.ts';
import { definitionOption, dynamodbOption, jsonFile, wholeNumber } from '../terminal/options.ts';
import { progressTo } from '../terminal/progress.ts';
import { styleOf } from '../terminal/style.ts';
import { untilInterrupted } from '../terminal/until-interrupted.ts';
import { generateItems } from './playing/generated-items.ts';
import { readItemsFile } from './playing/items-file.ts';
import { ownTable } from './playing/own-table.ts';
import { commandsToTry, environmentToSet } from './serving/commands-to-try.ts';
import { consoleAddress, serveUntil } from './serving/serve-until.ts';
import { EXAMPLE, noteLocal } from './target.ts';

/** Customers that are generated, unless `--rows` says: enough for a good model, done in well under a minute. */
const ROWS = 1_500;
/** Fewest rows that leave both classes something to learn from and to be validated on. */
const ROWS_MIN = 200;
const ROWS_MAX = 99_999;
const SEED = 1;
const SEED_MAX = 2 ** 32 - 1;

/** Exit code of a program that Ctrl-C has ended: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

/**
 * Short waits in place of those that save money on AWS. On some 100 rows to judge by the difference of two models is
 * known to a fifth or so, hence the wide margin of non-inferiority, and no floor.
 */
const PACE = {
  ...{ trainRowsPerClassMin: 1, validationRowsPerClassMin: 0, judgeRowsPerClassMin: 1 },
  ...{
    backfillMarginSeconds: 2,
    changeLogBufferSeconds: 1,
    labelsWindowSeconds: 1,
    endpointPollSeconds: 1,
    coolDownSeconds: 0,
  },
  ...{ canarySeconds: 1, terminationSeconds: 0, gateMinimumGain: -0.2, gateFloor: 0 },
};

export const command = newCommand(
  'demo',
  'Plays the main job on one machine: records, labels, trainings, predictions, queries, and a summary that checks it.',
)
  .option('--csv <FILE>', "customers from a file: UCI's Bank Marketing, or the same with commas and underscores")
  .addOption(definitionOption().default(EXAMPLE))
  .option('--items <FILE>', "records of the definition's table from a file: lines of DynamoDB's JSON, or a scan")
  .option('--rows <N>', `records; ${ROWS} where they are generated`, wholeNumber('rows', ROWS_MIN, ROWS_MAX))
  .option('--threshold <N>', 'labels that set off a training', wholeNumber('threshold', 2, ROWS_MAX))
  .option('--seed <N>', 'decides the records and their order', wholeNumber('seed', 0, SEED_MAX), SEED)
  .option('--keep', 'go on serving afterwards, until Ctrl-C')
  .addOption(jsonFile())
  .addOption(dynamodbOption())
  .action(exiting(demo));

interface DemoOptions {
  readonly definition: string;
  readonly csv?: string | undefined;
  readonly items?: string | undefined;
  readonly rows?: number | undefined;
  readonly threshold?: number | undefined;
  readonly seed: number;
  readonly keep?: boolean | undefined;
  readonly json?: string | undefined;
  readonly dynamodb: string;
  readonly verbose?: boolean | undefined;
}

async function demo(options: DemoOptions): Promise<number> {
  const group = await loadDefinition(options.definition);
  if (labelKind(labelOf(group)) !== 'binary') {
    throw new Error(
      `The demo plays with labels of two classes, and ${labelOf(group).name} is of another kind: serve it by npm run local -- --definition ${options.definition}.`,
    );
  }
  const { cast, material } = await castOf(group, options);
  if (options.json) await expectWritable(options.json);
  noteLocal(group);
  const dir = await mkdtemp(join(tmpdir(), 'tributary-demo-'));
  const abandon = () => {
    rmSync(dir, { recursive: true, force: true });
    process.exit(INTERRUPTED);
  };
  process.once('SIGINT', abandon);
  try {
    // Loaded when the options are known to be right: it is most of what the demo loads.
    const { startCloud } = await import('../local/cloud.ts');
    const cloud = await startCloud({
      dir,
      port: 0,
      dynamodb: options.dynamodb,
      featureGroup: options.definition,
      params: { ...PACE, labelsThreshold: cast.plan.threshold, labelsPerClassMin: cast.plan.labelsPerClassMin },
      onLog: (name, line) => options.verbose && console.error(`${name}: ${line}`),
    });
    const clients = connect(cloud.endpoint);
    try {
      const report = await play(group, cloud, clients, { cast, material });
      process.stdout.write(`\n${renderSummary(report, styleOf(process.stdout))}`);
      if (options.json) await writeReport(options.json, report);
      process.off('SIGINT', abandon);
      if (options.keep) await keepServing(group, options.definition, cloud, dir);
      return report.checks.every(({ ok }) => ok) ? 0 : 1;
    } finally {
      disconnect(clients);
      await cloud.close();
    }
  } finally {
    if (!options.keep) await rm(dir, { recursive: true, force: true });
  }
}

/** Who plays, and what they are like. */
interface Played {
  readonly cast: Cast;
  readonly material: Material;
}

async function castOf(group: FeatureGroup, options: DemoOptions): Promise<Played> {
  const { csv, items, rows, threshold, seed } = options;
  const isExample = group.name === EXAMPLE && items === undefined;
  if (csv !== undefined && !isExample)
    throw new Error('--csv is of the example: give --items for a table of your own.');
  if (!isExample) return ownCast(group, options);
  const all = csv ? await readBankCsv(csv, group) : generateCustomers(rows ?? ROWS, seed);
  if (all.length < (rows ?? ROWS_MIN) || all.length > ROWS_MAX) {
    throw new Error(
      `${csv}: found ${all.length} customers, expected ${rows ?? ROWS_MIN} to ${ROWS_MAX}${rows ? ' (--rows)' : ''}.`,
    );
  }
  const customers = all.slice(0, rows);
  const from = csv ?? `the generator with seed ${seed}`;
  const plan = planRetraining(customers, seed, threshold);
  return { cast: { customers, others: [], from, seed, plan }, material: exampleMaterial(group, seed) };
}

/** Records of one's own table, from a file or generated from its definition. */
async function ownCast(group: FeatureGroup, { items, rows, threshold, seed }: DemoOptions): Promise<Played> {
  const found = items
    ? await readItemsFile(items)
    : generateItems(group, rows ?? ROWS, seed).map((item, index) => ({ item, place: `item ${index + 1}` }));
  const { records, others, left, material } = ownTable(group, found);
  const where = items ?? `the definition ${group.name}`;
  if (left)
    note(`${where}: items that the definition does not take are left out: ${left.count}, the first at ${left.first}`);
  if (records.length < (rows ?? ROWS_MIN) || records.length + others.length > ROWS_MAX) {
    throw new Error(
      `${where}: found ${records.length} records with a label (${labelOf(group).attribute}), expected ${rows ?? ROWS_MIN} to ${ROWS_MAX}${left ? `; ${left.count} were left out, the first at ${left.first}` : ''}.`,
    );
  }
  const customers = records.slice(0, rows);
  const from = items ?? `the generator with seed ${seed}`;
  return { cast: { customers, others, from, seed, plan: planRetraining(customers, seed, threshold) }, material };
}

async function play(group: FeatureGroup, cloud: Cloud, clients: Clients, { cast, material }: Played): Promise<Report> {
  const names = stackNames(cloud.stack);
  const table = sourceTable(clients.dynamodb, names.sourceTable, group, material.keyOf);
  const progress = progressTo(process.stderr);
  try {
    return await playStory(
      { group, clients, names, table, material, batchWindowMs: batchWindowMs(cloud), progress },
      cast,
    );
  } finally {
    progress.close();
  }
}

function batchWindowMs({ stack }: Cloud): number {
  const { ingestFunction, sourceTable } = stackNames(stack);
  const ingest = stack.functions.find(({ name }) => name === ingestFunction);
  const stream = ingest?.streams.find(({ tableName }) => tableName === sourceTable);
  return (stream?.mapping.MaximumBatchingWindowInSeconds ?? 0) * 1_000;
}

/** @throws Error before any work is done, when the report could not be written after it. */
async function expectWritable(file: string): Promise<void> {
  await access(dirname(file), constants.W_OK).catch((cause: Error) => {
    throw new Error(`--json: found ${file}, expected a file in a folder that is there and can be written.`, { cause });
  });
}

/** Writes the report, all of it or nothing. */
async function writeReport(file: string, report: Report): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(report, undefined, 2)}\n`);
  await rename(temporary, file);
}

async function keepServing(group: FeatureGroup, definition: string, cloud: Cloud, dir: string): Promise<void> {
  const names = stackNames(cloud.stack);
  console.log(
    [
      '',
      `Still serving at ${cloud.endpoint}, state in ${dir}.`,
      `The console: ${consoleAddress(cloud)}`,
      '',
      'From another shell:',
      '',
      ...environmentToSet(cloud.endpoint),
      ...commandsToTry(names, group, definition, sampleItem(group, 'me')),
      '',
      'Ctrl-C stops it.',
    ].join('\n'),
  );
  await serveUntil(untilInterrupted(), { cloud, group, definition });
}

if (import.meta.main) await runCommand(command);
