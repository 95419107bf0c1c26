import { type FieldTypes, type Validation, validationOf } from '../engine/dynalite.ts';
import type { IndexDescription, KeySchemaElement } from '../engine/table.ts';

/** Rules of CreateTable and UpdateTable that came after dynalite's, in the form of its own. */

/** Most attributes of each kind in the key of a global index. Source: developer guide, multi-attribute keys. */
const KEY_ATTRIBUTES_MAX = 4;

const BOOLEAN = 'Boolean';
const TEXT = 'String';
const throughput = (name: string, members: readonly string[]) => ({
  type: `FieldStruct<${name}>`,
  children: Object.fromEntries(members.map((it) => [it, { type: 'Long' }])),
});
const ON_DEMAND = throughput('OnDemandThroughput', ['MaxReadRequestUnits', 'MaxWriteRequestUnits']);
const WARM = throughput('WarmThroughput', ['ReadUnitsPerSecond', 'WriteUnitsPerSecond']);

/** Settings of a table that infrastructure code sends: remembered and answered. */
const SETTINGS: FieldTypes = {
  StreamSpecification: {
    type: 'FieldStruct<StreamSpecification>',
    children: {
      StreamEnabled: { type: BOOLEAN, notNull: true },
      StreamViewType: { type: TEXT, enum: ['NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES', 'KEYS_ONLY'] },
    },
  },
  SSESpecification: {
    type: 'FieldStruct<SSESpecification>',
    children: { Enabled: BOOLEAN, SSEType: { type: TEXT, enum: ['AES256', 'KMS'] }, KMSMasterKeyId: TEXT },
  },
  TableClass: { type: TEXT, enum: ['STANDARD', 'STANDARD_INFREQUENT_ACCESS'] },
  DeletionProtectionEnabled: BOOLEAN,
  OnDemandThroughput: ON_DEMAND,
  WarmThroughput: WARM,
};

export function createTableRules(): Validation {
  const { types, custom } = validationOf('CreateTable');
  const { tableName: _, ...name } = types.TableName as FieldTypes;
  const globals = types.GlobalSecondaryIndexes as Members;
  return {
    types: {
      ...types,
      TableName: { ...name, lengthGreaterThanOrEqual: 3, lengthLessThanOrEqual: 255 },
      ...SETTINGS,
      Tags: { type: 'List', children: { type: 'ValueStruct<Tag>', children: { Key: TEXT, Value: TEXT } } },
      ResourcePolicy: TEXT,
      GlobalSecondaryIndexes: {
        ...globals,
        children: { ...globals.children, children: indexTypes(globals.children.children) },
      },
    },
    custom: (data: { GlobalSecondaryIndexes?: IndexDescription[] }, store: object) =>
      data.GlobalSecondaryIndexes?.map(problemOfIndex).find((it) => it !== undefined) ??
      custom?.({ ...data, ...withPlainKeys(data.GlobalSecondaryIndexes) } as never, store),
  };
}

interface Members extends FieldTypes {
  readonly children: FieldTypes & { readonly children: FieldTypes };
}

export function updateTableRules(): Validation {
  const { types, custom } = validationOf('UpdateTable');
  const updates = types.GlobalSecondaryIndexUpdates as Members;
  const { Create, Update } = updates.children.children as Record<string, FieldTypes & { children: FieldTypes }>;
  const create = indexTypes({ ...Create?.children, ProvisionedThroughput: throughputOf(Create) });
  const update = { ...Update?.children, ProvisionedThroughput: throughputOf(Update) };
  return {
    types: {
      ...types,
      ...SETTINGS,
      AttributeDefinitions: optional(validationOf('CreateTable').types.AttributeDefinitions),
      GlobalSecondaryIndexUpdates: {
        ...updates,
        children: {
          ...updates.children,
          children: {
            ...updates.children.children,
            Create: { ...Create, children: create },
            Update: { ...Update, children: { ...update, OnDemandThroughput: ON_DEMAND, WarmThroughput: WARM } },
          },
        },
      },
    },
    custom: (data: object, store: object) => {
      const isSetting = Object.keys(SETTINGS).some((it) => it in data);
      return custom?.({ ...data, ...(isSetting && { UpdateStreamEnabled: true }) } as never, store);
    },
  };
}

/** Throughput is for tables that are provisioned only: dynalite wants it of every index. */
function throughputOf(action: { children: FieldTypes } | undefined): FieldTypes {
  return optional(action?.children.ProvisionedThroughput);
}

function optional(types: unknown): FieldTypes {
  const { notNull: _, ...rest } = types as FieldTypes;
  return rest;
}

function indexTypes(types: FieldTypes): FieldTypes {
  const schema = types.KeySchema as Members;
  const element = schema.children.children;
  return {
    ...types,
    KeySchema: {
      ...schema,
      lengthLessThanOrEqual: 2 * KEY_ATTRIBUTES_MAX,
      children: {
        ...schema.children,
        children: { ...element, KeyType: { type: TEXT, notNull: true, enum: ['HASH', 'RANGE'] } },
      },
    },
    OnDemandThroughput: ON_DEMAND,
    WarmThroughput: WARM,
  };
}

/** Why an index's key is not one: up to four attributes to partition by, then up to four to sort by. */
export function problemOfIndex({ KeySchema, IndexName }: IndexDescription): string | undefined {
  if (!isMultiAttribute(KeySchema)) return undefined;
  const kinds = KeySchema.map((it) => it.KeyType);
  const hashes = kinds.filter((it) => it === 'HASH').length;
  const isOrdered = kinds.lastIndexOf('HASH') === hashes - 1;
  if (hashes === 0 || !isOrdered) return 'Invalid KeySchema: The first KeySchemaElement is not a HASH key type';
  if (hashes > KEY_ATTRIBUTES_MAX || kinds.length - hashes > KEY_ATTRIBUTES_MAX) {
    return `One or more parameter values were invalid: Index ${IndexName} has more than ${KEY_ATTRIBUTES_MAX} key attributes of one type`;
  }
  return undefined;
}

function isMultiAttribute(schema: readonly KeySchemaElement[]): boolean {
  return schema.length > 2 || (schema.length === 2 && schema.every((it) => it.KeyType === 'HASH'));
}

/** dynalite's rules know keys of one or two attributes: of longer ones they are shown the first of each kind. */
function withPlainKeys(indexes: readonly IndexDescription[] | undefined): object {
  if (!indexes) return {};
  return {
    GlobalSecondaryIndexes: indexes.map((index) => {
      if (!isMultiAttribute(index.KeySchema)) return index;
      const first = (type: string) => index.KeySchema.find((it) => it.KeyType === type);
      return { ...index, KeySchema: [first('HASH'), first('RANGE')].filter((it) => it !== undefined) };
    }),
  };
}
