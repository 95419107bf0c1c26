import type { Feature, FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { labelOf } from '../../../shared/definition/feature-group.ts';
import { labelValue, sampleItem } from '../../aws/live-test/sample-item.ts';
import type { Item } from '../../demo/customers/item.ts';
import { type Random, seededRandom } from '../../demo/customers/random.ts';

/** Share of the records that lack an optional value. */
const MISSING_SHARE = 0.1;

/** Log odds of class 1 at the middle of all features, and what a standard deviation of what the model can learn adds. */
const BIAS = -0.6;
const SLOPE = 2.2;

/** Standard deviation of what is uniform in [0, 1). */
const DEVIATION = 1 / Math.sqrt(12);

/** Digits of a record's number, so that identifiers sort as they were made. */
const NUMBER_DIGITS = 5;

/**
 * Items that a definition takes, each with a label that follows from its features but for chance: the first features of
 * the definition say the most. The same definition, count and seed give the same items.
 */
export function generateItems(group: FeatureGroup, count: number, seed: number): Item[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => generateItem(group, random, index + 1));
}

function generateItem(group: FeatureGroup, random: Random, number: number): Item {
  const positions = new Map(group.features.map((feature) => [feature.name, random.uniform()]));
  const id = `r-${String(number).padStart(NUMBER_DIGITS, '0')}`;
  const item = sampleItem(group, id, ({ name }) => positions.get(name) ?? 0);
  for (const feature of group.features) {
    if (random.uniform() < MISSING_SHARE && isLeftOut(group, feature)) delete item[feature.attribute];
  }
  const label = random.uniform() < chanceOf(group.features, positions) ? '1' : '0';
  return { ...item, [labelOf(group).attribute]: labelValue(group, label) };
}

/** Whether an item may lack a feature's attribute. */
function isLeftOut(group: FeatureGroup, { optional, path, attribute }: Feature): boolean {
  const isCondition = group.items?.some((it) => it.attribute === attribute) ?? false;
  return optional && path === undefined && !isCondition && !group.recordIdentifier.attributes.includes(attribute);
}

/** Probability of class 1: a logistic function of the features' positions, each weighing less than the one before. */
function chanceOf(features: readonly Feature[], positions: ReadonlyMap<string, number>): number {
  const learned = features.filter(({ training }) => training);
  const weights = learned.map((_, index) => 1 / (1 + index));
  const length = Math.hypot(...weights) || 1;
  const sum = learned.reduce((total, { name }, index) => {
    return total + ((weights[index] ?? 0) / length) * (((positions.get(name) ?? 0.5) - 0.5) / DEVIATION);
  }, 0);
  return 1 / (1 + Math.exp(-(BIAS + SLOPE * sum)));
}
