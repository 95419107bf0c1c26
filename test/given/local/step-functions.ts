import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { Facts } from '../../../infra/local/iam/permissions.ts';
import { StackRoles } from '../../../infra/local/iam/roles.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { callInProcess } from '../../../infra/local/protocol/server.ts';
import type { Caller, Operation, Service } from '../../../infra/local/protocol/service.ts';
import { s3 } from '../../../infra/local/s3/s3.ts';
import { sageMaker } from '../../../infra/local/sagemaker/sagemaker.ts';
import { stepFunctions } from '../../../infra/local/step-functions/step-functions.ts';
import { ObjectStore } from '../../../infra/local/storage/object-store.ts';
import { served } from '../served.ts';

export const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:retraining';
export const ROLE = 'arn:aws:iam::000000000000:role/training';

/** How often an execution is looked at, in milliseconds. */
const POLL_MS = 20;

/** A definition. */
export const machine = (StartAt: string, States: Record<string, object>, rest: object = {}) => ({
  StartAt,
  States,
  ...rest,
});

/** A definition of one state that gives its parameters. */
export const pass = (Parameters: object) => machine('Only', { Only: { Type: 'Pass', Parameters, End: true } });

/** A definition that does not end by itself within a test. */
export const waiting = machine('Wait', { Wait: { Type: 'Wait', Seconds: 600, End: true } });

/** One task, whose failure is caught if `errors` match. */
export const caught = (Resource: string, Parameters: object, errors: string[], rest: object = {}) =>
  machine('Task', {
    Task: {
      ...{ Type: 'Task', Resource, Parameters, Next: 'Done' },
      Catch: [{ ErrorEquals: errors, ResultPath: '$.failure', Next: 'Caught' }],
      ...rest,
    },
    Done: { Type: 'Succeed' },
    Caught: { Type: 'Succeed' },
  });

type Answering = 'athena' | 'lambda' | 'dynamodb';

/**
 * The local Step Functions, with the local SageMaker and S3 over a bucket `data`, and other services that answer what a
 * test gives them. The state machine's role may do everything, until a test puts it in `roles`.
 */
export async function localStepFunctions() {
  const dir = mkdtempSync(join(tmpdir(), 'states-'));
  const faults = new Faults();
  const objects = new ObjectStore(join(dir, 's3'));
  await objects.createBucket('data');
  const operations: Partial<Record<Answering, Record<string, Operation>>> = {};
  const answering = (name: Answering): Service => ({
    name,
    get operations() {
      return operations[name] ?? {};
    },
  });
  const objectExists = async (bucket: string, key: string) =>
    objects.head(bucket, key).then(
      () => true,
      () => false,
    );
  const roles = new StackRoles({ objectExists } as Facts);
  const open = async () => {
    const db = new DatabaseSync(join(dir, 'cloud.sqlite'));
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    const learning = sageMaker({ db, objects });
    const others = [answering('athena'), answering('lambda'), answering('dynamodb'), ...learning.services];
    others.push(s3({ objects }).service);
    const call = callInProcess(others, faults);
    const callAs = (caller: Caller) =>
      roles.statementsOf(caller.roleArn) ? callInProcess(others, faults, { roles, caller }) : call;
    const states = stepFunctions({ db, call, callAs, roles });
    const cloud = await served([states.service], faults);
    return {
      states,
      sfn: new SFNClient(cloud.client),
      async close() {
        await states.close();
        await learning.close();
        await cloud.close();
        db.close();
      },
    };
  };
  let opened = await open();

  const createStateMachine = (definition: object) =>
    opened.states.createStateMachine({ name: 'retraining', arn: MACHINE, definition, roleArn: ROLE });

  async function start(input: unknown = {}, name?: string) {
    const command = new StartExecutionCommand({ stateMachineArn: MACHINE, input: JSON.stringify(input), name });
    return (await opened.sfn.send(command)).executionArn ?? '';
  }

  async function ended(executionArn: string) {
    for (;;) {
      const execution = await opened.sfn.send(new DescribeExecutionCommand({ executionArn }));
      if (execution.status !== 'RUNNING') return execution;
      await sleep(POLL_MS);
    }
  }

  return {
    /** What Athena, Lambda and DynamoDB answer, by operation. */
    operations,
    ...{ faults, objects, roles, createStateMachine, start, ended },
    send: ((command: never) => opened.sfn.send(command)) as SFNClient['send'],

    /** Runs a definition to its end. */
    async run(definition: object, input: unknown = {}) {
      createStateMachine(definition);
      const execution = await ended(await start(input));
      return { ...execution, result: JSON.parse(execution.output ?? 'null') };
    },

    async historyOf(executionArn: string) {
      const { events = [] } = await opened.sfn.send(new GetExecutionHistoryCommand({ executionArn }));
      return events;
    },

    /** Stops it, and starts it again over the same state. */
    async restart(): Promise<void> {
      await opened.close();
      opened = await open();
    },

    async close(): Promise<void> {
      await opened.close();
      rmSync(dir, { recursive: true });
    },
  };
}
