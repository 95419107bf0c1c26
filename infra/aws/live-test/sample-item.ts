import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Feature, FeatureGroup } from '../../../shared/definition/feature-group.ts';

/** An item of a definition's table that the definition takes, for examples: every feature and its time, no label. */
export function sampleItem(group: FeatureGroup, id: string): Record<string, AttributeValue> {
  const { attributes, types } = group.recordIdentifier;
  const key = (text: string, type: 'S' | 'N' | undefined) =>
    type === 'N' ? { N: text.replace(/\D/g, '') || '0' } : { S: text };
  return Object.fromEntries([
    ...(group.eventTime.attribute === undefined ? [] : [[group.eventTime.attribute, now()] as const]),
    ...group.features.map((feature) => [feature.attribute, sampleValue(feature)] as const),
    // Key attributes are what the table says, even those that are features too.
    ...attributes.map((attribute, index) => [attribute, key(index === 0 ? id : `${index}`, types[index])] as const),
  ]);
}

const now = (): AttributeValue => ({ N: String(Math.floor(Date.now() / 1_000)) });

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
