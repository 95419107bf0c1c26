/**
 * The one description of a table that everything else is derived from: the decoder of stream records, the feature
 * group, the change log's columns, the training set's SQL, the encoder of prediction requests and the schema hash.
 *
 * No zod here: functions are bundled with definitions that are checked already, and every cold start loads this module.
 */

import type { FeatureOptions } from './schema.ts';

/** One feature, with every default filled in. */
export type Feature = FeatureOptions & { readonly name: string; readonly attribute: string };

/** A table described once. Made by `defineFeatureGroup` only. */
export interface FeatureGroup {
  readonly name: string;
  readonly table: string;
  readonly recordIdentifier: {
    readonly name: string;
    readonly attributes: readonly string[];
    readonly types: readonly ('S' | 'N')[];
  };
  readonly eventTime: { readonly name: string; readonly attribute?: string };
  /** In the order of the definition, which is the order of columns within one version. */
  readonly features: readonly Feature[];
  readonly label: { readonly name: string; readonly attribute: string };
  readonly onDelete: 'delete' | 'keep';
  readonly onTtlExpiry: 'delete' | 'keep';
  readonly trainingTime: 'latest' | 'as-of-label';
}

/** Names of a change log row's feature columns, label included, in their append-only order. */
export function columnsOf(group: FeatureGroup): { name: string; feature: Feature | 'label' }[] {
  const byVersion = [...group.features].sort((a, b) => a.since - b.since);
  const first = byVersion.filter((feature) => feature.since === 1);
  const later = byVersion.filter((feature) => feature.since > 1);
  return [
    ...first.map((feature) => ({ name: feature.name, feature })),
    { name: group.label.name, feature: 'label' as const },
    ...later.map((feature) => ({ name: feature.name, feature })),
  ];
}
