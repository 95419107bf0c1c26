import * as z from 'zod';

/**
 * The one description of a table that everything else is derived from: the decoder of stream records, the feature
 * group, the change log's columns, the training set's SQL, the encoder of prediction requests and the schema hash.
 */

/** Feature and feature group names. Source: CreateFeatureGroup, `[a-zA-Z0-9]([-_]*[a-zA-Z0-9]){0,63}`. */
const NAME_PATTERN = /^[a-zA-Z0-9]([-_]*[a-zA-Z0-9]){0,63}$/;

/** Feature definitions in one feature group. Source: SageMaker Feature Store quotas. */
export const FEATURES_MAX = 2_500;

/** Names that Feature Store adds to the offline store itself, and Athena's columns of every change and its partitions. */
const RESERVED_NAMES = new Set([
  'is_deleted',
  'write_time',
  'api_invocation_time',
  'sequence_number',
  'event_name',
  'event_time',
  'ttl_expired',
  'dt',
  'snapshot',
]);

function featureSchema() {
  const common = {
    /** Attribute of the item that holds the feature. Default: the feature's name. */
    attribute: z.string().min(1).max(65_535).optional(),
    /** An optional feature may be absent or NULL; a required one sends the record to quarantine. Default: required. */
    optional: z.boolean().default(false),
    /** `false` keeps the feature out of training and prediction, but in the stores. Default: true. */
    training: z.boolean().default(true),
    /**
     * Version of the definition that brought the feature. Columns of the change log are append-only, so features of
     * version 2 and later stand after the label. Default: 1.
     */
    since: z.int().min(1).default(1),
  };

  const number = {
    ...common,
    /** What a missing value counts as in training, beside a flag column that says it was missing. Default: 0. */
    imputeWith: z.number().default(0),
  };

  return z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('string'), ...common, training: z.literal(false).default(false) }),
    z.strictObject({
      type: z.literal('integral'),
      ...number,
      /** Inclusive bounds; beyond 2^53 give them as bigint. */
      min: z.union([z.int(), z.bigint()]).optional(),
      max: z.union([z.int(), z.bigint()]).optional(),
    }),
    z.strictObject({
      type: z.literal('fractional'),
      ...number,
      /** Inclusive bounds. */
      min: z.number().optional(),
      max: z.number().optional(),
    }),
    z.strictObject({ type: z.literal('boolean'), ...common }),
    z.strictObject({
      type: z.literal('categorical'),
      ...common,
      categories: z.array(z.string().min(1)).min(2),
      /** `one-hot`: a column per category; `ordinal`: one column with the 1-based position of the category. */
      encoding: z.enum(['one-hot', 'ordinal']).default('one-hot'),
    }),
  ]);
}

/**
 * Made at the first definition, and not when this module is loaded: functions are bundled with definitions that are
 * checked already, and so without the schema.
 */
function definitionSchema() {
  const name = z
    .string()
    .regex(
      NAME_PATTERN,
      'must be 1 to 64 letters, digits, "-" or "_", and begin and end with a letter or digit (the rule of CreateFeatureGroup)',
    );
  return z.strictObject({
    name,
    /** DynamoDB table whose stream is read. Default: the feature group's name. */
    table: z
      .string()
      .regex(/^[a-zA-Z0-9_.-]{3,255}$/, 'must be 3 to 255 letters, digits, "_", "-" or "." (the rule of CreateTable)')
      .optional(),
    /**
     * Feature that identifies a record, and the key attributes it is made of: all of the table's key attributes,
     * partition key first. A plain string names both. Key attributes are S or N.
     */
    recordIdentifier: z.union([
      name,
      z.strictObject({
        name,
        attributes: z.array(z.string().min(1)).min(1).max(2),
        /** Their types, for the table that a deployment creates. Default: S for each. */
        types: z
          .array(z.enum(['S', 'N']))
          .min(1)
          .max(2)
          .optional(),
      }),
    ]),
    /**
     * Name of the event time feature, and optionally the item's own timestamp attribute (epoch seconds as N, or an ISO
     * 8601 text as S) to take the seconds from, instead of the stream's ApproximateCreationDateTime.
     */
    eventTime: z
      .strictObject({ name: name.default('event_time'), attribute: z.string().min(1).optional() })
      .default({ name: 'event_time' }),
    features: z.record(name, featureSchema()),
    /** Binary label: N 0 or 1 (or BOOL), absent until it is known. */
    label: z.strictObject({ name, attribute: z.string().min(1).optional() }),
    /** What a deletion of the item does to the online record. Default: delete. */
    onDelete: z.enum(['delete', 'keep']).default('delete'),
    /** What DynamoDB's own TTL expiry of the item does to the online record. Default: delete. */
    onTtlExpiry: z.enum(['delete', 'keep']).default('delete'),
    /**
     * Which features a label is learnt with. `latest`: those of now. `as-of-label`: those of just before the label
     * arrived, so that nothing known only afterwards leaks in. Default: latest.
     */
    trainingTime: z.enum(['latest', 'as-of-label']).default('latest'),
  });
}

export type FeatureGroupInput = z.input<ReturnType<typeof definitionSchema>>;
type FeatureSchema = ReturnType<typeof featureSchema>;
type FeatureOptions = z.output<FeatureSchema>;
type OptionsOf<T extends FeatureOptions['type']> = Omit<Extract<z.input<FeatureSchema>, { type: T }>, 'type'>;

/** One feature, with every default filled in. */
export type Feature = FeatureOptions & { readonly name: string; readonly attribute: string };

/** A table described once. Made by {@link defineFeatureGroup} only. */
export interface FeatureGroup {
  readonly name: string;
  readonly table: string;
  readonly recordIdentifier: {
    readonly name: string;
    readonly attributes: readonly string[];
    readonly types: readonly ('S' | 'N')[];
  };
  readonly eventTime: { readonly name: string; readonly attribute?: string };
  /** In the order of the definition, which is the order of columns within one version. */
  readonly features: readonly Feature[];
  readonly label: { readonly name: string; readonly attribute: string };
  readonly onDelete: 'delete' | 'keep';
  readonly onTtlExpiry: 'delete' | 'keep';
  readonly trainingTime: 'latest' | 'as-of-label';
}

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
  const parsed = definitionSchema().safeParse(input);
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

/** Names of a change log row's feature columns, label included, in their append-only order. */
export function columnsOf(group: FeatureGroup): { name: string; feature: Feature | 'label' }[] {
  const byVersion = [...group.features].sort((a, b) => a.since - b.since);
  const first = byVersion.filter((feature) => feature.since === 1);
  const later = byVersion.filter((feature) => feature.since > 1);
  return [
    ...first.map((feature) => ({ name: feature.name, feature })),
    { name: group.label.name, feature: 'label' as const },
    ...later.map((feature) => ({ name: feature.name, feature })),
  ];
}
