import { boolean, categorical, defineFeatureGroup, fractional } from '../../shared/feature-groups/define.ts';

/** Parcels, and how many hours each one took. */
export default defineFeatureGroup({
  name: 'parcels',
  recordIdentifier: 'parcel_id',
  features: {
    kilometers: fractional({ min: 0 }),
    kilograms: fractional({ min: 0 }),
    service: categorical(['standard', 'express']),
    fragile: boolean(),
  },
  label: { name: 'hours', ...fractional({ min: 0 }) }, // a number, absent until the parcel has arrived
});
