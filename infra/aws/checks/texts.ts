import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';

/** What osls puts its variables for, and CloudFormation its dynamic references. */
const EXPANDED = /\$\{|\{\{resolve:/;

/** Texts of a definition that a deployment would replace by something else: a secret in the template, say. */
export function textProblems(group: FeatureGroup): string[] {
  const problems: string[] = [];
  const look = (value: unknown, path: string): void => {
    if (typeof value === 'string') {
      const [found] = EXPANDED.exec(value) ?? [];
      if (found === undefined) return;
      problems.push(
        `${path} is ${JSON.stringify(value)}, whose ${found} the tools of deployment would expand: rename it`,
      );
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, it] of Object.entries(value)) look(it, path === '' ? name : `${path}.${name}`);
    }
  };
  look(group, '');
  return problems;
}
