import type { Progress } from '../../terminal/progress.ts';
import type { Clients } from './clients.ts';
import { emptyBucket, removeBucket, removeTable } from './data.ts';
import { type Inventory, type Sought, takeInventory, thingsOf } from './inventory.ts';
import { removeServing, type Serving } from './serving.ts';
import { DEPLOYMENT_BUCKET, deleteStack, type FoundStack } from './stack.ts';
import { stopTrainings, type Trainings } from './trainings.ts';

/**
 * Removes everything of an inventory: first what costs money by the hour, last the data. Each step only removes what
 * it finds, so a run that failed anywhere is simply run again.
 *
 * @throws Error with the way out at the first step that fails, or when something is there again at the end.
 */
export async function removeAll(clients: Clients, sought: Sought, found: Inventory, progress: Progress): Promise<void> {
  await removeModels(clients, found, progress);
  const { stack, data } = found;
  if (stack?.isThere) {
    await step(progress, `Deleting stack ${sought.stack}`, async () => {
      await emptyDeploymentBucket(clients, stack);
      await deleteStack(clients.cloudFormation, stack);
    });
    // Until the stack was gone, its function retrain could begin another training.
    await removeModels(clients, await takeInventory(clients, sought), progress);
  }
  for (const bucket of data.buckets) {
    await step(progress, `Emptying and deleting bucket ${bucket}`, () => removeBucket(clients.s3, bucket));
  }
  for (const table of data.tables) {
    await step(progress, `Deleting table ${table}`, () => removeTable(clients.dynamodb, table));
  }
  const left = thingsOf(await takeInventory(clients, sought));
  if (left.length > 0) {
    throw new Error(`Still there: ${left.map(([kind, name]) => `${kind} ${name}`).join(', ')}. Run this again.`);
  }
}

/** @throws Error naming the step that failed, and the way out. */
async function step(progress: Progress, title: string, work: () => Promise<void>): Promise<void> {
  progress.step(title);
  await work().catch((cause: Error) => {
    throw new Error(`${title} failed (${cause.message.replace(/\.$/, '')}). Mend that, and run this again.`, { cause });
  });
  progress.done('done');
}

/** Stops a training in flight, and removes what serves or has served. */
async function removeModels(
  clients: Clients,
  { trainings, serving }: { readonly trainings: Trainings; readonly serving: Serving },
  progress: Progress,
): Promise<void> {
  const running = Object.values(trainings).flat().length;
  if (running > 0) {
    await step(progress, `Stopping the training in flight, ${running} executions and jobs`, () =>
      stopTrainings(clients, trainings),
    );
  }
  const { endpoints, endpointConfigs, models, alarms } = serving;
  const count = endpointConfigs.length + models.length + alarms.length;
  if (endpoints.length > 0 || count > 0) {
    const named = endpoints.map(({ name }) => `endpoint ${name}, and `).join('');
    const title = `Deleting ${named}${endpointConfigs.length} configurations, ${models.length} models and ${alarms.length} alarms`;
    await step(progress, title, () => removeServing(clients, serving));
  }
}

/** CloudFormation deletes no bucket that has something in it. */
async function emptyDeploymentBucket({ s3 }: Clients, { resources }: FoundStack): Promise<void> {
  const bucket = resources.find(({ LogicalResourceId }) => LogicalResourceId === DEPLOYMENT_BUCKET);
  if (bucket?.PhysicalResourceId && bucket.ResourceStatus !== 'DELETE_COMPLETE') {
    await emptyBucket(s3, bucket.PhysicalResourceId);
  }
}
