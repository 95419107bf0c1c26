import { correlationSql } from '../../../shared/change-log/sql.ts';
import { toEventImage } from '../../../shared/changes/attribute-value.ts';
import { EnvelopeProblem } from '../../../shared/changes/problem.ts';
import { identifierOf } from '../../../shared/changes/record-identifier.ts';
import { type Feature, type FeatureGroup, labelOf } from '../../../shared/definition/feature-group.ts';
import { labelValue } from '../../aws/live-test/sample-item.ts';
import type { Customer } from '../../demo/customers/customers.ts';
import type { Item } from '../../demo/customers/item.ts';
import { columnCorrelations } from '../../demo/findings/correlation.ts';
import type { Material } from '../../demo/stage/material.ts';
import { sourceItem } from '../../insight/record.ts';
import type { FileItem } from './items-file.ts';

/** The records of one's own table, as the demo plays with them. */
export interface OwnTable {
  /** Those that have a label. */
  readonly records: readonly Customer[];
  /** Items without one. */
  readonly others: readonly Item[];
  /** Items that the definition does not take, which are not written: how many, and where and why the first is not. */
  readonly left: { readonly count: number; readonly first: string } | undefined;
  readonly material: Material;
}

/** A value of the online store by feature, the identifier first. */
type OnlineRecord = ReadonlyMap<string, string>;

/**
 * Deals items into what the demo plays with. What the online store is to hold of each is what ingest's own decoder makes
 * of it: a definition can be wrong, and then both are.
 *
 * @throws Error when two items have one key, or the definition has no label.
 */
export function ownTable(group: FeatureGroup, found: readonly FileItem[]): OwnTable {
  const label = labelOf(group);
  const items = new Map<string, Item>();
  const records: Customer[] = [];
  const others: Item[] = [];
  const left: string[] = [];
  for (const { item, place } of found) {
    const { features, rejection } = sourceItem(group, item);
    const id = identifierIn(group, item);
    if (id === undefined || rejection !== null) {
      left.push(`${place}: ${rejection ?? `its key is not ${group.recordIdentifier.attributes.join(' and ')}`}`);
      continue;
    }
    if (items.has(id))
      throw new Error(`${place} has the key of an item before it, "${id.slice(0, 100)}": give each once.`);
    items.set(id, item);
    const known = features[label.name];
    if (known === '0' || known === '1') records.push({ id, features: {}, label: known });
    else others.push(item);
  }
  const [first] = left;
  return {
    ...{ records, others, left: first === undefined ? undefined : { count: left.length, first } },
    material: materialOf(group, items),
  };
}

function materialOf(group: FeatureGroup, items: ReadonlyMap<string, Item>): Material {
  const label = labelOf(group);
  const itemOf = (id: string): Item => items.get(id) ?? {};
  const keyOf = (id: string) => Object.fromEntries(keyAttributes(group).map((name) => [name, itemOf(id)[name] ?? {}]));
  const recordOf = (item: Item) => onlineRecord(group, item);
  const correlated = correlatedOf(group);
  const lender = lenderOf(group, [...items.values()]);
  return {
    plural: 'Records',
    keyOf: keyOf as Material['keyOf'],
    itemOf({ id }) {
      const { [label.attribute]: _, ...item } = itemOf(id);
      return item;
    },
    withLabel: ({ id }, known) => ({ [label.attribute]: labelValue(group, known), ...timeOf(group, itemOf(id)) }),
    changesOf: ({ id }) => lender(itemOf(id)).map((values) => ({ ...values, ...timeOf(group, itemOf(id)) })),
    badRecord: ({ id }) => badRecord(group, itemOf(id)),
    fresh: freshFeatures(group, recordOf([...items.values()].at(-1) ?? {})),
    correlations: {
      sql: correlationSql(group),
      rowOf(item) {
        const record = recordOf(item);
        const known = record?.get(label.name);
        if (record === undefined || known === undefined) return undefined;
        return [...correlated.map((feature) => numberOf(feature, record.get(feature.name))), Number(known)];
      },
      of: (rows) => columnCorrelations(correlated.map(columnName), rows),
    },
    idOf: (item) => identifierIn(group, item) ?? '',
    recordOf,
  };
}

const keyAttributes = ({ recordIdentifier }: FeatureGroup) => recordIdentifier.attributes;

