import type { Feature, FeatureGroup } from '../definition/feature-group.ts';
import { schemaHash } from './schema-hash.ts';

/**
 * Everything by which a record becomes a row of numbers, under its hash: the features that a model was trained with. It
 * is kept under that hash, so that predictions go on by it when the definition has changed.
 */
export interface Encoding {
  readonly schemaHash: string;
  readonly features: readonly Feature[];
}

const encodings = new WeakMap<FeatureGroup, Encoding>();

/** The encoding of a definition, the same object each time. Bounds and attributes are not in it: they encode nothing. */
export function encodingOf(group: FeatureGroup): Encoding {
  const known = encodings.get(group);
  if (known) return known;
  const features = group.features.filter((it) => it.training).map(withoutBounds);
  const encoding: Encoding = { schemaHash: schemaHash(group), features };
  encodings.set(group, encoding);
  return encoding;
}

/** JSON has no bigint, which bounds may be, and no function, which a derived feature has. */
function withoutBounds({ derived: _, ...feature }: Feature): Feature {
  if (feature.type !== 'integral' && feature.type !== 'fractional') return feature;
  const { min, max, ...rest } = feature;
  return rest;
}
