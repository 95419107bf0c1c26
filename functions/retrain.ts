import { Logger } from '@aws-lambda-powertools/logger';
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { SFNClient } from '@aws-sdk/client-sfn';
import { once } from '../shared/calls/once.ts';
import { featureGroupSettings } from '../shared/config/feature-group.ts';
import { retrainConfig } from '../shared/config/retrain.ts';
import { readConfig } from '../shared/config/variables.ts';
import { loadFeatureGroup } from '../shared/definition/load.ts';
import { recordDecision } from '../shared/state/decisions.ts';
import { act, type RetrainAnswer, type RetrainDependencies } from '../shared/training/actions.ts';
import { parseRetrainEvent } from '../shared/training/event.ts';
import { publishCheck, publishGivenUp, publishLabelProgress, publishSnapshotAge } from '../shared/training/progress.ts';

/**
 * Looks at the labels and starts a training when one is due; does for the state machine what needs the state table or
 * arithmetic: parse, act, record. Whatever is decided is recorded with its reason.
 */
export async function retrain(event: unknown, dependencies: RetrainDependencies): Promise<RetrainAnswer> {
  const answer = await act(parseRetrainEvent(event), dependencies);
  // Somebody who only asks has decided nothing, and without a label there is nothing to decide.
  if ('decision' in answer && answer.decision !== 'dry-run' && dependencies.group.label) {
    await recordDecision(dependencies.table, answer, dependencies.now());
  }
  return answer;
}

/** Made once per execution environment, at its first invocation. */
const production = once(async (): Promise<RetrainDependencies> => {
  const group = await loadFeatureGroup(readConfig(featureGroupSettings).featureGroup);
  const config = retrainConfig(undefined, group.label !== undefined);
  return {
    options: config,
    group,
    table: { name: config.stateTable, dynamodb: new DynamoDBClient() },
    sfn: new SFNClient(),
    s3: new S3Client(),
    sagemaker: new SageMakerClient(),
    runtime: new SageMakerRuntimeClient(),
    autoscaling: new ApplicationAutoScalingClient(),
    now: Date.now,
    report: (counts) => publishLabelProgress(group.name, counts, config.policy.labelsThreshold),
    reportGivenUp: () => publishGivenUp(group.name),
    reportSnapshotAge: (hours) => publishSnapshotAge(group.name, hours),
    reportCheck: (check) => publishCheck(group.name, check),
  };
});

const logger = new Logger();

export async function handler(event: unknown): Promise<RetrainAnswer> {
  const answer = await retrain(event, await production());
  if ('decision' in answer) logger.info(answer.reason, { decision: answer.decision });
  else logger.info('Answered the state machine', { answer: 'view' in answer ? answer.snapshot : answer });
  return answer;
}
