import { CloudFormationClient, DescribeStacksCommand, type Stack } from '@aws-sdk/client-cloudformation';
import { loadFeatureGroup } from '../../../shared/definition/load.ts';
import { derivationProblems } from '../checks/derivations.ts';
import { neighborProblems, takenProblems } from '../checks/neighbors.ts';
import { paramProblems } from '../checks/params.ts';
import { ARN_PARAMS, arnProblems, type GivenArns, placeProblems } from '../checks/place.ts';
import { textProblems } from '../checks/texts.ts';
import { definitionNames } from '../definitions/definitions.ts';
import type { Options, Serverless } from './osls.ts';

/**
 * Checks what is asked for before anything is made of it: params, region, stage, ARNs, and the definition's texts and name.
 *
 * @throws Error with every problem in a sentence of its own.
 */
export async function checkBeforePackaging(serverless: Serverless, options: Options): Promise<void> {
  const { params, known } = paramsOf(serverless, options);
  const place = placeOf(serverless);
  const definitions = await Promise.all(definitionNames().map((name) => loadFeatureGroup(name)));
  const group = await loadFeatureGroup(serverless.service.custom.featureGroup);
  refuse(serverless, 'cannot be packaged', [
    ...paramProblems(params, known),
    ...placeProblems(place),
    ...arnProblems(arnsOf(params), place),
    ...textProblems(group),
    ...derivationProblems(group),
    ...neighborProblems(group, definitions, place.stage),
  ]);
}

/**
 * Checks what only the account can tell: whose ARNs were given, and whose stack has the name already.
 *
 * @throws Error as {@link checkBeforePackaging}.
 */
export async function checkAccount(serverless: Serverless, options: Options): Promise<void> {
  const provider = serverless.getProvider('aws');
  const place = { ...placeOf(serverless), account: await provider.getAccountId() };
  const { custom } = serverless.service;
  const group = await loadFeatureGroup(custom.featureGroup);
  const client = new CloudFormationClient(await provider.getAwsSdkV3Config());
  const found = await deployedStack(client, custom.names.stack).finally(() => client.destroy());
  refuse(serverless, 'cannot be deployed', [
    ...arnProblems(arnsOf(paramsOf(serverless, options).params), place),
    ...(found ? takenProblems(group, { stack: custom.names.stack, stage: place.stage }, found) : []),
  ]);
}

function refuse({ classes, service }: Serverless, what: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const lines = problems.map((it) => `- ${it}`).join('\n');
  throw new classes.Error(`The stack ${service.custom.names.stack} ${what}:\n${lines}`);
}

function placeOf(serverless: Serverless) {
  const provider = serverless.getProvider('aws');
  return { region: provider.getRegion(), stage: provider.getStage() };
}

/** Params as osls takes them: those of the command line before those of the stage, before the defaults. */
function paramsOf(serverless: Serverless, { param = [] }: Options) {
  const { default: defaults = {}, ...stages } = serverless.configurationInput.params;
  const given = [param].flat().map((it): [string, string] => {
    const [name = '', ...value] = it.split('=');
    return [name, value.join('=')];
  });
  const ofStage = stages[placeOf(serverless).stage];
  return { params: { ...defaults, ...ofStage, ...Object.fromEntries(given) }, known: Object.keys(defaults) };
}

function arnsOf(params: Readonly<Record<string, unknown>>): GivenArns {
  return Object.fromEntries(ARN_PARAMS.map((name) => [name, String(params[name] ?? '')]));
}

/** The stack of a name; undefined where there is none, which CloudFormation has no error of its own for. */
async function deployedStack(client: CloudFormationClient, StackName: string) {
  let stacks: Stack[];
  try {
    ({ Stacks: stacks = [] } = await client.send(new DescribeStacksCommand({ StackName })));
  } catch (error) {
    if (error instanceof Error && /does not exist/.test(error.message)) return undefined;
    throw error;
  }
  const [{ Outputs = [], Tags = [] } = {}] = stacks;
  return {
    outputs: Object.fromEntries(Outputs.map((it) => [it.OutputKey, it.OutputValue])),
    tags: Object.fromEntries(Tags.map((it) => [it.Key, it.Value])),
  };
}
