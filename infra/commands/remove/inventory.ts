import type { Clients } from './clients.ts';
import { type Data, findData } from './data.ts';
import { findServing, type Serving } from './serving.ts';
import { type FoundStack, findStack } from './stack.ts';
import { findTrainings, type Trainings } from './trainings.ts';

/** Everything that there is of a stack: itself, and what outlives it. */
export interface Inventory {
  readonly stack: FoundStack | undefined;
  readonly trainings: Trainings;
  readonly serving: Serving;
  readonly data: Data;
}

/** What a stack is found by. */
export interface Sought {
  readonly stack: string;
  readonly endpoint: string;
  readonly featureGroup: string;
}

/** Looks everything up by exact names. Nothing is changed. */
export async function takeInventory(clients: Clients, sought: Sought): Promise<Inventory> {
  const stack = await findStack(clients.cloudFormation, sought.stack, sought.featureGroup);
  return {
    stack,
    trainings: await findTrainings(clients, stack, sought.endpoint),
    serving: await findServing(clients, sought.endpoint),
    data: await findData(clients, stack),
  };
}

/** A thing that can be removed: its kind, its name, and what is to be said of it. */
export type Thing = readonly [kind: string, name: string];

/** The things of an inventory, in the order in which they are removed. */
export function thingsOf({ stack, trainings, serving, data }: Inventory): Thing[] {
  const things = (kind: string, names: readonly string[]) => names.map((name): Thing => [kind, name]);
  return [
    ...things('execution', trainings.executions),
    ...things('training job', trainings.trainingJobs),
    ...things('transform job', trainings.transformJobs),
    ...things(
      'endpoint',
      serving.endpoints.map(({ name, status }) => `${name} (${status})`),
    ),
    ...things('endpoint config', serving.endpointConfigs),
    ...things('model', serving.models),
    ...things('alarm', serving.alarms),
    ...(stack?.isThere ? things('stack', [`${nameOf(stack)} (${stack.status})`]) : []),
    ...things('bucket', data.buckets),
    ...things('table', data.tables),
  ];
}

/** `arn:aws:cloudformation:us-east-1:123456789012:stack/name/id` */
const nameOf = ({ id }: FoundStack): string => id.split('/')[1] ?? id;
