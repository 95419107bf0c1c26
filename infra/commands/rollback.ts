import { schemaHash } from '../../shared/model/schema-hash.ts';
import { rollBack } from '../../shared/promotion/rollback.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { definitionOption, jsonFlag, regionOption, stageOption } from '../terminal/options.ts';
import { withTrainingStack } from './stack.ts';
import { EXAMPLE, STAGE } from './target.ts';

export const command = newCommand('rollback', 'Puts an earlier model back, without downtime, and pauses the loop.')
  .option('--to <MODEL>', 'model to go back to; without it, the model that served before')
  .option('--reason <TEXT>', 'why, as the status will show it', 'no reason given')
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .addOption(jsonFlag())
  .action(
    exiting(({ to, reason, json, ...options }) =>
      withTrainingStack(options, async ({ group, config, table, sagemaker, autoscaling }) => {
        const { endpointName, endpointPollSeconds } = config;
        const pollMs = endpointPollSeconds * 1_000;
        const request = { endpointName, schemaHash: schemaHash(group), pollMs, to, reason };
        const done = await rollBack({ table, sagemaker, autoscaling }, request, Date.now);
        console.log(
          json
            ? JSON.stringify(done, undefined, 2)
            : [
                `Endpoint ${done.endpointName} serves ${done.to.modelName} again, in place of ${done.from.modelName}.`,
                'The loop is paused, so that no training undoes this. npm run resume lets it go on; npm run retrain trains once.',
              ].join('\n'),
        );
        return 0;
      }),
    ),
  );

if (import.meta.main) await runCommand(command);
