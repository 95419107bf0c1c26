import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type Feature, type FeatureGroup, labelOf } from '../../../shared/definition/feature-group.ts';
import { classesOf } from '../../../shared/definition/label.ts';
import type { Held, ItemCondition } from '../../../shared/definition/schema.ts';

/** Distance of the two ends of a number that has no bounds. */
const UNBOUNDED_SPAN = 100;

/** First time of samples, 2026-01-01, and the span of all of them: a year. */
const FIRST_SAMPLE_SECOND = 1_767_225_600;
const SAMPLE_SECONDS = 365 * 86_400;

/**
 * An item of a definition's table that the definition takes, for examples: every feature and its time, no label.
 *
 * @param position where every feature, or each, lies between its least and its greatest value, 0 to 1; without it,
 * somewhere.
 */
export function sampleItem(
  group: FeatureGroup,
  id: string,
  position?: number | ((feature: Feature) => number),
): Record<string, AttributeValue> {
  const valueAt = (feature: Feature) =>
    sampleValue(feature, typeof position === 'function' ? position(feature) : position);
  const { attributes, types } = group.recordIdentifier;
  const conditions = new Map(group.items?.map((condition) => [condition.attribute, condition]));
  // Of the key attributes, the first that may be anything tells one item from another.
  const own = attributes.findIndex((attribute) => conditions.get(attribute)?.holds !== 'oneOf');
  const key = (index: number): AttributeValue => {
    const text = index === own ? id : `${index}`;
    const condition = conditions.get(attributes[index] as string);
    if (condition && condition.holds !== 'exists') return valueThatHolds(condition, text);
    return types[index] === 'N' ? { N: text.replace(/\D/g, '') || '0' } : { S: text };
  };
  const item: Record<string, AttributeValue> = Object.fromEntries([
    ...[...conditions.values()].map((condition) => [condition.attribute, valueThatHolds(condition, 'text')] as const),
    ...(group.eventTime.attribute === undefined ? [] : [[group.eventTime.attribute, now()] as const]),
    ...group.features.flatMap((feature) => {
      if (feature.path || feature.derived) return [];
      const holds = conditions.get(feature.attribute)?.holds ?? 'exists';
      return holds === 'exists' ? [[feature.attribute, valueAt(feature)] as const] : [];
    }),
    // Key attributes are what the table says, even those that are features too.
    ...attributes.map((attribute, index) => [attribute, key(index)] as const),
  ]);
  for (const feature of group.features) {
    const [attribute, ...steps] = feature.path ?? [];
    if (attribute !== undefined) item[attribute] = withValue(item[attribute], steps, valueAt(feature));
  }
  return item;
}

/** What is there, with a value where the steps lead to; maps and lists are made on the way. */
function withValue(
  at: AttributeValue | undefined,
  steps: readonly (string | number)[],
  value: AttributeValue,
): AttributeValue {
  const [step, ...others] = steps;
  if (step === undefined) return value;
  if (typeof step === 'string') return { M: { ...at?.M, [step]: withValue(at?.M?.[step], others, value) } };
  const list = [...(at?.L ?? [])];
  // A list has no holes.
  while (list.length < step) list.push({ NULL: true });
  list[step] = withValue(list[step], others, value);
  return { L: list };
}

/** A label as the definition spells it. @param label number of its class, or the number that it is. */
export function labelValue(group: FeatureGroup, label: string): AttributeValue {
  const { values, classes } = labelOf(group);
  if (classes) return attributeOf(classes[Number(label)] ?? label);
  return values && (label === '0' || label === '1') ? attributeOf(values[label][0] ?? label) : { N: label };
}

/** The label, as {@link labelValue} takes it, that stands where a position from 0 to 1 does among all labels. */
export function labelAt(group: FeatureGroup, position: number): string {
  const label = labelOf(group);
  if (label.type) return String(numberAt(position, label));
  const classes = classesOf(label);
  return classes[Math.min(classes.length - 1, Math.floor(position * classes.length))] ?? '0';
}

function attributeOf(value: Held): AttributeValue {
  if (typeof value === 'boolean') return { BOOL: value };
  return typeof value === 'string' ? { S: value } : { N: String(value) };
}

function valueThatHolds(condition: ItemCondition, text: string): AttributeValue {
  if (condition.holds === 'startsWith') return { S: `${condition.text}${text}` };
  const [value = text] = condition.holds === 'oneOf' ? condition.values : [];
  return attributeOf(value);
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
      const category = feature.categories[Math.min(index, feature.categories.length - 1)] as string;
      return feature.attributeType === 'N' ? { N: category } : { S: category };
    }
    case 'timestamp':
      return { N: String(FIRST_SAMPLE_SECOND + Math.round((position ?? 0) * SAMPLE_SECONDS)) };
    case 'hashed':
      return { S: `text ${Math.floor((position ?? 0) * feature.buckets)}` };
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
