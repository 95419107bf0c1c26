import { randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { CodeDeployClient, PutLifecycleEventHookExecutionStatusCommand } from '@aws-sdk/client-codedeploy';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describeError, isTooLarge } from '../shared/calls/failure.ts';
import { once } from '../shared/calls/once.ts';
import { type RehearseConfig, rehearseConfig } from '../shared/config/rehearse.ts';
import { differences, type Effects, findFencesOfEachOther, type RehearsalEvent } from '../shared/rehearsal/effects.ts';
import { recentChanges } from '../shared/rehearsal/recent-changes.ts';

/** What CodeDeploy asks with, before it shifts traffic to a new version of ingest. */
export interface HookEvent {
  readonly DeploymentId: string;
  readonly LifecycleEventHookExecutionId: string;
}

/** What the hook stands on. */
export interface RehearseDependencies {
  readonly config: RehearseConfig;
  readonly streams: Pick<DynamoDBStreamsClient, 'send'>;
  readonly lambda: Pick<LambdaClient, 'send'>;
  readonly codedeploy: Pick<CodeDeployClient, 'send'>;
  now(): number;
}

export interface RehearseAnswer {
  readonly status: 'Succeeded' | 'Failed';
  readonly reason: string;
}

/** What Lambda calls an answer of more than 6 MB. */
const RESPONSE_TOO_LARGE = 'Function.ResponseSizeTooLarge';

const KEY_BYTES = 32;

/** Two versions that do not find each other's fences would lose changes, which no parameter can accept. */
const OTHER_FENCES =
  'The serving version does not find the fences that the new one leaves: deploy with --param="fences=both" first.';

/** Places named in the answer; the number of all of them is in it too. */
const EXAMPLES_MAX = 10;

/** Made once per execution environment, at its first invocation. */
const production = once(
  async (): Promise<RehearseDependencies> => ({
    config: rehearseConfig(),
    streams: new DynamoDBStreamsClient(),
    lambda: new LambdaClient(),
    codedeploy: new CodeDeployClient(),
    now: Date.now,
  }),
);

/**
 * Sends recent changes through the version that serves and through the new one, into shadows of their destinations,
 * and lets the new one take over only if both would write the same.
 */
export async function rehearse(event: HookEvent, dependencies: RehearseDependencies): Promise<RehearseAnswer> {
  const answer = await compareVersions(dependencies).catch(
    (error: unknown): RehearseAnswer => ({ status: 'Failed', reason: `The rehearsal failed: ${describeError(error)}` }),
  );
  await dependencies.codedeploy.send(
    new PutLifecycleEventHookExecutionStatusCommand({
      deploymentId: event.DeploymentId,
      lifecycleEventHookExecutionId: event.LifecycleEventHookExecutionId,
      status: answer.status,
    }),
  );
  return answer;
}

async function compareVersions({ config, streams, lambda, now }: RehearseDependencies): Promise<RehearseAnswer> {
  const Records = await recentChanges(streams, config.sourceStreamArn);
  if (Records.length === 0) {
    return { status: 'Succeeded', reason: 'The table has not changed for a day: there is nothing to compare on.' };
  }
  // Known to nobody else, and to nobody afterwards: what is said of the differences tells nothing of the records.
  const rehearsal = { now: now(), key: randomBytes(KEY_BYTES).toString('hex') };
  const { live, next, count } = await askBoth(config, lambda, { rehearsal, Records });
  if (!findFencesOfEachOther(live, next)) return { status: 'Failed', reason: OTHER_FENCES };
  const found = differences(live, next);
  if (found.length === 0) return { status: 'Succeeded', reason: `Both versions make the same of ${count} changes.` };
  const reason = `Of ${count} changes, ${found.length} writes differ: ${found.slice(0, EXAMPLES_MAX).join(', ')}`;
  return { status: config.acceptDifferences ? 'Succeeded' : 'Failed', reason };
}

/** Asks both versions on the same records: on fewer and fewer of them, when an event or an answer is too large. */
async function askBoth(config: RehearseConfig, lambda: Pick<LambdaClient, 'send'>, event: RehearsalEvent) {
  for (let { Records } = event; ; Records = Records.slice(0, Math.floor(Records.length / 2))) {
    try {
      const live = await effectsOf(lambda, `${config.ingestFunction}:live`, { ...event, Records });
      const next = await effectsOf(lambda, config.newVersion, { ...event, Records });
      return { live, next, count: Records.length };
    } catch (error) {
      if (!isTooLarge(error) || Records.length < 2) throw error;
    }
  }
}

const tooLarge = (functionName: string) =>
  Object.assign(new Error(`${functionName} answers more than Lambda takes`), { name: 'PayloadTooLargeException' });

async function effectsOf(
  lambda: Pick<LambdaClient, 'send'>,
  functionName: string,
  event: RehearsalEvent,
): Promise<Effects> {
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) }),
  );
  const answer = JSON.parse(Buffer.from(Payload ?? []).toString('utf8') || '{}');
  if (answer.errorType === RESPONSE_TOO_LARGE) throw tooLarge(functionName);
  if (FunctionError !== undefined) throw new Error(`${functionName} ended in an error: ${answer.errorMessage}`);
  if (answer.effects === undefined) throw new Error(`${functionName} knows no rehearsal`);
  return answer.effects;
}

const logger = new Logger();

export async function handler(event: HookEvent): Promise<RehearseAnswer> {
  const answer = await rehearse(event, await production());
  logger.info(answer.reason, { status: answer.status });
  return answer;
}
