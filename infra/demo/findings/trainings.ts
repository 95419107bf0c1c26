import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { DescribeExecutionCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import type { Item } from '../customers/item.ts';
import type { Stage } from '../stage/stage.ts';
import { waitUntil } from '../stage/wait.ts';
import type { Training } from './report.ts';

/** What trainings are read from. */
type Observed = Pick<Stage, 'clients' | 'names'>;

/** Key prefix of the evidence of closed epochs in the state table. */
const EVIDENCE_KEY_PREFIX = 'epoch#';

/** Longest time a training may stand still, in milliseconds; the whole of it takes seconds. */
const STALL_MS = 90_000;

/**
 * Waits until an epoch's model serves, or was refused.
 *
 * @throws Error with the state machine's own reason when the training fails, or when nothing moves any more.
 */
export async function waitForTraining(stage: Observed, epoch: number): Promise<Training> {
  let training: Training | undefined;
  await waitUntil(STALL_MS, async () => {
    training = await readTraining(stage, epoch);
    return { over: training !== undefined, seen: training ? '' : await executionState(stage) };
  });
  if (training) return training;
  throw new Error(`Epoch ${epoch} has not been closed: ${(await executionState(stage)) || 'no training was started'}.`);
}

/** The trainings that are over, in their order. Epochs close one after the other. */
export async function readTrainings(stage: Observed): Promise<Training[]> {
  const trainings: Training[] = [];
  for (;;) {
    const training = await readTraining(stage, trainings.length + 1);
    if (!training) return trainings;
    trainings.push(training);
  }
}

async function readTraining({ clients, names }: Observed, epoch: number): Promise<Training | undefined> {
  const { Item } = await clients.dynamodb.send(
    new GetItemCommand({
      TableName: names.stateTable,
      Key: { pk: { S: `${EVIDENCE_KEY_PREFIX}${epoch}` } },
      ConsistentRead: true,
    }),
  );
  return Item && trainingOf(Item);
}

function trainingOf({ epoch, counts, comparison, trainingJobName, endpointConfigName }: Item): Training {
  const count = (name: string) => Number(counts?.M?.[name]?.N);
  const trainRows = count('trainRows');
  const validationRows = count('validationRows');
  const judgeRows = count('judgeRows');
  const auc = comparison?.M?.challenger?.M?.auc?.N;
  return {
    epoch: Number(epoch?.N),
    rows: trainRows + validationRows + judgeRows,
    ...{ trainRows, validationRows, judgeRows },
    auc: auc === undefined ? null : Number(auc),
    trainingJobName: trainingJobName?.S ?? '',
    endpointConfigName: endpointConfigName?.S ?? null,
  };
}

/** Whether a training runs now. */
export async function isTraining({ clients, names }: Observed): Promise<boolean> {
  const { executions } = await clients.stepFunctions.send(
    new ListExecutionsCommand({ stateMachineArn: names.stateMachineArn, statusFilter: 'RUNNING' }),
  );
  return (executions?.length ?? 0) > 0;
}

/** How the latest execution stands, in words. @throws Error when it has failed. */
async function executionState({ clients, names }: Observed): Promise<string> {
  const { executions } = await clients.stepFunctions.send(
    new ListExecutionsCommand({ stateMachineArn: names.stateMachineArn, maxResults: 1 }),
  );
  const [latest] = executions ?? [];
  if (!latest) return '';
  if (latest.status === 'RUNNING' || latest.status === 'SUCCEEDED') return `${latest.name} is ${latest.status}`;
  const { error, cause } = await clients.stepFunctions.send(
    new DescribeExecutionCommand({ executionArn: latest.executionArn }),
  );
  const wayOut = error === 'TooFewRows' ? ' Take more records (--rows), or a higher --threshold.' : '';
  throw new Error(`The training ${latest.name} is ${latest.status}: ${error}: ${cause}.${wayOut}`);
}
