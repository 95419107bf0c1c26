import {
  boolean,
  categorical,
  defineFeatureGroup,
  fractional,
  integral,
  string,
} from '../../shared/feature-groups/define.ts';

/** Orders of a shop, and whether each one came back. */
export default defineFeatureGroup({
  name: 'orders', // the feature group; also the table, unless `table` names another
  recordIdentifier: { name: 'order_id', attributes: ['pk', 'sk'] },
  features: {
    amount: fractional({ min: 0 }),
    items: integral({ attribute: 'itemCount' }),
    channel: categorical(['web', 'shop', 'phone']),
    express: boolean(),
    discount: fractional({ optional: true, imputeWith: 0 }),
    note: string({ optional: true }),
  },
  label: { name: 'returned' }, // 0 or 1, absent until it is known
});
