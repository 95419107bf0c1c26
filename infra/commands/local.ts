import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import { loadFeatureGroup } from '../../shared/definition/load.ts';
import { sampleItem } from '../aws/live-test/sample-item.ts';
import { generateCustomers } from '../demo/customers/customers.ts';
import { itemOf } from '../demo/customers/item.ts';
import { waitForTraining } from '../demo/findings/trainings.ts';
import { type Clients, connect, disconnect } from '../demo/stage/clients.ts';
import { sourceTable, writeConcurrently } from '../demo/stage/table.ts';
import { type Cloud, startCloud } from '../local/cloud.ts';
import { stackNames } from '../local/stack/names.ts';
import { readOptions, runCommand, wholeNumber } from '../terminal/command.ts';
import { type Progress, progressTo } from '../terminal/progress.ts';
import { untilInterrupted } from '../terminal/until-interrupted.ts';
import { commandsToTry, environmentToSet, rowForEndpoint } from './commands-to-try.ts';

const USAGE =
  'npm run local -- [--port 4566] [--dir DIR] [--dynamodb embedded|local|URL] [--definition NAME|FILE] [--empty] [--verbose]';

const PORT_MAX = 65_535;

/** Definition that there are example customers of. */
const EXAMPLE = 'bank-marketing';
const EXAMPLE_CUSTOMERS = 400;
const EXAMPLE_SEED = 1;

/** Short waits in place of those that save money on AWS, and few labels for a training. */
const PARAMS = {
  changeLogBufferSeconds: 1,
  labelsWindowSeconds: 1,
  endpointPollSeconds: 1,
  coolDownSeconds: 0,
  canarySeconds: 2,
  terminationSeconds: 0,
  gateMinimumGain: -0.1,
  trainRowsPerClassMin: 1,
  judgeRowsPerClassMin: 1,
  labelsThreshold: EXAMPLE_CUSTOMERS,
  labelsPerClassMin: 10,
};

/** The local cloud alone, until Ctrl-C. */
async function local(): Promise<number> {
  const { values: options } = readOptions(USAGE, {
    port: { type: 'string', default: '4566' },
    dir: { type: 'string', default: '.tributary' },
    dynamodb: { type: 'string', default: 'embedded' },
    definition: { type: 'string', default: EXAMPLE },
    empty: { type: 'boolean', default: false },
  });
  const port = wholeNumber('port', options.port, 0, PORT_MAX);
  const group = await loadFeatureGroup(options.definition);
  const cloud = await startCloud({
    dir: options.dir,
    port,
    dynamodb: options.dynamodb,
    featureGroup: options.definition,
    params: PARAMS,
    onLog: (name, line) => options.verbose && console.error(`${name}: ${line}`),
  });
  let stopping = false;
  const interrupted = untilInterrupted().then(() => {
    stopping = true;
  });
  const clients = connect(cloud.endpoint);
  try {
    if (!options.empty && group.name === EXAMPLE && (await isTableEmpty(cloud, clients))) {
      await Promise.race([loadExample(cloud, clients, group, progressTo(process.stderr)), interrupted]);
    }
    if (!stopping) await printWhatToTry(cloud, clients, group, options.dir);
    await interrupted;
    return 0;
  } finally {
    disconnect(clients);
    await cloud.close();
  }
}

async function isTableEmpty(cloud: Cloud, { dynamodb }: Clients): Promise<boolean> {
  const { sourceTable: TableName } = stackNames(cloud.stack);
  const { Count } = await dynamodb.send(new ScanCommand({ TableName, Limit: 1, Select: 'COUNT' }));
  return Count === 0;
}

/** Writes example customers with their labels, and waits until the model that they train serves. */
async function loadExample(cloud: Cloud, clients: Clients, group: FeatureGroup, progress: Progress): Promise<void> {
  const names = stackNames(cloud.stack);
  const table = sourceTable(clients.dynamodb, names.sourceTable, group);
  progress.step('Loading example customers, and training a first model');
  await writeConcurrently(generateCustomers(EXAMPLE_CUSTOMERS, EXAMPLE_SEED), (customer) =>
    table.insert({ ...itemOf(customer, group), [group.label.attribute]: { N: customer.label } }),
  );
  const { rows, auc } = await waitForTraining({ group, clients, names, table, progress }, 1);
  progress.done(`${rows} rows, AUC ${auc?.toFixed(4) ?? 'not measured'}`);
}

async function printWhatToTry(cloud: Cloud, clients: Clients, group: FeatureGroup, dir: string): Promise<void> {
  const names = stackNames(cloud.stack);
  const example = generateCustomers(1, EXAMPLE_SEED + 1).map((it) => itemOf({ ...it, id: 'me' }, group))[0];
  const item = group.name === EXAMPLE && example ? example : sampleItem(group, 'me');
  console.log(
    [
      `Serving ${group.name} at ${cloud.endpoint}, state in ${dir}. From another shell:`,
      '',
      ...environmentToSet(cloud.endpoint),
      ...commandsToTry(names, group, item, await rowForEndpoint(clients.s3, names.dataBucket)),
      '',
      'Ctrl-C stops it; the same --dir goes on where it was.',
    ].join('\n'),
  );
}

await runCommand(local);
