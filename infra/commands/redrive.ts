import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { loadFeatureGroup } from '../../shared/definition/load.ts';
import { namesOf } from '../aws/cloudformation/names.ts';
import { readOptions, runCommand, wholeNumber } from '../terminal/command.ts';
import { clientSettings, STACK_OPTIONS } from './stack.ts';

const USAGE = 'npm run redrive -- [--list] [--limit 1000] [--definition NAME|FILE] [--stage dev] [--json] [--verbose]';

const LIMIT_MAX = 100_000;
/** Objects that the function is asked to look at in one invocation. */
const LIMIT_PER_CALL = 1_000;

/** What the function redrive answers. */
interface Answer {
  readonly redriven: readonly string[];
  readonly waiting: readonly { readonly key: string; readonly records: number; readonly reason: string }[];
  /** There may be more behind this object. */
  readonly next?: string;
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
  const answer = await askFor(limit, (request) =>
    invoke(name, { action: options.list ? 'list' : 'redrive', ...request }),
  );
  console.log(options.json ? JSON.stringify(answer, undefined, 2) : render(answer).join('\n'));
  return options.list || answer.waiting.length === 0 ? 0 : 1;
}

/** Asks as often as there is more, until so many objects have been looked at, or an answer goes on nowhere. */
async function askFor(limit: number, ask: (request: { limit: number; after?: string }) => Promise<Answer>) {
  const redriven: string[] = [];
  const waiting: Answer['waiting'][number][] = [];
  let after: string | undefined;
  for (let left = limit; left > 0; left = limit - redriven.length - waiting.length) {
    const answer = await ask({ limit: Math.min(left, LIMIT_PER_CALL), ...(after !== undefined && { after }) });
    redriven.push(...answer.redriven);
    waiting.push(...answer.waiting);
    if (answer.next === undefined) return { redriven, waiting };
    if (answer.next === after && answer.redriven.length === 0) break;
    after = answer.next;
  }
  return { redriven, waiting, ...(after !== undefined && { next: after }) };
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

function render({ redriven, waiting, next }: Answer): string[] {
  return [
    ...redriven.map((key) => `put right  ${key}`),
    ...waiting.map(({ key, records, reason }) => `waiting    ${key} (${records} of its records): ${reason}`),
    `${redriven.length} put right, ${waiting.length} waiting`,
    ...(next === undefined ? [] : ['There may be more: the limit was reached. Give a greater --limit.']),
  ];
}

await runCommand(redrive);
