import { columnsOf, type FeatureGroup, labelOf } from '../../../shared/definition/feature-group.ts';
import { valueAt } from '../../../shared/definition/item-path.ts';
import { CORRELATION_QUERY, correlationRow, correlationsOf } from '../findings/correlation.ts';
import type { Material } from '../stage/material.ts';
import { type Customer, generateCustomers } from './customers.ts';
import { type Item, itemOf, keyOf } from './item.ts';

/** Identifier of the record that is wrong. */
const BAD_RECORD = 'c-bad-age';

/** The customers of the example. @param seed of the customers; the next one makes the one that nobody knows. */
export function exampleMaterial(group: FeatureGroup, seed: number): Material {
  const [fresh] = generateCustomers(1, seed + 1) as [Customer];
  return {
    plural: 'Customers',
    keyOf: (id) => keyOf(id, group),
    itemOf: (customer) => itemOf(customer, group),
    withLabel: (_, label) => ({ [labelOf(group).attribute]: { N: label } }),
    changesOf: ({ features }) => [
      { duration: { N: String(Number(features.duration) + 60) } },
      {
        campaign: { N: String(Number(features.campaign) + 1) },
        euribor3m: { N: String(Number((Number(features.euribor3m) + 0.125).toFixed(3))) },
      },
    ],
    badRecord: (like) => ({
      id: BAD_RECORD,
      item: { ...itemOf({ ...like, id: BAD_RECORD }, group), age: { S: 'unknown' } },
    }),
    fresh: fresh.features,
    correlations: { sql: CORRELATION_QUERY, rowOf: correlationRow, of: correlationsOf },
    idOf: (item) => idOf(item, group),
    recordOf: (item) => expectedRecord(item, group),
  };
}

/** The record identifier of an item of the example's table. */
function idOf(item: Item, group: FeatureGroup): string {
  const [attribute = group.recordIdentifier.name] = group.recordIdentifier.attributes;
  return item[attribute]?.S ?? '';
}

function expectedRecord(item: Item, group: FeatureGroup): Map<string, string> {
  const record = new Map([[group.recordIdentifier.name, idOf(item, group)]]);
  for (const { name, feature } of columnsOf(group)) {
    const value = valueAt(item, feature === 'label' ? labelOf(group) : feature);
    const text = value?.BOOL === undefined ? (value?.N ?? value?.S) : String(Number(value.BOOL));
    if (text !== undefined) record.set(name, text);
  }
  return record;
}
