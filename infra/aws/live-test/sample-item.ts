import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Feature, FeatureGroup } from '../../../shared/definition/feature-group.ts';

/** Distance of the two ends of a number that has no bounds. */
const UNBOUNDED_SPAN = 100;

/**
 * An item of a definition's table that the definition takes, for examples: every feature and its time, no label.
 *
 * @param position where every feature lies between its least and its greatest value, 0 to 1; without it, somewhere.
 */
export function sampleItem(group: FeatureGroup, id: string, position?: number): Record<string, AttributeValue> {
  const { attributes, types } = group.recordIdentifier;
  const key = (text: string, type: 'S' | 'N' | undefined) =>
    type === 'N' ? { N: text.replace(/\D/g, '') || '0' } : { S: text };
  return Object.fromEntries([
    ...(group.eventTime.attribute === undefined ? [] : [[group.eventTime.attribute, now()] as const]),
    ...group.features.map((feature) => [feature.attribute, sampleValue(feature, position)] as const),
    // Key attributes are what the table says, even those that are features too.
    ...attributes.map((attribute, index) => [attribute, key(index === 0 ? id : `${index}`, types[index])] as const),
  ]);
}

const now = (): AttributeValue => ({ N: String(Math.floor(Date.now() / 1_000)) });

function sampleValue(feature: Feature, position: number | undefined): AttributeValue {
  switch (feature.type) {
    case 'integral':
      return { N: String(position === undefined ? within(42, feature) : Math.round(numberAt(position, feature))) };
    case 'fractional':
      return { N: String(position === undefined ? within(12.75, feature) : numberAt(position, feature)) };
    case 'boolean':
      return { BOOL: position === undefined || position >= 0.5 };
    case 'categorical': {
      const index = Math.floor((position ?? 0) * feature.categories.length);
      return { S: feature.categories[Math.min(index, feature.categories.length - 1)] as string };
    }
    case 'string':
      return { S: 'text' };
  }
}

type Bounds = { readonly min?: number | bigint | undefined; readonly max?: number | bigint | undefined };

function within(wanted: number, { min, max }: Bounds): number | bigint {
  if (min !== undefined && wanted < min) return min;
  return max !== undefined && wanted > max ? max : wanted;
}

/** A number in quarters, which no store rounds, within the bounds. */
function numberAt(position: number, { min, max }: Bounds): number {
  const least = Number(min ?? Math.min(0, Number(max ?? 0) - UNBOUNDED_SPAN));
  const greatest = Number(max ?? least + UNBOUNDED_SPAN);
  const quarters = Math.round((least + position * (greatest - least)) * 4) / 4;
  return Math.min(greatest, Math.max(least, quarters));
}
