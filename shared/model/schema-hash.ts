import { createHash } from 'node:crypto';
import type { Feature, FeatureGroup } from '../definition/feature-group.ts';
import { imputation } from './encode.ts';

/** Length in hex digits. 64 bits: enough to tell the versions of one definition apart. */
const HASH_DIGITS = 16;

/**
 * Hash of exactly what decides the meaning of an encoded row: the training features in order and how each becomes
 * numbers, and what is predicted from them. It travels with the training set, the model and the endpoint; a
 * prediction is refused when the endpoint's differs. Bounds, attributes and stores leave it as it is.
 */
export function schemaHash(group: FeatureGroup): string {
  const meaning = { features: group.features.filter((it) => it.training).map(meaningOf), label: group.label.name };
  return createHash('sha256').update(JSON.stringify(meaning)).digest('hex').slice(0, HASH_DIGITS);
}

/**
 * Name of the production variant of a model that was trained with a schema. The endpoint names the variant that has
 * answered in every answer, so whoever asked can tell by which schema the answer was given.
 */
export function schemaVariant(hash: string): string {
  return `schema-${hash}`;
}

function meaningOf(feature: Feature): unknown[] {
  const { name, type } = feature;
  // Optional or not, a category that is missing is encoded alike.
  if (feature.type === 'categorical') return [name, type, feature.encoding, feature.categories];
  return feature.optional ? [name, type, 'optional', imputation(feature)] : [name, type];
}
