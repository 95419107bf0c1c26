import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { type FeatureGroup, labelOf } from '../../shared/definition/feature-group.ts';
import { loadDefinition } from '../aws/definitions/definitions.ts';
import { sampleItem } from '../aws/live-test/sample-item.ts';
import { generateCustomers } from '../demo/customers/customers.ts';
import { itemOf, keyOf } from '../demo/customers/item.ts';
import { waitForTraining } from '../demo/findings/trainings.ts';
import { type Clients, connect, disconnect } from '../demo/stage/clients.ts';
import { sourceTable, writeConcurrently } from '../demo/stage/table.ts';
import { type Cloud, startCloud } from '../local/cloud.ts';
import { stackNames } from '../local/stack/names.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { note } from '../terminal/note.ts';
import { definitionOption, dynamodbOption, wholeNumber } from '../terminal/options.ts';
import { untilInterrupted } from '../terminal/until-interrupted.ts';
import { commandsToTry, environmentToSet } from './serving/commands-to-try.ts';
import { type Params, paramOption, paramsOf } from './serving/params.ts';
import { consoleAddress, serveUntil } from './serving/serve-until.ts';
import { EXAMPLE, noteLocal } from './target.ts';

const PORT = 4_566;
const PORT_MAX = 65_535;

/** Customers of the example definition, which alone has some. */
const EXAMPLE_CUSTOMERS = 400;
const EXAMPLE_SEED = 1;

/** Short waits in place of those that save money on AWS, and few labels for a training. */
const PARAMS: Params = {
  changeLogBufferSeconds: 1,
  backfillMarginSeconds: 2,
  labelsWindowSeconds: 1,
  endpointPollSeconds: 1,
  coolDownSeconds: 0,
  canarySeconds: 2,
  terminationSeconds: 0,
  gateMinimumGain: -0.2,
  gateFloor: 0,
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
  .addOption(paramOption())
  .action(exiting(local));

interface LocalOptions {
  readonly port: number;
  readonly dir: string;
  readonly dynamodb: string;
  readonly definition: string;
  readonly empty?: boolean | undefined;
  readonly param?: Params | undefined;
  readonly verbose?: boolean | undefined;
}

async function local(options: LocalOptions): Promise<number> {
  const { port, dir, dynamodb, definition, empty, param = {}, verbose } = options;
  const params = paramsOf(PARAMS, param);
  const group = await loadDefinition(definition);
  noteLocal(group);
  const cloud = await startCloud({
    ...{ dir, port, dynamodb, featureGroup: definition, params },
    onLog: (name, line) => verbose && console.error(`${name}: ${line}`),
  });
  let stopping = false;
  const interrupted = untilInterrupted().then(() => {
    stopping = true;
  });
  const clients = connect(cloud.endpoint);
  try {
    const isNew = !empty && group.name === EXAMPLE && (await isTableEmpty(cloud, clients));
    if (isNew) console.log(`The console: ${consoleAddress(cloud)}`);
    const ready = (isNew ? loadExample(cloud, clients, group) : Promise.resolve()).then(() => {
      if (!stopping) printWhatToTry(cloud, group, options, params);
    });
    // The console is served meanwhile, so that the first training can be watched.
    const failed = new Promise<never>((_, reject) => {
      ready.catch(reject);
    });
    await serveUntil(Promise.race([interrupted, failed]), { cloud, group, definition });
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
async function loadExample(cloud: Cloud, clients: Clients, group: FeatureGroup): Promise<void> {
  const names = stackNames(cloud.stack);
  const table = sourceTable(clients.dynamodb, names.sourceTable, group, (id) => keyOf(id, group));
  note('Loading example customers, and training a first model');
  await writeConcurrently(generateCustomers(EXAMPLE_CUSTOMERS, EXAMPLE_SEED), (customer) =>
    table.insert({ ...itemOf(customer, group), [labelOf(group).attribute]: { N: customer.label } }),
  );
  const { rows, auc } = await waitForTraining({ clients, names }, 1);
  note(`The first model has learned from ${rows} rows, AUC ${auc?.toFixed(4) ?? 'not measured'}`);
}

function printWhatToTry(cloud: Cloud, group: FeatureGroup, { dir, definition }: LocalOptions, params: Params): void {
  const names = stackNames(cloud.stack);
  const example = generateCustomers(1, EXAMPLE_SEED + 1).map((it) => itemOf({ ...it, id: 'me' }, group))[0];
  const item = group.name === EXAMPLE && example ? example : sampleItem(group, 'me');
  const { labelsThreshold, labelsPerClassMin } = params;
  console.log(
    [
      `Serving ${group.name} at ${cloud.endpoint}, state in ${dir}.`,
      `The console: ${consoleAddress(cloud)}`,
      '',
      'From another shell:',
      '',
      ...environmentToSet(cloud.endpoint),
      ...commandsToTry(names, group, definition, item),
      '',
      group.label
        ? `${labelsThreshold} new labels (${group.label.name})${group.label.type ? '' : `, ${labelsPerClassMin} of each class,`} start a training. --param labelsThreshold=N changes that.`
        : `${group.name} has no label, so nothing is trained.`,
      'Ctrl-C stops it; the same --dir goes on where it was.',
      '',
    ].join('\n'),
  );
}

if (import.meta.main) await runCommand(command);
