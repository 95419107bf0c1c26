import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Feature, FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { Customer } from './customers.ts';

/** An item of the source table. */
export type Item = Record<string, AttributeValue>;

/** A customer as the application writes it: no label yet. */
export function itemOf(customer: Customer, group: FeatureGroup): Item {
  const item: Item = keyOf(customer.id, group);
  for (const feature of group.features) {
    const text = customer.features[feature.name];
    if (text !== undefined) item[feature.attribute] = attributeOf(feature, text);
  }
  return item;
}

/** The item's key. The example's record identifier is the table's one key attribute. */
export function keyOf(id: string, group: FeatureGroup): Item {
  const [attribute = group.recordIdentifier.name] = group.recordIdentifier.attributes;
  return { [attribute]: { S: id } };
}

function attributeOf(feature: Feature, text: string): AttributeValue {
  switch (feature.type) {
    case 'integral':
    case 'fractional':
      return { N: text };
    case 'boolean':
      return { BOOL: text === 'true' };
    default:
      return { S: text };
  }
}
