import { boolean, categorical, defineFeatureGroup, fractional } from '../../shared/feature-groups/define.ts';

/** Tickets of a help desk, and the team that solved each one. */
export default defineFeatureGroup({
  name: 'tickets',
  recordIdentifier: 'ticket_id',
  features: {
    words: fractional({ min: 0 }),
    account_days: fractional({ min: 0 }),
    channel: categorical(['mail', 'chat', 'phone']),
    paying: boolean(),
  },
  label: { name: 'team', classes: ['billing', 'product', 'abuse'] }, // as the application spells them
});
