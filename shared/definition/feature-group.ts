/**
 * The one description of a table that everything else is derived from: the decoder of stream records, the feature
 * group, the change log's columns, the training set's SQL, the encoder of prediction requests and the schema hash.
 *
 * No zod here: functions are bundled with definitions that are checked already, and every cold start loads this module.
 */

import type { ItemPlace } from './item-path.ts';
import type { ClassName, FeatureOptions, Held, ItemCondition } from './schema.ts';

/** One feature, with every default filled in. */
export type Feature = FeatureOptions & ItemPlace & { readonly name: string };

/** What a model is to predict. */
export interface Label {
  readonly name: string;
  readonly attribute: string;
  /** Version of the definition that brought the label, which is its place among the columns. */
  readonly since: number;
  /** How the application spells the classes 0 and 1, where that is not N or BOOL. */
  readonly values?: Readonly<Record<'0' | '1', readonly Held[]>> | undefined;
  /** How the application spells the classes of a label of several, in the order of their numbers from 0. */
  readonly classes?: readonly ClassName[] | undefined;
  /** Of a label that is a number, with its inclusive bounds. */
  readonly type?: 'fractional' | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** A table described once. Made by `defineFeatureGroup` only. */
export interface FeatureGroup {
  readonly name: string;
  /** One line on the table, and who answers for it. */
  readonly description?: string | undefined;
  readonly owner?: string | undefined;
  readonly table: string;
  readonly recordIdentifier: {
    readonly name: string;
    readonly attributes: readonly string[];
    readonly types: readonly ('S' | 'N')[];
  };
  readonly eventTime: { readonly name: string; readonly attribute?: string };
  /** Which items are records: those of which all conditions hold. Without conditions, all of them. */
  readonly items?: readonly ItemCondition[];
  /** In the order of the definition, which is the order of columns within one version. */
  readonly features: readonly Feature[];
  /** What a model is to predict; without one, the stores are filled and nothing is trained. */
  readonly label?: Label;
  readonly onDelete: 'delete' | 'keep';
  readonly onTtlExpiry: 'delete' | 'keep';
  readonly trainingTime: 'latest' | 'as-of-label';
}

/** Names of a change log row's feature columns, label included, in their append-only order. */
export function columnsOf(group: FeatureGroup): { name: string; feature: Feature | 'label' }[] {
  const { label } = group;
  const columns = [...group.features]
    .sort((a, b) => a.since - b.since)
    .map((feature) => ({ name: feature.name, feature }));
  if (!label) return columns;
  const before = columns.filter(({ feature }) => feature.since <= label.since).length;
  return [...columns.slice(0, before), { name: label.name, feature: 'label' as const }, ...columns.slice(before)];
}

/** Why nothing of the retraining is there for a definition without a label. */
export const withoutLabel = ({ name }: Pick<FeatureGroup, 'name'>): string =>
  `The definition ${name} has no label, so no model is trained of it: give it one, such as label: { name: 'returned' }.`;

/** The label of a definition that is trained by. @throws Error when there is none. */
export function labelOf(group: FeatureGroup): Label {
  if (!group.label) throw new Error(withoutLabel(group));
  return group.label;
}
