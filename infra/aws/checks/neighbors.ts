import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { namesOf } from '../cloudformation/names.ts';

/** Which other definitions would get this one's stack, as names fold letters to lower case and `_` to `-`. */
export function neighborProblems(group: FeatureGroup, others: readonly FeatureGroup[], stage: string): string[] {
  const { stack } = namesOf(group, stage);
  return others
    .filter((it) => it.name !== group.name && namesOf(it, stage).stack === stack)
    .map(
      (it) => `the feature groups ${group.name} and ${it.name} would both be the stack ${stack}: rename one of them`,
    );
}

/** What is known of the stack that is there by the name. */
export interface DeployedStack {
  readonly outputs: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** Why the stack that is there is another one. Its feature group would be replaced, with all that is in it. */
export function takenProblems(
  group: FeatureGroup,
  { stack, stage }: { readonly stack: string; readonly stage: string },
  { outputs, tags }: DeployedStack,
): string[] {
  // A stack whose first deployment failed has no outputs yet.
  const { FeatureGroupName: name } = outputs;
  const { STAGE: otherStage = stage } = tags;
  if ((name ?? group.name) === group.name && otherStage === stage) return [];
  const whose = name === undefined ? `the stage ${otherStage}` : `the feature group ${name} in the stage ${otherStage}`;
  return [`the stack ${stack} is there already, of ${whose}: take another name or stage for ${group.name} in ${stage}`];
}
