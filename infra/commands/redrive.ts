import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { loadFeatureGroup } from '../../shared/definition/load.ts';
import { namesOf } from '../aws/cloudformation/names.ts';
import { readOptions, runCommand, wholeNumber } from '../terminal/command.ts';
import { clientSettings, STACK_OPTIONS } from './stack.ts';

const USAGE = 'npm run redrive -- [--list] [--limit 1000] [--definition NAME|FILE] [--stage dev] [--json] [--verbose]';

const LIMIT_MAX = 100_000;

/** What the function redrive answers. */
interface Answer {
  readonly redriven: readonly string[];
  readonly waiting: readonly { readonly key: string; readonly records: number; readonly reason: string }[];
}

/** Puts right what ingest could not deliver, or lists it; exit code 1 while anything still waits. */
async function redrive(): Promise<number> {
  const { values: options } = readOptions(USAGE, {
    list: { type: 'boolean', default: false },
    limit: { type: 'string', default: '1000' },
    ...STACK_OPTIONS,
    json: { type: 'boolean', default: false },
  });
  const limit = wholeNumber('limit', options.limit, 1, LIMIT_MAX);
  const group = await loadFeatureGroup(options.definition);
  const name = `${namesOf(group, options.stage).stack}-redrive`;
  const answer = await invoke(name, { action: options.list ? 'list' : 'redrive', limit });
  console.log(options.json ? JSON.stringify(answer, undefined, 2) : render(answer).join('\n'));
  return options.list || answer.waiting.length === 0 ? 0 : 1;
}

/** @throws Error with the way out when the function is not there, or has failed. */
async function invoke(functionName: string, request: object): Promise<Answer> {
  const lambda = new LambdaClient(clientSettings());
  try {
    const { FunctionError, Payload } = await lambda.send(
      new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(request) }),
    );
    const payload = JSON.parse(Payload?.transformToString() ?? '{}');
    if (FunctionError) throw new Error(`${functionName} has failed: ${payload.errorMessage}`);
    return payload;
  } catch (cause) {
    const { name, message } = cause as Error;
    throw new Error(
      `${functionName} cannot be asked (${name}: ${message}): deploy it, name its --definition and --stage, or set AWS_ENDPOINT_URL to a local cloud that runs.`,
      { cause },
    );
  } finally {
    lambda.destroy();
  }
}

function render({ redriven, waiting }: Answer): string[] {
  return [
    ...redriven.map((key) => `put right  ${key}`),
    ...waiting.map(({ key, records, reason }) => `waiting    ${key} (${records} of its records): ${reason}`),
    `${redriven.length} put right, ${waiting.length} waiting`,
  ];
}

await runCommand(redrive);
