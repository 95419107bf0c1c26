import { createHash } from 'node:crypto';
import type { Feature, FeatureGroup } from '../definition/feature-group.ts';
import { classNames, labelKind } from '../definition/label.ts';
import { imputation } from './encode.ts';
import { SCHEMA_HASH_DIGITS } from './names.ts';

/**
 * Hash of exactly what decides the meaning of an encoded row: the training features in order and how each becomes
 * numbers, and what is predicted from them. It travels with the training set, the model, the encoding and the
 * endpoint's name. Bounds, attributes and stores leave it as it is.
 */
export function schemaHash(group: FeatureGroup): string {
  const { label, features } = group;
  const kind = label && labelKind(label);
  const meaning = {
    ...{ features: features.filter((it) => it.training).map(meaningOf), label: label?.name },
    ...(label && kind !== 'binary' && { kind, classes: classNames(label) }),
  };
  return createHash('sha256').update(JSON.stringify(meaning)).digest('hex').slice(0, SCHEMA_HASH_DIGITS);
}

function meaningOf(feature: Feature): unknown[] {
  const { name, type } = feature;
  // Optional or not, a category that is missing is encoded alike.
  if (feature.type === 'categorical') {
    const { encoding, categories, others } = feature;
    return [name, type, encoding, categories, ...(others ? ['others'] : [])];
  }
  if (feature.type === 'hashed') return [name, type, feature.buckets];
  return feature.optional ? [name, type, 'optional', imputation(feature)] : [name, type];
}
