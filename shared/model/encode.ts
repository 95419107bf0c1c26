import { plainDecimal } from '../definition/decimal.ts';
import type { Feature, FeatureGroup } from '../definition/feature-group.ts';

/**
 * The rule by which a record becomes a row of numbers, in two parts: the list of columns, which the training set's SQL
 * reads too, and the encoder of a prediction's features. A property test holds the SQL and the encoder to each other.
 */

/** Values of features as exact text, by feature name. Undefined or absent: the record has no value there. */
export type FeatureTexts = Readonly<Record<string, string | undefined>>;

/** What is encoded: of a definition, or of an encoding that was kept, the features. */
type Encoded = Pick<FeatureGroup, 'features'>;

/** One column of the training set, after the label. */
export type TrainingColumn = { readonly name: string; readonly feature: Feature } & (
  | { readonly holds: 'value' | 'missing' }
  | { readonly holds: 'category'; readonly category: string }
  | { readonly holds: 'position'; readonly categories: readonly string[] }
);

/** A record lacks, or has in an unreadable form, a number that the model cannot do without. Retrying cannot help. */
export class UnencodableRecord extends Error {}

/** The columns of a training row in order, without the label. Features of text and of `training: false` have none. */
export function trainingColumnsOf({ features }: Encoded): TrainingColumn[] {
  return features.filter((feature) => feature.training).flatMap(columnsOfFeature);
}

/** Names of the encoded columns: `age`, `job=admin.`, `income__missing`. */
export const trainingColumns = (group: Encoded): string[] => trainingColumnsOf(group).map(({ name }) => name);

/**
 * Encodes one record as the model takes it, numbers in plain decimal text. Missing optional numbers count as
 * `imputeWith` (booleans as 0) beside a flag; a category that is missing or unknown is 0 in every column.
 *
 * @throws UnencodableRecord naming the feature, when a required number is missing or any number is not one.
 */
export function encode(group: Encoded, features: FeatureTexts): string[] {
  return trainingColumnsOf(group).map((column) => {
    const { name } = column.feature;
    // A feature may be called `constructor`, which every object inherits.
    return encodeColumn(column, Object.hasOwn(features, name) ? features[name] : undefined);
  });
}

function encodeColumn(column: TrainingColumn, text: string | undefined): string {
  switch (column.holds) {
    case 'value':
      return encodeNumber(column.feature, text);
    case 'missing':
      return text === undefined ? '1' : '0';
    case 'category':
      return text === column.category ? '1' : '0';
    case 'position':
      return String(text === undefined ? 0 : column.categories.indexOf(text) + 1);
  }
}

function columnsOfFeature(feature: Feature): TrainingColumn[] {
  const { name } = feature;
  if (feature.type === 'categorical') {
    const { categories, encoding } = feature;
    return encoding === 'ordinal'
      ? [{ name, feature, holds: 'position', categories }]
      : categories.map((category) => ({ name: `${name}=${category}`, feature, holds: 'category', category }));
  }
  const value: TrainingColumn = { name, feature, holds: 'value' };
  return feature.optional ? [value, { name: `${name}__missing`, feature, holds: 'missing' }] : [value];
}

/** What a missing value of an optional number or boolean counts as, in plain decimal text. */
export function imputation(feature: Feature): string {
  return 'imputeWith' in feature ? (plainDecimal(String(feature.imputeWith)) ?? '0') : '0';
}

function encodeNumber(feature: Feature, text: string | undefined): string {
  if (text === undefined) {
    if (feature.optional) return imputation(feature);
    throw new UnencodableRecord(`The record has no value for ${feature.name}, which its definition requires`);
  }
  const number = plainDecimal(text);
  if (number === undefined) {
    throw new UnencodableRecord(`The record's ${feature.name} is "${text.slice(0, 100)}", which is no decimal number`);
  }
  return number;
}
