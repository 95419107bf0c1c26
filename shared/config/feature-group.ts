import { text } from './variables.ts';

/** Settings of every function that serves a definition: which one, and where its state is. */
export const featureGroupSettings = {
  featureGroup: text('FEATURE_GROUP', 'name of a definition in shared/feature-groups, or path of a definition file'),
  stateTable: text('STATE_TABLE', 'name of the state table'),
};
