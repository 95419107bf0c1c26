import {
  paginateListTrainingJobs,
  paginateListTransformJobs,
  type SageMakerClient,
  StopTrainingJobCommand,
  StopTransformJobCommand,
} from '@aws-sdk/client-sagemaker';
import { paginateListExecutions, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { isMadeOf } from '../../../shared/model/names.ts';
import type { Clients } from './clients.ts';
import { type FoundStack, physicalIds } from './stack.ts';

/** A training in flight, in the parts that go on by themselves. */
export interface Trainings {
  /** ARNs of executions of the state machines. */
  readonly executions: readonly string[];
  readonly trainingJobs: readonly string[];
  readonly transformJobs: readonly string[];
}

/** What runs of an endpoint's trainings. Jobs are recognized by their exact names: another stack's may begin alike. */
export async function findTrainings(
  { sagemaker, stepFunctions }: Clients,
  stack: FoundStack | undefined,
  endpoint: string,
): Promise<Trainings> {
  const executions: string[] = [];
  const machines = stack?.isThere ? physicalIds(stack, 'AWS::StepFunctions::StateMachine') : [];
  for (const stateMachineArn of machines) {
    const running = { stateMachineArn, statusFilter: 'RUNNING' } as const;
    for await (const page of paginateListExecutions({ client: stepFunctions }, running)) {
      executions.push(...(page.executions ?? []).flatMap(({ executionArn }) => executionArn ?? []));
    }
  }
  return { executions, ...(await findJobs(sagemaker, endpoint)) };
}

async function findJobs(client: SageMakerClient, endpoint: string): Promise<Omit<Trainings, 'executions'>> {
  const running = { NameContains: endpoint, StatusEquals: 'InProgress' } as const;
  const [trainingJobs, transformJobs]: [string[], string[]] = [[], []];
  for await (const page of paginateListTrainingJobs({ client }, running)) {
    trainingJobs.push(...(page.TrainingJobSummaries ?? []).flatMap(({ TrainingJobName }) => TrainingJobName ?? []));
  }
  for await (const page of paginateListTransformJobs({ client }, running)) {
    transformJobs.push(...(page.TransformJobSummaries ?? []).flatMap(({ TransformJobName }) => TransformJobName ?? []));
  }
  const isOurs = isMadeOf(endpoint);
  return { trainingJobs: trainingJobs.filter(isOurs), transformJobs: transformJobs.filter(isOurs) };
}

/**
 * Stops what runs: the executions first, which would start the next job. Idempotent: an execution or job that has
 * ended meanwhile is as good as stopped.
 */
export async function stopTrainings({ sagemaker, stepFunctions }: Clients, running: Trainings): Promise<void> {
  for (const executionArn of running.executions) {
    await stepFunctions.send(new StopExecutionCommand({ executionArn, cause: 'The stack is being removed.' }));
  }
  for (const TrainingJobName of running.trainingJobs) {
    await sagemaker.send(new StopTrainingJobCommand({ TrainingJobName })).catch(unlessEnded);
  }
  for (const TransformJobName of running.transformJobs) {
    await sagemaker.send(new StopTransformJobCommand({ TransformJobName })).catch(unlessEnded);
  }
}

/** SageMaker refuses to stop what has ended as invalid. */
function unlessEnded(error: Error): void {
  if (error.name !== 'ValidationException') throw error;
}
