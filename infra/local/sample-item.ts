import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Feature, FeatureGroup } from '../../shared/feature-groups/define.ts';

/** An item of a definition's table that the definition takes, for examples: every feature, no label. */
export function sampleItem(group: FeatureGroup, id: string): Record<string, AttributeValue> {
  const { attributes } = group.recordIdentifier;
  return Object.fromEntries([
    ...group.features.map((feature) => [feature.attribute, sampleValue(feature)] as const),
    // Key attributes are text in the table, even those that are features too.
    ...attributes.map((attribute, index) => [attribute, { S: index === 0 ? id : `${index}` }] as const),
  ]);
}

function sampleValue(feature: Feature): AttributeValue {
  switch (feature.type) {
    case 'integral':
      return { N: String(within(42, feature.min, feature.max)) };
    case 'fractional':
      return { N: String(within(12.75, feature.min, feature.max)) };
    case 'boolean':
      return { BOOL: true };
    case 'categorical':
      return { S: feature.categories[0] as string };
    case 'string':
      return { S: 'text' };
  }
}

function within(wanted: number, min: number | bigint | undefined, max: number | bigint | undefined): number | bigint {
  if (min !== undefined && wanted < min) return min;
  return max !== undefined && wanted > max ? max : wanted;
}
