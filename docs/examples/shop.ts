import {
  boolean,
  categorical,
  defineFeatureGroup,
  derived,
  equals,
  fractional,
  hashed,
  integral,
  startsWith,
  timestamp,
} from '../../shared/feature-groups/define.ts';

/** Orders in a shop's single table, beside its profiles and products, and whether each one came back. */
export default defineFeatureGroup({
  name: 'shop-orders',
  table: 'shop',
  recordIdentifier: { name: 'order_id', attributes: ['pk', 'sk'] },
  // A profile has the same partition key, and a product another entity: both are skipped.
  items: { sk: startsWith('ORDER#'), entity: equals('order') },
  features: {
    total: fractional({ min: 0 }),
    pieces: integral({ min: 1 }),
    // Stored like any other feature, and computed by the same function for a prediction.
    unit_price: derived({
      from: ['total', 'pieces'],
      as: fractional(),
      compute: ({ total, pieces }: { total: number; pieces: number }) => total / pieces,
    }),
    city: categorical(['Graz', 'Linz', 'Wien'], { path: ['address', 'city'], others: true }),
    first_product: hashed(16, { path: ['lines', 0, 'product'], optional: true }),
    ordered_at: timestamp({ attribute: 'orderedAt' }),
    express: boolean({ optional: true }),
  },
  label: { name: 'returned', values: { 0: ['N'], 1: ['Y'] } },
});