function identifierIn(group: FeatureGroup, item: Item): string | undefined {
  const keys = keyAttributes(group).flatMap((name) => {
    const value = item[name];
    return value ? [[name, toEventImage(value) as Readonly<Record<string, unknown>>] as const] : [];
  });
  const identifier = identifierOf(Object.fromEntries(keys), group);
  return identifier instanceof EnvelopeProblem ? undefined : identifier;
}

/** What the online store is to hold; undefined for an item that the definition does not take. */
function onlineRecord(group: FeatureGroup, item: Item): OnlineRecord | undefined {
  const { features } = sourceItem(group, item);
  const values = Object.entries(features).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
  const id = identifierIn(group, item);
  return id === undefined || values.length === 0 ? undefined : new Map([[group.recordIdentifier.name, id], ...values]);
}

/** The event time of a change, where items have it themselves: now, or later than the item says, in its own form. */
function timeOf({ eventTime: { attribute } }: FeatureGroup, item: Item): Item {
  if (attribute === undefined) return {};
  const { S: text, N: number } = item[attribute] ?? {};
  const before = text === undefined ? Number(number ?? 0) : Math.floor(Date.parse(text) / 1_000);
  const second = Math.max(Math.floor(Date.now() / 1_000), before + 1);
  return { [attribute]: text === undefined ? { N: String(second) } : { S: new Date(second * 1_000).toISOString() } };
}

/** Attributes that a change may set: not those that say what the item is, or what its label or its time is. */
function changeable(group: FeatureGroup): string[] {
  const fixed = new Set([
    ...keyAttributes(group),
    ...(group.items ?? []).map(({ attribute }) => attribute),
    ...[labelOf(group).attribute, group.eventTime.attribute ?? ''],
  ]);
  const named = group.features.map(({ path, attribute }) => String(path?.[0] ?? attribute));
  return [...new Set(named)].filter((name) => !fixed.has(name));
}

/** Makes what lends an item two values of other items, one after the other, each another one than the item has. */
function lenderOf(group: FeatureGroup, items: readonly Item[]): (item: Item) => Item[] {
  const attributes = changeable(group);
  return (item) => {
    const lent = attributes.flatMap((name) => {
      const own = JSON.stringify(item[name]);
      const value = items.find((other) => other[name] && JSON.stringify(other[name]) !== own)?.[name];
      return value ? [{ [name]: value }] : [];
    });
    return lent.slice(0, 2);
  };
}

/** A copy under another key, of which one feature is a list, which no feature but a text is made of. */
function badRecord(group: FeatureGroup, like: Item): ReturnType<Material['badRecord']> {
  const spoilt = changeable(group).find((name) =>
    group.features.some(({ attribute, path, type }) => !path && attribute === name && type !== 'string'),
  );
  const conditions = new Map(group.items?.map((it) => [it.attribute, it.holds]));
  const own = keyAttributes(group).find((name) => conditions.get(name) !== 'oneOf');
  const key = own === undefined ? undefined : like[own];
  if (spoilt === undefined || own === undefined || key === undefined) return undefined;
  const item = {
    ...like,
    [spoilt]: { L: [] },
    [own]: key.S === undefined ? { N: `9${key.N ?? ''}`.replace(/\D/g, '') } : { S: `${key.S}-bad` },
  };
  const id = identifierIn(group, item);
  return id === undefined ? undefined : { id, item };
}

/** A record's features as a prediction request has them. */
function freshFeatures({ features }: FeatureGroup, record: OnlineRecord | undefined): object {
  const given = features.flatMap(({ name, type }): [string, string | number | boolean][] => {
    const text = record?.get(name);
    if (text === undefined) return [];
    if (type === 'boolean') return [[name, text === '1']];
    return [[name, type === 'timestamp' ? Number(text) : text]];
  });
  return Object.fromEntries(given);
}

/** The features that {@link correlationSql} asks for. */
const correlatedOf = ({ features }: FeatureGroup): Feature[] =>
  features.filter(
    ({ training, type, ...it }) =>
      training && type !== 'hashed' && !('categories' in it && (it.categories.length !== 2 || it.others)),
  );

/** What {@link correlationSql} calls a feature's correlation, in the letters that Athena folds names to. */
const columnName = ({ name }: Feature): string => `correlation_${name}_and_target`.toLowerCase();

/** A category is 1 if it is the second one, and 0 if it is not, missing or not. */
function numberOf(feature: Feature, text: string | undefined): number | null {
  if (feature.type === 'categorical') return text === feature.categories[1] ? 1 : 0;
  return text === undefined ? null : Number(text);
}
