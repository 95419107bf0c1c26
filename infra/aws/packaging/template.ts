import { RETAIN, type Resource } from '../cloudformation/intrinsics.ts';
import {
  aliasLogicalId,
  functionLogicalId,
  LIVE_ALIAS,
  SHIFTED,
  type ShiftedFunction,
} from '../cloudformation/logical-ids.ts';
import { safeAlias } from '../functions/safe-deployment.ts';
import type { MutableResource, Service } from './osls.ts';

/** Has osls aim triggers and URLs of these functions at their alias, which {@link finishTemplate} makes. */
export function aimAtAliases({ functions }: Service): void {
  for (const name of SHIFTED) {
    const definition = functions[name];
    if (definition) definition.targetAlias = { name: LIVE_ALIAS, logicalId: aliasLogicalId(name) };
  }
}

/**
 * osls exports every output by a name of service and stage, which the stacks of two feature groups would have in
 * common, so that CloudFormation refuses the second one. Nobody imports them: they go.
 */
export function withoutExports({ provider }: Service): void {
  for (const output of Object.values(provider.compiledCloudFormationTemplate.Outputs)) delete output.Export;
}

/** Adds the aliases, whose versions osls has only just named, and puts right what osls leaves half said. */
export function finishTemplate({ provider, custom }: Service): void {
  const { Resources } = provider.compiledCloudFormationTemplate;
  for (const name of SHIFTED) {
    if (!Resources[functionLogicalId(name)]) continue;
    const version = versionOf(Resources, name);
    Resources[aliasLogicalId(name)] = safeAlias(name, version, custom.names.stack);
    if (name === 'ingest') addNewVersion(Resources, version);
  }
  for (const resource of Object.values(Resources)) {
    // osls keeps a version when it is removed; it has to be kept when it is replaced as well. One that a deployment which
    // goes back has made has to go: Lambda makes no second version of the same code, so the next one would fail.
    if (resource.Type === 'AWS::Lambda::Version') Object.assign(resource, RETAIN);
  }
}

/** Logical id of a function's version; osls puts a hash of its code and configuration into it. */
function versionOf(resources: Readonly<Record<string, Resource>>, name: ShiftedFunction): string {
  const ofFunction = functionLogicalId(name);
  const found = Object.entries(resources).find(
    ([, { Type, Properties }]) =>
      Type === 'AWS::Lambda::Version' && (Properties.FunctionName as { Ref?: string }).Ref === ofFunction,
  );
  if (!found) throw new Error(`osls made no version of ${name}: versionFunctions has to be on.`);
  return found[0];
}

/** Tells the hook which version of ingest it is asked about. */
function addNewVersion(resources: Record<string, MutableResource>, version: string): void {
  const hook = resources[functionLogicalId('rehearse')];
  if (!hook) throw new Error('There is no function rehearse, which the alias of ingest needs.');
  const { Variables } = hook.Properties.Environment as { Variables: object };
  hook.Properties = { ...hook.Properties, Environment: { Variables: { ...Variables, NEW_VERSION: { Ref: version } } } };
}
