import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import { loadDefinition } from '../aws/definitions/definitions.ts';
import { sampleItem } from '../aws/live-test/sample-item.ts';
import { generateCustomers } from '../demo/customers/customers.ts';
import { itemOf } from '../demo/customers/item.ts';
import { waitForTraining } from '../demo/findings/trainings.ts';
import { type Clients, connect, disconnect } from '../demo/stage/clients.ts';
import { sourceTable, writeConcurrently } from '../demo/stage/table.ts';
import { type Cloud, startCloud } from '../local/cloud.ts';
import { stackNames } from '../local/stack/names.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { definitionOption, dynamodbOption, wholeNumber } from '../terminal/options.ts';
import { type Progress, progressTo } from '../terminal/progress.ts';
import { untilInterrupted } from '../terminal/until-interrupted.ts';
import { commandsToTry, environmentToSet, rowForEndpoint } from './commands-to-try.ts';
import { EXAMPLE, noteLocal } from './stack.ts';

const PORT = 4_566;
const PORT_MAX = 65_535;

/** Customers of the example definition, which alone has some. */
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
  gateMinimumGain: -0.2,
  trainRowsPerClassMin: 1,
  validationRowsPerClassMin: 0,
  judgeRowsPerClassMin: 1,
  labelsThreshold: EXAMPLE_CUSTOMERS,
  labelsPerClassMin: 10,
};

export const command = newCommand(
  'local',
  'Serves the local cloud with one stack until Ctrl-C, and prints commands to try on it.',
)
  .option('--port <N>', 'port of 127.0.0.1; 0 takes a free one', wholeNumber('port', 0, PORT_MAX), PORT)
  .option('--dir <DIR>', 'folder of the state, which survives a restart', '.tributary')
  .addOption(dynamodbOption())
  .addOption(definitionOption().default(EXAMPLE))
  .option('--empty', 'start the example without its customers')
  .action(exiting(local));

interface LocalOptions {
  readonly port: number;
  readonly dir: string;
  readonly dynamodb: string;
  readonly definition: string;
  readonly empty?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

async function local(options: LocalOptions): Promise<number> {
  const { port, dir, dynamodb, definition, empty, verbose } = options;
  const group = await loadDefinition(definition);
  noteLocal(group);
  const cloud = await startCloud({
    ...{ dir, port, dynamodb, featureGroup: definition, params: PARAMS },
    onLog: (name, line) => verbose && console.error(`${name}: ${line}`),
  });
  let stopping = false;
  const interrupted = untilInterrupted().then(() => {
    stopping = true;
  });
  const clients = connect(cloud.endpoint);
  const progress = progressTo(process.stderr);
  try {
    if (!empty && group.name === EXAMPLE && (await isTableEmpty(cloud, clients))) {
      await Promise.race([loadExample(cloud, clients, group, progress), interrupted]);
    }
    if (!stopping) await printWhatToTry(cloud, clients, group, dir);
    await interrupted;
    return 0;
  } finally {
    progress.close();
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

if (import.meta.main) await runCommand(command);
