import { schemaHash } from '../../shared/model/schema-hash.ts';
import { rollBack } from '../../shared/promotion/rollback.ts';
import { readOptions, runCommand } from '../terminal/command.ts';
import { deployedStack, STACK_OPTIONS } from './stack.ts';

const USAGE =
  'npm run rollback -- [--to MODEL] [--reason TEXT] [--definition NAME|FILE] [--stage dev] [--json] [--verbose]';

/** Puts the previous model back behind the endpoint. */
async function rollback(): Promise<number> {
  const { values: options } = readOptions(USAGE, {
    ...STACK_OPTIONS,
    to: { type: 'string' },
    reason: { type: 'string', default: 'no reason given' },
    json: { type: 'boolean', default: false },
  });
  const { group, config, table, sagemaker, close } = await deployedStack(options);
  try {
    const { endpointName, endpointPollSeconds } = config;
    const { to, reason } = options;
    const request = {
      ...{ endpointName, schemaHash: schemaHash(group), pollMs: endpointPollSeconds * 1_000, to, reason },
    };
    const done = await rollBack({ table, sagemaker }, request, Date.now);
    console.log(
      options.json
        ? JSON.stringify(done, undefined, 2)
        : `Endpoint ${done.endpointName} serves ${done.to.modelName} again, in place of ${done.from.modelName}.`,
    );
    return 0;
  } finally {
    close();
  }
}

await runCommand(rollback);
