import type * as z from 'zod';
import { canonicalDecimal } from '../definition/decimal.ts';
import type { DerivedInput, DerivedResult } from '../definition/derivation.ts';
import { parseDefinition, placeOf } from '../definition/explain.ts';
import type { Feature, FeatureGroup } from '../definition/feature-group.ts';
import { nearMatch } from '../definition/near-match.ts';
import {
  type definitionSchema,
  FEATURES_MAX,
  type FeatureGroupInput,
  type FeatureInput,
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
/**
 * A text or a number that is one of `categories`; any other sends the record to quarantine, or with `others: true` counts
 * as one of the others.
 */
export function categorical(
  categories: readonly string[] | readonly (number | bigint)[],
  options: Omit<OptionsOf<'categorical'>, 'categories' | 'attributeType'> = {},
) {
  const type = 'categorical' as const;
  const isOfNumbers =
    Array.isArray(categories) && categories.some((it) => typeof it !== 'string') && categories.every(isNumber);
  if (!isOfNumbers) return { type, categories: categories as string[], ...options };
  const texts = categories.map((it) => canonicalDecimal(String(it)) ?? String(it));
  return { type, categories: texts, attributeType: 'N' as const, ...options };
}
const isNumber = (value: unknown): boolean => typeof value === 'number' || typeof value === 'bigint';
/** A date or time (N in seconds or milliseconds, S in ISO 8601), stored exactly as seconds since 1970. */
export const timestamp = (options: OptionsOf<'timestamp'> = {}) => ({ type: 'timestamp' as const, ...options });
/** A text or a number of a great many, dealt into `buckets` by its hash; the stores have it as it is. */
export const hashed = (buckets: number, options: Omit<OptionsOf<'hashed'>, 'buckets'> = {}) => ({
  type: 'hashed' as const,
  buckets,
  ...options,
});

/**
 * A feature that a pure function computes from others: the same input gives the same output, at any time. Once deployed,
 * the function does not change; another computation is another feature.
 *
 * @param from features that are in attributes. @param as the feature that it makes. @param compute gets their values by
 * name, absent ones as undefined; what it throws, and what the feature does not take, sends the record to quarantine.
 */
export function derived<V extends { readonly [Name in keyof V]: DerivedInput }, A extends FeatureInput>({
  from,
  as,
  compute,
}: {
  readonly from: readonly (keyof V & string)[];
  readonly as: A;
  readonly compute: (values: V) => DerivedResult;
}) {
  return { ...as, derived: { from, compute } };
}

/** An attribute that has this value: a text (S), a number (N) or a boolean (BOOL). */
export const equals = (value: string | number | bigint | boolean) => oneOf([value]);
/** An attribute that has one of these values. */
export const oneOf = (values: (string | number | bigint | boolean)[]) => ({ holds: 'oneOf' as const, values });
/** A text (S) that begins so. */
export const startsWith = (text: string) => ({ holds: 'startsWith' as const, text });
/** An attribute that is there, of any type, and is not NULL. */
export const exists = () => ({ holds: 'exists' as const });

/**
 * Checks a description of a table and fills in its defaults.
 *
 * @throws Error naming every part of the description that is wrong, and what is expected there.
 */
export function defineFeatureGroup(input: FeatureGroupInput): FeatureGroup {
  const checked = parseDefinition(input);
  if ('problems' in checked) throw invalid(input?.name, checked.problems);
  const { recordIdentifier, features, items, label, table, eventTime, ...rest } = checked.parsed;
  const group: FeatureGroup = {
    ...rest,
    table: table ?? rest.name,
    eventTime: { name: eventTime.name, ...(eventTime.attribute !== undefined && { attribute: eventTime.attribute }) },
    recordIdentifier:
      typeof recordIdentifier === 'string'
        ? { name: recordIdentifier, attributes: [recordIdentifier], types: ['S'] }
        : { ...recordIdentifier, types: recordIdentifier.types ?? recordIdentifier.attributes.map(() => 'S' as const) },
    ...(items && { items: Object.entries(items).map(([attribute, condition]) => ({ attribute, ...condition })) }),
    features: Object.entries(features).map(([name, { path, ...feature }]) => ({
      ...feature,
      name,
      // No attribute is called so: a derived feature is in none.
      attribute: feature.derived ? '' : (path?.[0] ?? feature.attribute ?? name),
      // A path of one step is that attribute, whatever its name looks like.
      ...(path && path.length > 1 && { path }),
    })),
    ...(label && { label: { ...label, attribute: label.attribute ?? label.name } }),
  };
  const problems = [...placeProblems(checked.parsed.features), ...problemsOf(group)];
  if (problems.length > 0) throw invalid(group.name, problems);
  return group;
}

function invalid(name: unknown, problems: readonly string[]): Error {
  const whose = typeof name === 'string' ? ` "${name}"` : '';
  return new Error(`Feature group definition${whose} is not valid:\n${problems.map((it) => `✖ ${it}`).join('\n')}`);
}

/** What the schema of a single part cannot see: names that collide, bounds that exclude everything, limits. */
function problemsOf(group: FeatureGroup): string[] {
  return [
    ...keyProblems(group),
    ...itemProblems(group),
    ...nameProblems(group),
    ...attributeProblems(group),
    ...group.features.flatMap(featureProblems),
    ...derivationProblems(group),
    ...labelProblems(group),
    ...learningProblems(group),
  ];
}

function keyProblems({ recordIdentifier: { attributes, types } }: FeatureGroup): string[] {
  const problems: string[] = [];
  if (attributes[0] === attributes[1]) {
    problems.push(
      `recordIdentifier.attributes: '${attributes[0]}' stands there twice; a partition key and a sort key are two attributes`,
    );
  }
  if (types.length !== attributes.length) {
    problems.push(
      `recordIdentifier.types: ${types.length} types for ${attributes.length} attributes; give one for each`,
    );
  }
  return problems;
}

function itemProblems({ items, recordIdentifier: { attributes, types } }: FeatureGroup): string[] {
  if (items?.length === 0) return ['items: there is no condition; leave the option out to take all items'];
  return (items ?? []).flatMap((condition) => {
    const type = types[attributes.indexOf(condition.attribute)];
    const values = condition.holds === 'oneOf' ? condition.values : condition.holds === 'startsWith' ? [''] : [];
    const wrong =
      type && values.some((value) => typeof value === 'boolean' || (typeof value === 'string') !== (type === 'S'));
    return wrong
      ? `${placeOf(['items', condition.attribute])}: the key attribute is ${type}, so no item can match`
      : [];
  });
}

function nameProblems(group: FeatureGroup): string[] {
  const problems: string[] = [];
  const columns = [
    [['eventTime', 'name'], group.eventTime.name],
    [['recordIdentifier'], group.recordIdentifier.name],
    ...group.features.map(({ name }) => [['features', name], name] as const),
    ...(group.label ? [[['label', 'name'], group.label.name] as const] : []),
  ] as const;
  const seen = new Map<string, string>();
  for (const [path, name] of columns) {
    const place = placeOf(path);
    // Athena and Glue fold column names to lower case, so `Age` and `age` would be one column.
    const folded = name.toLowerCase();
    const other = seen.get(folded);
    if (other !== undefined) {
      problems.push(`${place}: ${other} has the name '${name}' too, and Athena ignores case; choose another`);
    }
    seen.set(folded, place);
    if (RESERVED_NAMES.has(folded) && !(folded === 'event_time' && path[0] === 'eventTime')) {
      problems.push(`${place}: the name '${name}' is reserved; choose another`);
    }
  }
  if (columns.length > FEATURES_MAX) {
    problems.push(
      `features: with identifier, event time and label, if any, there are ${columns.length}; Feature Store takes at most ${FEATURES_MAX}`,
    );
  }
  return problems;
}

function placeProblems(features: z.output<typeof definitionSchema>['features']): string[] {
  return Object.entries(features).flatMap(([name, { attribute, path, derived: derivation }]) => {
    if (derivation && (attribute !== undefined || path)) {
      return `${placeOf(['features', name])}: a derived feature is computed, so that it has no \`attribute\` and no \`path\``;
    }
    if (attribute === undefined) return [];
    if (path) return `${placeOf(['features', name])}: \`attribute\` and \`path\` say the same; give one of them`;
    if (!readsLikePath(attribute)) return [];
    const steps = attribute.split(/[.[\]]+/).filter(Boolean);
    const written = steps.map((step) => (/^\d+$/.test(step) ? step : `'${step}'`)).join(', ');
    return `${placeOf(['features', name, 'attribute'])}: '${attribute}' reads like a path; write \`path: [${written}]\`, or \`path: ['${attribute}']\` for an attribute of that name`;
  });
}

const readsLikePath = (attribute: string): boolean => /[.[\]]/.test(attribute);

/** An attribute that looks like a path would be there in no item, and its feature silently absent for ever. */
function attributeProblems({ items = [], label }: FeatureGroup): string[] {
  const attributes = [
    ...items.map(({ attribute }) => [['items', attribute], attribute] as const),
    ...(label ? [[['label', 'attribute'], label.attribute] as const] : []),
  ];
  return attributes.flatMap(([path, attribute]) =>
    readsLikePath(attribute)
      ? `${placeOf(path)}: '${attribute}' reads like a path, and an attribute is one at the top of the item: keep the value in such an attribute`
      : [],
  );
}

/** A derived feature is computed from such as items hold, and not from what is computed itself. */
function derivationProblems({ features }: FeatureGroup): string[] {
  const stored = features.filter((it) => !it.derived).map(({ name }) => name);
  return features.flatMap(({ name, derived: derivation }) =>
    (derivation?.from ?? [])
      .filter((it) => !stored.includes(it))
      .map((it) => {
        const near = nearMatch(it, stored);
        const what = features.some((other) => other.name === it) ? 'is derived itself' : 'is no feature';
        return `${placeOf(['features', name, 'derived', 'from'])}: ${it} ${what}${near === undefined ? '' : `; did you mean ${near}?`}`;
      }),
  );
}

function featureProblems(feature: Feature): string[] {
  const problems: string[] = [];
  const say = (option: string, problem: string) =>
    problems.push(`${placeOf(['features', feature.name, option])}: ${problem}`);
  if ('min' in feature && feature.min !== undefined && feature.max !== undefined && feature.min > feature.max) {
    say('min', `${feature.min} is greater than max, ${feature.max}`);
  }
  if (feature.type === 'categorical') {
    const twice = feature.categories.find((category, index, all) => all.indexOf(category) < index);
    if (twice !== undefined) say('categories', `'${twice}' is listed twice`);
    const wrong = feature.categories.find((category) => canonicalDecimal(category) !== category);
    if (feature.attributeType === 'N' && wrong !== undefined) {
      const digits = canonicalDecimal(wrong);
      say('categories', `'${wrong}' ${digits === undefined ? 'is no number' : `is written '${digits}' by DynamoDB`}`);
    }
  }
  if (feature.since > 1 && !feature.optional) {
    say('since', `a feature that came with version ${feature.since} must be optional: older rows lack it`);
  }
  return problems;
}

function labelProblems({ label, trainingTime }: FeatureGroup): string[] {
  if (!label) {
    return trainingTime === 'latest' ? [] : ["trainingTime: there is no label to learn 'as-of-label'; leave it out"];
  }
  const { values, classes, type, min, max } = label;
  const forms = [values && 'values', classes && 'classes', type && 'fractional()'].filter((it) => it !== undefined);
  if (forms.length > 1) {
    return [`label: ${forms.join(' and ')} say two kinds of labels; give one of them`];
  }
  if (!type && (min !== undefined || max !== undefined)) {
    return ['label: min and max are bounds of a number, which is written `...fractional({ min, max })`'];
  }
  if (min !== undefined && max !== undefined && min > max) return [`label.min: ${min} is greater than max, ${max}`];
  const twice = classes?.find((it, index) => classes.findIndex((other) => spelled(other) === spelled(it)) < index);
  if (twice !== undefined) return [`label.classes: ${spelling(twice)} is listed twice`];
  const both = values?.[0].find((value) => values[1].some((other) => spelling(other) === spelling(value)));
  return both === undefined ? [] : [`label.values: ${spelling(both)} is a value of both classes`];
}

/** Numbers are the same however they are written. */
const spelled = (value: string | number | bigint): string =>
  typeof value === 'string' ? `S ${value}` : `N ${canonicalDecimal(String(value)) ?? value}`;

const spelling = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value));

function learningProblems({ features, label }: FeatureGroup): string[] {
  if (!label) return features.length > 0 ? [] : ['features: there is none; a record needs one to be worth storing'];
  const leaks = features.filter(({ training, attribute, path }) => training && !path && attribute === label.attribute);
  const problems = leaks.map(
    ({ name }) =>
      `${placeOf(['features', name])}: its attribute '${label.attribute}' is the label's, and a model would learn the answer from the answer; give it \`training: false\``,
  );
  if (!features.some(({ training }) => training)) {
    const what = features.length === 0 ? 'there is none' : 'none of them trains';
    problems.push(`features: ${what}; a model needs a number, a boolean or a category without \`training: false\``);
  }
  return problems;
}
