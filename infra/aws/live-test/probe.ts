import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateFeatureGroupCommand,
  DeleteFeatureGroupCommand,
  DescribeFeatureGroupCommand,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { newCommand, runCommand } from '../../terminal/command.ts';
import { note } from '../../terminal/note.ts';
import { definitionOption, regionOption, stageOption } from '../../terminal/options.ts';
import { namesOf } from '../cloudformation/names.ts';
import { loadDefinition } from '../definitions/definitions.ts';
import { factsOf, type ProbedGroup } from './facts.ts';
import { configOf } from './model.ts';

/** Longest creation of a feature group with an online store only, and time between two looks, in milliseconds. */
const CREATION_MS_MAX = 10 * 60 * 1_000;
const POLL_MS = 5_000;

/** Wait between a write and its reading, in milliseconds. */
const SETTLE_MS = 1_000;

/** What the features of the throwaway group are called. */
const FEATURES = { recordIdentifier: 'id', eventTime: 'at', feature: 'value' };

export const command = newCommand(
  'probe',
  'Tries what the pages of AWS leave open on a feature group that is thrown away, and prints a fact a line.',
  'node infra/aws/live-test/probe.ts',
)
  .addOption(definitionOption().makeOptionMandatory())
  .addOption(stageOption().default('live-test'))
  .addOption(regionOption())
  .action(async ({ definition, stage, region }) => {
    const deployed = await loadDefinition(definition);
    const names = namesOf(deployed, stage);
    const settings = region === undefined ? {} : { region };
    const featureStore = new SageMakerFeatureStoreRuntimeClient(settings);
    const dynamodb = new DynamoDBClient(settings);
    const { stateTable: table } = await configOf(new LambdaClient(settings), deployed, names);
    await withThrowawayGroup(new SageMakerClient(settings), POLL_MS, async (group) => {
      const facts = await factsOf({ featureStore, dynamodb, group, table, settleMs: SETTLE_MS });
      for (const fact of facts) console.log(`fact: ${fact}.`);
    });
  });

/**
 * Makes a feature group, uses it, and removes it whatever has happened.
 *
 * @throws Error when it is not made in time, or as `use` does.
 */
export async function withThrowawayGroup(
  client: Pick<SageMakerClient, 'send'>,
  pollMs: number,
  use: (group: ProbedGroup) => Promise<void>,
): Promise<void> {
  const FeatureGroupName = `tributary-probe-${randomBytes(6).toString('hex')}`;
  note(`Feature group ${FeatureGroupName}, which is removed at the end`);
  await client.send(
    new CreateFeatureGroupCommand({
      FeatureGroupName,
      RecordIdentifierFeatureName: FEATURES.recordIdentifier,
      EventTimeFeatureName: FEATURES.eventTime,
      FeatureDefinitions: Object.values(FEATURES).map((FeatureName) => ({ FeatureName, FeatureType: 'String' })),
      OnlineStoreConfig: { EnableOnlineStore: true },
    }),
  );
  try {
    await untilCreated(client, FeatureGroupName, pollMs);
    await use({ name: FeatureGroupName, ...FEATURES });
  } finally {
    await client.send(new DeleteFeatureGroupCommand({ FeatureGroupName }));
  }
}

async function untilCreated(
  client: Pick<SageMakerClient, 'send'>,
  FeatureGroupName: string,
  pollMs: number,
): Promise<void> {
  for (const deadline = performance.now() + CREATION_MS_MAX; ; await sleep(pollMs)) {
    const { FeatureGroupStatus, FailureReason } = await client.send(
      new DescribeFeatureGroupCommand({ FeatureGroupName }),
    );
    if (FeatureGroupStatus === 'Created') return;
    if (FeatureGroupStatus !== 'Creating' || performance.now() > deadline) {
      throw new Error(
        `The feature group ${FeatureGroupName} is ${FeatureGroupStatus}: ${FailureReason ?? 'too long'}.`,
      );
    }
  }
}

if (import.meta.main) await runCommand(command);
