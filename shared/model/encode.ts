import { createHash } from 'node:crypto';
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
  | { readonly holds: 'other'; readonly categories: readonly string[] }
  | { readonly holds: 'position'; readonly categories: readonly string[]; readonly other: number }
  | { readonly holds: 'bucket'; readonly bucket: number; readonly buckets: number }
);

/** Day that timestamps count from in training, 2020-01-01, in seconds since 1970: the nearer, the finer a float32 is. */
export const FIRST_DAY_SECOND = 1_577_836_800;
export const SECONDS_PER_DAY = 86_400;

/** Hexadecimal digits of a text's MD5 that deal it into a bucket. Never changed: models have learned by them. */
export const BUCKET_DIGITS = 8;

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
 * `imputeWith` (booleans and times as 0) beside a flag; a category that is missing, or unknown where none of others counts,
 * is 0 in every column.
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
      return lineOf(text) === column.category ? '1' : '0';
    case 'other':
      return text === undefined || column.categories.includes(lineOf(text) ?? '') ? '0' : '1';
    case 'position': {
      const position = column.categories.indexOf(lineOf(text) ?? '') + 1;
      return String(text === undefined ? 0 : position || column.other);
    }
    case 'bucket':
      return text !== undefined && bucketOf(lineOf(text) ?? '', column.buckets) === column.bucket ? '1' : '0';
  }
}

/** A text as the change log has it, which training reads: a line break is a space there. */
function lineOf(text: string | undefined): string | undefined {
  return text?.replace(/\r\n|[\r\n]/g, ' ');
}

/** The bucket of a text, from 0. */
function bucketOf(text: string, buckets: number): number {
  const digits = createHash('md5').update(text, 'utf8').digest('hex').slice(0, BUCKET_DIGITS);
  return Number.parseInt(digits, 16) % buckets;
}

function columnsOfFeature(feature: Feature): TrainingColumn[] {
  const { name } = feature;
  if (feature.type === 'categorical') {
    const { categories, encoding, others } = feature;
    if (encoding === 'ordinal') {
      return [{ name, feature, holds: 'position', categories, other: others ? categories.length + 1 : 0 }];
    }
    const columns: TrainingColumn[] = categories.map((category) => {
      return { name: `${name}=${category}`, feature, holds: 'category', category };
    });
    return others ? [...columns, { name: `${name}__other`, feature, holds: 'other', categories }] : columns;
  }
  if (feature.type === 'hashed') {
    const { buckets } = feature;
    return Array.from({ length: buckets }, (_, bucket) => {
      return { name: `${name}#${bucket}`, feature, holds: 'bucket', bucket, buckets };
    });
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
  return feature.type === 'timestamp' ? daysOf(number) : number;
}

/** Days since {@link FIRST_DAY_SECOND}, by the same steps as the training set's SQL. */
function daysOf(seconds: string): string {
  return plainDecimal(String((Number(seconds) - FIRST_DAY_SECOND) / SECONDS_PER_DAY)) ?? '0';
}
