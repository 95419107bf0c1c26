import * as z from 'zod';
import type { Derivation } from './derivation.ts';

/** The rules of a definition that one part of it can break, and its defaults. Functions import its types only. */

/** Feature and feature group names. Source: CreateFeatureGroup, `[a-zA-Z0-9]([-_]*[a-zA-Z0-9]){0,63}`. */
const NAME_PATTERN = /^[a-zA-Z0-9]([-_]*[a-zA-Z0-9]){0,63}$/;

/** Feature definitions in one feature group. Source: SageMaker Feature Store quotas. */
export const FEATURES_MAX = 2_500;

/** Names that Feature Store adds to the offline store itself, and Athena's columns of every change and its partitions. */
export const RESERVED_NAMES = new Set([
  'is_deleted',
  'write_time',
  'api_invocation_time',
  'sequence_number',
  'event_name',
  'event_time',
  'ttl_expired',
  'dt',
  'snapshot',
  'snapshot_part',
]);

/** Most buckets of a hashed feature: each is a column of every query that builds a training set. */
export const BUCKETS_MAX = 1_024;

/** Least and most classes of a label of several. Two are told by `values`; each is counted in queries of its own. */
const CLASSES_MIN = 3;
const CLASSES_MAX = 100;

/** Longest description of a feature, in bytes. Source: 255 of a column's comment in Glue, less what says that it is personal. */
const FEATURE_DESCRIPTION_BYTES_MAX = 230;

/** Longest description of a group, in characters. Source: CreateFeatureGroup. */
const DESCRIPTION_CHARACTERS_MAX = 128;

/** Longest owner, in characters, and the ones it may have. Source: values of tags in SageMaker. */
const OWNER_CHARACTERS_MAX = 256;
const OWNER_PATTERN = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** One line of text. */
const line = z
  .string()
  .min(1)
  .regex(/^[^\r\n]*$/, 'must not hold a line break');

const everyFeature = {
  /** Attribute of the item that holds the feature. Default: the feature's name. */
  attribute: z.string().min(1).max(65_535).optional(),
  /** Way to a value inside a map or a list, in place of `attribute`: `['address', 'city']`, `['lines', 0, 'sku']`. */
  path: z
    .tuple([z.string().min(1)], z.union([z.string().min(1), z.int().min(0)]))
    .readonly()
    .optional(),
  /** An optional feature may be absent or NULL; a required one sends the record to quarantine. Default: required. */
  optional: z.boolean().default(false),
  /** `false` keeps the feature out of training and prediction, but in the stores. Default: true. */
  training: z.boolean().default(true),
  /**
   * Version of the definition that brought the feature. Columns of the change log are append-only, so features of
   * version 2 and later stand after the label. Default: 1.
   */
  since: z.int().min(1).default(1),
  /** One line on the feature: the comment of its column in Athena. It may change. */
  description: line
    .refine((it) => Buffer.byteLength(it) <= FEATURE_DESCRIPTION_BYTES_MAX, {
      error: `expected at most ${FEATURE_DESCRIPTION_BYTES_MAX} bytes, found more`,
    })
    .optional(),
  /** `true` says that the feature tells about a person: so does its column in Athena, and recordings mask it. Default: false. */
  personal: z.boolean().optional(),
  /** The function that computes the feature from others, by the word `derived`. No attribute holds it then. */
  derived: z
    .strictObject({
      from: z.array(z.string()).min(1).readonly(),
      compute: z.custom<Derivation['compute']>((it) => typeof it === 'function', 'expected a function'),
    })
    .optional(),
};

const everyNumber = {
  ...everyFeature,
  /** Value that a missing one counts as in training, beside a flag column that says so. Default: 0. */
  imputeWith: z.number().default(0),
};

const featureSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('string'), ...everyFeature, training: z.literal(false).default(false) }),
  z.strictObject({
    type: z.literal('integral'),
    ...everyNumber,
    /** Inclusive bounds; beyond 2^53 give them as bigint. */
    min: z.union([z.int(), z.bigint()]).optional(),
    max: z.union([z.int(), z.bigint()]).optional(),
  }),
  z.strictObject({
    type: z.literal('fractional'),
    ...everyNumber,
    /** Inclusive bounds. */
    min: z.number().optional(),
    /** Greatest value. */
    max: z.number().optional(),
  }),
  z.strictObject({ type: z.literal('boolean'), ...everyFeature }),
  z.strictObject({
    type: z.literal('categorical'),
    ...everyFeature,
    /** All values there are, texts or numbers. */
    categories: z
      .array(
        z
          .string()
          .min(1)
          .regex(
            /^[^\r\n]*$/,
            'must not hold a line break: no row of the change log can, so training would not find it',
          ),
      )
      .min(2),
    /** `N`: the categories are numbers, written as their digits. Default: S, texts. */
    attributeType: z.literal('N').optional(),
    /** `true` takes every other value, too: one more column of training stands for all of them. Default: false. */
    others: z.boolean().optional(),
    /** `one-hot`: a column per category; `ordinal`: one column with the 1-based position of the category. */
    encoding: z.enum(['one-hot', 'ordinal']).default('one-hot'),
  }),
  z.strictObject({ type: z.literal('timestamp'), ...everyFeature }),
  z.strictObject({
    type: z.literal('hashed'),
    ...everyFeature,
    /** Columns of training that values are dealt into by their hash. */
    buckets: z.int().min(2).max(BUCKETS_MAX),
  }),
]);

/** The types of features there are. */
export const FEATURE_TYPES = featureSchema.options.map(({ shape }) => shape.type.value);

/** Names of the options that features of each type have. */
export const OPTIONS_OF_TYPES: ReadonlyMap<(typeof FEATURE_TYPES)[number], readonly string[]> = new Map(
  featureSchema.options.map(({ shape }) => [shape.type.value, Object.keys(shape)]),
);

