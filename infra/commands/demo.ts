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
import { type Clients, connect, disconnect } from '../demo/stage/clients.ts';
import { sourceTable } from '../demo/stage/table.ts';
import { type Cast, playStory } from '../demo/story.ts';
import { type Cloud, startCloud } from '../local/cloud.ts';
import { stackNames } from '../local/stack/names.ts';
import { readOptions, runCommand, wholeNumber } from '../terminal/command.ts';
import { progressTo } from '../terminal/progress.ts';
import { untilInterrupted } from '../terminal/until-interrupted.ts';
import { commandsToTry, environmentToSet, rowForEndpoint } from './commands-to-try.ts';

const USAGE =
  'npm run demo -- [--csv FILE] [--rows N] [--threshold N] [--seed N] [--keep] [--json FILE] [--dynamodb embedded|local|URL] [--verbose]';

/** Customers that are generated, unless `--rows` says: enough for a good model, done in well under a minute. */
const ROWS = 1_500;
/** Fewest rows that leave both classes something to learn from and to be validated on. */
const ROWS_MIN = 200;
const ROWS_MAX = 99_999;
const SEED_MAX = 2 ** 32 - 1;

/** Exit code of a program that Ctrl-C has ended: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

/**
 * Short waits in place of those that save money on AWS. On some 250 validation rows the difference of two models is
 * known to a tenth or so, hence the wide margin of non-inferiority.
 */
const PACE = {
  ...{ trainRowsPerClassMin: 1, judgeRowsPerClassMin: 1 },
  ...{ changeLogBufferSeconds: 1, labelsWindowSeconds: 1, endpointPollSeconds: 1, coolDownSeconds: 0 },
  ...{ canarySeconds: 1, terminationSeconds: 0, gateMinimumGain: -0.1 },
};

/** The main job on one machine: the local cloud, customers, labels, trainings, predictions, queries, and a summary. */
async function demo(): Promise<number> {
  const { values: options } = readOptions(USAGE, {
    csv: { type: 'string' },
    rows: { type: 'string' },
    threshold: { type: 'string' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
    json: { type: 'string' },
    dynamodb: { type: 'string', default: 'embedded' },
  });
  const cast = await castOf(options);
  if (options.json) await expectWritable(options.json);
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
      process.stdout.write(`\n${renderSummary(report)}`);
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

async function castOf(options: { csv?: string; rows?: string; threshold?: string; seed: string }): Promise<Cast> {
  const seed = wholeNumber('seed', options.seed, 0, SEED_MAX);
  const rows = options.rows === undefined ? undefined : wholeNumber('rows', options.rows, ROWS_MIN, ROWS_MAX);
  const all = options.csv ? await readBankCsv(options.csv, group) : generateCustomers(rows ?? ROWS, seed);
  if (all.length < (rows ?? ROWS_MIN) || all.length > ROWS_MAX) {
    throw new Error(
      `${options.csv}: found ${all.length} customers, expected ${rows ?? ROWS_MIN} to ${ROWS_MAX}${rows ? ' (--rows)' : ''}.`,
    );
  }
  const customers = all.slice(0, rows);
  const threshold =
    options.threshold === undefined ? undefined : wholeNumber('threshold', options.threshold, 2, ROWS_MAX);
  const from = options.csv ?? `the generator with seed ${seed}`;
  return { customers, from, seed, plan: planRetraining(customers, seed, threshold) };
}

function play(cloud: Cloud, clients: Clients, cast: Cast): Promise<Report> {
  const names = stackNames(cloud.stack);
  const table = sourceTable(clients.dynamodb, names.sourceTable, group);
  return playStory({ group, clients, names, table, progress: progressTo(process.stderr) }, cast);
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

await runCommand(demo);
