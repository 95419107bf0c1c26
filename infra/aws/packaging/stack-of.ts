import { type Names, namesOf } from '../cloudformation/names.ts';
import { loadDefinition } from '../definitions/definitions.ts';
import { resourcesOf } from '../stack.ts';

const numberOrNone = (text: string): number | undefined => (text === '' ? undefined : Number(text));

/** osls's reader of a variable by its address, such as `param:featureGroup`. A param is text or a number. */
type ResolveVariable = (address: string) => Promise<string | number>;

/**
 * The stack that serverless.yml's params ask for. `names`, `deploymentRole`, `streamArn`,
 * `predictionLogStream` and `resources` are addresses there.
 *
 * @throws Error with one sentence when there is no such definition, or a param is not what it has to be.
 */
export async function stackOf(resolve: ResolveVariable): Promise<StackOfParams> {
  try {
    return await resolved(resolve);
  } catch (error) {
    // osls shows the stack of an error that has one; the sentence is enough, unless it is a fault of the program.
    if (error instanceof Error && error.name === 'Error') error.stack = '';
    throw error;
  }
}

type StackOfParams = { names: Names; deploymentRole: string | null } & ReturnType<typeof resourcesOf>;

async function resolved(resolve: ResolveVariable): Promise<StackOfParams> {
  const text = async (address: string) => String(await resolve(address));
  const group = await loadDefinition(await text('param:featureGroup'));
  const names = namesOf(group, await text('sls:stage'));
  const stack = resourcesOf(group, names, {
    changeLogBufferSeconds: Number(await resolve('param:changeLogBufferSeconds')),
    sourceTableStreamArn: await text('param:sourceTableStreamArn'),
    kmsKeyArn: await text('param:kmsKeyArn'),
    alarmTopicArn: await text('param:alarmTopicArn'),
    predictionLog: (await text('param:predictionLog')) === 'true',
    ingestConcurrency: numberOrNone(await text('param:ingestConcurrency')),
    warmWritesPerSecond: numberOrNone(await text('param:warmWritesPerSecond')),
    deploymentConfiguration: await text('param:deploymentConfiguration'),
    permissionsBoundaryArn: await text('param:permissionsBoundaryArn'),
    rolePath: await text('param:rolePath'),
  });
  // osls takes an ARN or none: an empty text is no ARN.
  const deploymentRole = (await text('param:deploymentRoleArn')) || null;
  // `serverless print` shows an object that occurs twice as a pointer to its first place; a copy has none.
  return JSON.parse(JSON.stringify({ names, deploymentRole, ...stack }));
}
