import type { Feature, FeatureGroup, Label } from '../definition/feature-group.ts';
import { classNames, type LabelKind, labelKind } from '../definition/label.ts';
import { schemaHash } from './schema-hash.ts';

/**
 * Everything by which a record becomes a row of numbers, under its hash: the features that a model was trained with. It
 * is kept under that hash, so that predictions go on by it when the definition has changed.
 */
export interface Encoding {
  readonly schemaHash: string;
  readonly features: readonly Feature[];
  /** What is predicted, where that is not one of two classes. */
  readonly label?: EncodedLabel;
}

/** A label as models have learned it. */
export interface EncodedLabel {
  readonly kind: Exclude<LabelKind, 'binary'>;
  /** How the classes are spelled, in the order of their numbers from 0; none of a number. */
  readonly classes: readonly string[];
}

const encodings = new WeakMap<FeatureGroup, Encoding>();

/** The encoding of a definition, the same object each time. Bounds and descriptions are not in it: they encode nothing. */
export function encodingOf(group: FeatureGroup): Encoding {
  const known = encodings.get(group);
  if (known) return known;
  const features = group.features.filter((it) => it.training).map(withoutBounds);
  const label = group.label && encodedLabel(group.label);
  const encoding: Encoding = { schemaHash: schemaHash(group), features, ...(label && { label }) };
  encodings.set(group, encoding);
  return encoding;
}

/** What is kept of a label; nothing of one of two classes, which models have always had. */
export function encodedLabel(label: Label): EncodedLabel | undefined {
  const kind = labelKind(label);
  return kind === 'binary' ? undefined : { kind, classes: classNames(label) };
}

/** JSON has no bigint, which bounds may be, and no function, which a derived feature has. */
function withoutBounds({ derived: _, description: __, personal: ___, ...feature }: Feature): Feature {
  if (feature.type !== 'integral' && feature.type !== 'fractional') return feature;
  const { min, max, ...rest } = feature;
  return rest;
}
