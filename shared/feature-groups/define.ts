import * as z from 'zod';
import type { FeatureGroup } from '../definition/feature-group.ts';
import {
  definitionSchema,
  FEATURES_MAX,
  type FeatureGroupInput,
  type OptionsOf,
  RESERVED_NAMES,
} from '../definition/schema.ts';

/** The words that a definition is written with. */

/** A feature of text. Sets, lists, maps and binary are taken too, in the form `decode.ts` states. Not for training. */
export const string = (options: OptionsOf<'string'> = {}) => ({ type: 'string' as const, ...options });
/** A feature of whole numbers, int64 (Feature Store's Integral). */
export const integral = (options: OptionsOf<'integral'> = {}) => ({ type: 'integral' as const, ...options });
/** A feature of decimal numbers; their text is kept exactly (Feature Store's Fractional). */
export const fractional = (options: OptionsOf<'fractional'> = {}) => ({ type: 'fractional' as const, ...options });
/** A BOOL attribute, stored as Integral 1 or 0. */
export const boolean = (options: OptionsOf<'boolean'> = {}) => ({ type: 'boolean' as const, ...options });
/** A text that is one of `categories`; any other sends the record to quarantine. */
export const categorical = (categories: string[], options: Omit<OptionsOf<'categorical'>, 'categories'> = {}) => ({
  type: 'categorical' as const,
  categories,
  ...options,
});

/**
 * Checks a description of a table and fills in its defaults.
 *
 * @throws Error naming every part of the description that is wrong, and what is expected there.
 */
export function defineFeatureGroup(input: FeatureGroupInput): FeatureGroup {
  const parsed = definitionSchema.safeParse(input);
  if (!parsed.success) {
    throw new Error(`Feature group definition "${input?.name}" is not valid:\n${z.prettifyError(parsed.error)}`);
  }
  const { recordIdentifier, features, label, table, eventTime, ...rest } = parsed.data;
  const group: FeatureGroup = {
    ...rest,
    table: table ?? rest.name,
    eventTime: { name: eventTime.name, ...(eventTime.attribute !== undefined && { attribute: eventTime.attribute }) },
    recordIdentifier:
      typeof recordIdentifier === 'string'
        ? { name: recordIdentifier, attributes: [recordIdentifier], types: ['S'] }
        : { ...recordIdentifier, types: recordIdentifier.types ?? recordIdentifier.attributes.map(() => 'S' as const) },
    features: Object.entries(features).map(([name, feature]) => ({
      ...feature,
      name,
      attribute: feature.attribute ?? name,
    })),
    label: { name: label.name, attribute: label.attribute ?? label.name },
  };
  const problems = problemsOf(group);
  if (problems.length > 0) {
    throw new Error(
      `Feature group definition "${group.name}" is not valid:\n${problems.map((it) => `✖ ${it}`).join('\n')}`,
    );
  }
  return group;
}

/** What the schema of a single part cannot see: names that collide, bounds that exclude everything, limits. */
function problemsOf(group: FeatureGroup): string[] {
  const problems: string[] = [];
  const { attributes, types } = group.recordIdentifier;
  if (types.length !== attributes.length) {
    problems.push(`recordIdentifier: ${types.length} types for ${attributes.length} attributes; give one each`);
  }
  const names = [group.recordIdentifier.name, ...group.features.map((feature) => feature.name), group.label.name];
  const seen = new Set([group.eventTime.name.toLowerCase()]);
  for (const name of names) {
    // Athena and Glue fold column names to lower case, so `Age` and `age` would be one column.
    if (seen.has(name.toLowerCase())) problems.push(`${name}: two columns have this name (case is ignored by Athena)`);
    seen.add(name.toLowerCase());
    if (RESERVED_NAMES.has(name.toLowerCase())) problems.push(`${name}: the name is reserved; choose another`);
  }
  if (names.length + 1 > FEATURES_MAX) problems.push(`features: ${names.length + 1} of at most ${FEATURES_MAX}`);
  for (const feature of group.features) {
    if ('min' in feature && feature.min !== undefined && feature.max !== undefined && feature.min > feature.max) {
      problems.push(`${feature.name}: min ${feature.min} is greater than max ${feature.max}`);
    }
    if (feature.type === 'categorical' && new Set(feature.categories).size < feature.categories.length) {
      problems.push(`${feature.name}: a category is listed twice`);
    }
    if (feature.since > 1 && !feature.optional) {
      problems.push(
        `${feature.name}: a feature added later (since ${feature.since}) must be optional: older rows lack it`,
      );
    }
  }
  return problems;
}
