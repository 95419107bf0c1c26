import {
  boolean,
  categorical,
  defineFeatureGroup,
  derived,
  equals,
  exists,
  fractional,
  hashed,
  integral,
  oneOf,
  startsWith,
  string,
  timestamp,
} from '../../shared/feature-groups/define.ts';

/**
 * Every option of a definition at work, each under a comment with its place: the reference shows the line below it.
 * No table is like this one.
 */
const everyOption = defineFeatureGroup({
  // name
  name: 'every-option',
  // table
  table: 'shop.orders',
  // recordIdentifier
  recordIdentifier: {
    // recordIdentifier.name
    name: 'order_id',
    // recordIdentifier.attributes
    attributes: ['customer', 'number'],
    // recordIdentifier.types
    types: ['S', 'N'],
  },
  // items
  items: {
    // items.*.startsWith
    customer: startsWith('CUSTOMER#'),
    // items.*.equals
    kind: equals('order'),
    // items.*.oneOf
    state: oneOf(['open', 'sent', 'closed']),
    // items.*.exists
    placedAt: exists(),
  },
  // eventTime
  eventTime: {
    // eventTime.name
    name: 'changed_at',
    // eventTime.attribute
    attribute: 'changedAt',
  },
  // features
  features: {
    // features.*.attribute
    amount: fractional({ attribute: 'totalAmount' }),
    // features.*.path
    city: hashed(64, { path: ['address', 'city'] }),
    // features.*.description
    weight: fractional({ description: 'Weight of the parcel in kilograms' }),
    // features.*.personal
    birth_year: integral({ training: false, personal: true }),
    // features.*.optional
    gift: boolean({ optional: true }),
    // features.*.training
    refunded: boolean({ training: false }),
    // features.*.since
    voucher: boolean({ optional: true, since: 2 }),
    // features.*.derived
    mean: derived({ from: ['amount', 'pieces'], as: fractional(), compute: ofOne }),
    // features.*.imputeWith
    discount: fractional({ optional: true, imputeWith: 0.5 }),
    // features.*.min
    pieces: integral({ min: 1 }),
    // features.*.max
    stars: integral({ min: 1, max: 5 }),
    // features.*.categories
    channel: categorical(['web', 'shop', 'phone']),
    // features.*.attributeType
    floor: categorical([0, 1, 2]),
    // features.*.others
    brand: categorical(['own', 'known'], { others: true }),
    // features.*.encoding
    size: categorical(['small', 'middle', 'large'], { encoding: 'ordinal' }),
    // features.*.buckets
    product: hashed(128),
    // features.*.string
    note: string({ optional: true }),
    // features.*.timestamp
    placed_at: timestamp({ attribute: 'placedAt' }),
  },
  // label
  label: {
    // label.name
    name: 'returned',
    // label.attribute
    attribute: 'isReturned',
    // label.since
    since: 1,
    // label.values
    values: { 0: ['N', false], 1: ['Y', true] },
  },
  // onDelete
  onDelete: 'keep',
  // onTtlExpiry
  onTtlExpiry: 'keep',
  // trainingTime
  trainingTime: 'as-of-label',
  // description
  description: 'What customers of the shop have ordered',
  // owner
  owner: 'shop-data@example.org',
});

function ofOne({ amount, pieces }: { readonly amount: number; readonly pieces: number }): number {
  return amount / pieces;
}

const rest = { recordIdentifier: 'order_id', features: { amount: fractional() } };

export default [
  everyOption,
  defineFeatureGroup({
    ...{ ...rest, name: 'of-classes' },
    // label.classes
    label: { name: 'team', classes: ['billing', 'product', 'abuse'] },
  }),
  defineFeatureGroup({
    ...{ ...rest, name: 'of-numbers' },
    // label.type
    label: { name: 'hours', ...fractional() },
  }),
  defineFeatureGroup({
    ...{ ...rest, name: 'of-numbers-from' },
    // label.min
    label: { name: 'hours', ...fractional({ min: 0 }) },
  }),
  defineFeatureGroup({
    ...{ ...rest, name: 'of-numbers-to' },
    // label.max
    label: { name: 'hours', ...fractional({ max: 720 }) },
  }),
];
