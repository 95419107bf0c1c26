import { rmSync } from 'node:fs';
import { access, constants, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import group from '../../shared/feature-groups/bank-marketing.ts';
import { sampleItem } from '../aws/live-test/sample-item.ts';
import { planRetraining } from '../demo/acts/policy.ts';
import { readBankCsv } from '../demo/customers/bank-csv.ts';
import { generateCustomers } from '../demo/customers/customers.ts';
import type { Report } from '../demo/findings/report.ts';
import { renderSummary } from '../demo/findings/summary.ts';
import type { Cast } from '../demo/stage/cast.ts';
import { type Clients, connect, disconnect } from '../demo/stage/clients.ts';
import { sourceTable } from '../demo/stage/table.ts';
import { playStory } from '../demo/story.ts';
import { type Cloud, startCloud } from '../local/cloud.ts';
import { stackNames } from '../local/stack/names.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { dynamodbOption, jsonFile, wholeNumber } from '../terminal/options.ts';
import { progressTo } from '../terminal/progress.ts';
import { styleOf } from '../terminal/style.ts';
import { untilInterrupted } from '../terminal/until-interrupted.ts';
import { commandsToTry, environmentToSet, rowForEndpoint } from './commands-to-try.ts';
import { noteLocal } from './stack.ts';

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
 * known to a fifth or so, hence the wide margin of non-inferiority.
 */
const PACE = {
  ...{ trainRowsPerClassMin: 1, validationRowsPerClassMin: 0, judgeRowsPerClassMin: 1 },
  ...{ changeLogBufferSeconds: 1, labelsWindowSeconds: 1, endpointPollSeconds: 1, coolDownSeconds: 0 },
  ...{ canarySeconds: 1, terminationSeconds: 0, gateMinimumGain: -0.2 },
};

export const command = newCommand(
  'demo',
  'Plays the main job on one machine: customers, labels, trainings, predictions, queries, and a summary that checks it.',
)
  .option('--csv <FILE>', "customers from a file: UCI's Bank Marketing, or the same with commas and underscores")
  .option('--rows <N>', `customers; ${ROWS} without --csv`, wholeNumber('rows', ROWS_MIN, ROWS_MAX))
  .option('--threshold <N>', 'labels that set off a training', wholeNumber('threshold', 2, ROWS_MAX))
  .option('--seed <N>', 'decides the customers and their order', wholeNumber('seed', 0, SEED_MAX), SEED)
  .option('--keep', 'go on serving afterwards, until Ctrl-C')
  .addOption(jsonFile())
  .addOption(dynamodbOption())
  .action(exiting(demo));

interface DemoOptions {
  readonly csv?: string | undefined;
  readonly rows?: number | undefined;
  readonly threshold?: number | undefined;
  readonly seed: number;
  readonly keep?: boolean | undefined;
  readonly json?: string | undefined;
  readonly dynamodb: string;
  readonly verbose?: boolean | undefined;
}

async function demo(options: DemoOptions): Promise<number> {
  const cast = await castOf(options);
  if (options.json) await expectWritable(options.json);
  noteLocal(group);
  const dir = await mkdtemp(join(tmpdir(), 'tributary-demo-'));
  const abandon = () => {
    rmSync(dir, { recursive: true, force: true });
    process.exit(INTERRUPTED);
  };
  process.once('SIGINT', abandon);
  try {
    const cloud = await startCloud({
      dir,
      port: 0,
      dynamodb: options.dynamodb,
      featureGroup: group.name,
      params: { ...PACE, labelsThreshold: cast.plan.threshold, labelsPerClassMin: cast.plan.labelsPerClassMin },
      onLog: (name, line) => options.verbose && console.error(`${name}: ${line}`),
    });
    const clients = connect(cloud.endpoint);
    try {
      const report = await play(cloud, clients, cast);
      process.stdout.write(`\n${renderSummary(report, styleOf(process.stdout))}`);
      if (options.json) await writeReport(options.json, report);
      process.off('SIGINT', abandon);
      if (options.keep) await keepServing(cloud, clients, dir);
      return report.checks.every(({ ok }) => ok) ? 0 : 1;
    } finally {
      disconnect(clients);
      await cloud.close();
    }
  } finally {
    if (!options.keep) await rm(dir, { recursive: true, force: true });
  }
}

async function castOf({ csv, rows, threshold, seed }: DemoOptions): Promise<Cast> {
  const all = csv ? await readBankCsv(csv, group) : generateCustomers(rows ?? ROWS, seed);
  if (all.length < (rows ?? ROWS_MIN) || all.length > ROWS_MAX) {
    throw new Error(
      `${csv}: found ${all.length} customers, expected ${rows ?? ROWS_MIN} to ${ROWS_MAX}${rows ? ' (--rows)' : ''}.`,
    );
  }
  const customers = all.slice(0, rows);
  return {
    customers,
    from: csv ?? `the generator with seed ${seed}`,
    seed,
    plan: planRetraining(customers, seed, threshold),
  };
}

async function play(cloud: Cloud, clients: Clients, cast: Cast): Promise<Report> {
  const names = stackNames(cloud.stack);
  const table = sourceTable(clients.dynamodb, names.sourceTable, group);
  const progress = progressTo(process.stderr);
  try {
    return await playStory({ group, clients, names, table, progress }, cast);
  } finally {
    progress.close();
  }
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

async function keepServing(cloud: Cloud, clients: Clients, dir: string): Promise<void> {
  const names = stackNames(cloud.stack);
  const row = await rowForEndpoint(clients.s3, names.dataBucket);
  console.log(
    [
      '',
      `Still serving at ${cloud.endpoint}, state in ${dir}. From another shell:`,
      '',
      ...environmentToSet(cloud.endpoint),
      ...commandsToTry(names, group, sampleItem(group, 'me'), row),
      '',
      'Ctrl-C stops it.',
    ].join('\n'),
  );
  await untilInterrupted();
}

if (import.meta.main) await runCommand(command);