const name = z
  .string()
  .regex(
    NAME_PATTERN,
    'must be 1 to 64 letters, digits, "-" or "_", and begin and end with a letter or digit (the rule of CreateFeatureGroup)',
  );
/** A value that an attribute has: text (S), a number (N), or a boolean (BOOL). */
const held = z.union([z.string(), z.number(), z.bigint(), z.boolean()]);

/** One class of a label of several, as the application spells it: text (S), or a number (N). */
const className = z.union([z.string().min(1), z.number(), z.bigint()]);

/** What an attribute has to hold for its item to be a record. */
const conditionSchema = z.discriminatedUnion('holds', [
  z.strictObject({ holds: z.literal('oneOf'), values: z.array(held).min(1) }),
  z.strictObject({ holds: z.literal('startsWith'), text: z.string().min(1) }),
  z.strictObject({ holds: z.literal('exists') }),
]);

/** The conditions there are. */
export const CONDITIONS = conditionSchema.options.map(({ shape }) => shape.holds.value);

/** Shape of what `defineFeatureGroup` takes. */
export const definitionSchema = z.strictObject({
  /** Name of the feature group, and of the stack that is made for it. */
  name,
  /** DynamoDB table whose stream is read. Default: the feature group's name. */
  table: z
    .string()
    .regex(/^[a-zA-Z0-9_.-]{3,255}$/, 'must be 3 to 255 letters, digits, "_", "-" or "." (the rule of CreateTable)')
    .optional(),
  /**
   * Feature that identifies a record, and the key attributes it is made of. These are all of the table's, the partition
   * key first. A plain string names both. Key attributes are S or N.
   */
  recordIdentifier: z.union([
    name,
    z.strictObject({
      /** Name of the feature. */
      name,
      /** Key attributes of the table, the partition key first. */
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
   * Which items of the table are records, by their attributes: all conditions must hold. Changes of other items are
   * skipped. An item that no longer matches is deleted downstream. Default: all of them.
   */
  items: z.record(z.string().min(1), conditionSchema).optional(),
  /**
   * Name of the event time feature, and optionally the item's own timestamp attribute. The attribute holds epoch seconds
   * (N) or an ISO 8601 text (S). Without it, the stream's ApproximateCreationDateTime gives the seconds.
   */
  eventTime: z
    .strictObject({
      /** Name of the event time feature. */
      name: name.default('event_time'),
      /** The item's own timestamp attribute. Default: the stream's time. */
      attribute: z.string().min(1).optional(),
    })
    .default({ name: 'event_time' }),
  /** Features by name, in the order of their columns. */
  features: z.record(name, featureSchema),
  /**
   * The outcome to predict, absent until it is known: one of two classes, one of several, or a number. Default: none;
   * then the stores are filled, and nothing is trained.
   */
  label: z
    .strictObject({
      /** Name of the label. */
      name,
      /** Attribute that holds it. Default: its name. */
      attribute: z.string().min(1).optional(),
      /** Version of the definition that brought the label, as of a feature. Default: 1. */
      since: z.int().min(1).default(1),
      /** How the application spells the two classes. Default: N 0 or BOOL false, and N 1 or BOOL true. */
      values: z.strictObject({ 0: z.array(held).min(1).readonly(), 1: z.array(held).min(1).readonly() }).optional(),
      /** Three classes or more, as the application spells them. Their places from 0 are what the stores have. */
      classes: z.array(className).min(CLASSES_MIN).max(CLASSES_MAX).readonly().optional(),
      /** A number is to be predicted (N): the words are those of `fractional({ min, max })`. */
      type: z.literal('fractional').optional(),
      /** Inclusive bounds of such a number. */
      min: z.number().optional(),
      /** Greatest such number. */
      max: z.number().optional(),
    })
    .optional(),
  /** Effect of a deletion of the item on the online record. Default: delete. */
  onDelete: z.enum(['delete', 'keep']).default('delete'),
  /** Effect of DynamoDB's own TTL expiry of the item on the online record. Default: delete. */
  onTtlExpiry: z.enum(['delete', 'keep']).default('delete'),
  /**
   * Which features a label is learned with. `latest`: those of now. `as-of-label`: those of just before the label
   * arrived, so that nothing known only afterwards leaks in. Default: latest.
   */
  trainingTime: z.enum(['latest', 'as-of-label']).default('latest'),
  /** One line on the table. Feature Store keeps the one of the first deployment as the group's description. */
  description: line.max(DESCRIPTION_CHARACTERS_MAX).optional(),
  /** Who answers for it. Feature Store keeps the one of the first deployment as the group's tag `owner`. */
  owner: line
    .max(OWNER_CHARACTERS_MAX)
    .regex(OWNER_PATTERN, 'must be of letters, digits, spaces and _.:/=+-@ (the rule of tags)')
    .optional(),
});

/** What `defineFeatureGroup` takes. */
export type FeatureGroupInput = z.input<typeof definitionSchema>;
/** What an item must be to be a record: a condition of one of its attributes. */
export type ItemCondition = z.output<typeof conditionSchema> & { readonly attribute: string };
/** A value that an item's attribute may have to hold. */
export type Held = z.output<typeof held>;
/** A class of a label of several, as the application spells it. */
export type ClassName = z.output<typeof className>;
/** What is known of a feature, defaults filled in, but its name. */
export type FeatureOptions = z.output<typeof featureSchema>;
/** What a user may say of a feature of one type. */
export type OptionsOf<T extends FeatureOptions['type']> = Omit<
  Extract<z.input<typeof featureSchema>, { type: T }>,
  'type'
>;
/** What a user may say of a feature. */
export type FeatureInput = z.input<typeof featureSchema>;
