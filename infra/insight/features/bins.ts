import type { Feature } from '../../../shared/definition/feature-group.ts';
import { FIRST_DAY_SECOND, SECONDS_PER_DAY } from '../../../shared/model/encode.ts';

/** Most buckets of a hashed feature that are told apart: more are no picture. */
const BUCKETS_SHOWN = 64;

/** Name of the bin of all categories that the definition does not name. */
const OTHERS = 'others';

/** What a feature's values are dealt into. */
export type Bins =
  /** Of numbers: below the first edge, between each two, and from the last on. */
  | { readonly of: 'numbers'; readonly edges: readonly number[] }
  | { readonly of: 'categories'; readonly categories: readonly string[]; readonly others: boolean }
  | { readonly of: 'booleans' }
  | { readonly of: 'buckets'; readonly buckets: number }
  /** Texts, which nobody learns from. */
  | { readonly of: 'nothing' };

/** The bins of a feature. @param edges of its numbers. */
export function binsOf(feature: Feature, edges: readonly number[]): Bins {
  switch (feature.type) {
    case 'categorical':
      return { of: 'categories', categories: feature.categories, others: feature.others ?? false };
    case 'boolean':
      return { of: 'booleans' };
    case 'hashed':
      return feature.buckets > BUCKETS_SHOWN ? { of: 'nothing' } : { of: 'buckets', buckets: feature.buckets };
    case 'string':
      return { of: 'nothing' };
    default:
      return { of: 'numbers', edges };
  }
}

/** Names of the bins, in their order. */
export function binNames(bins: Bins, { type }: Feature): string[] {
  switch (bins.of) {
    case 'numbers': {
      const texts = bins.edges.map((edge) => (type === 'timestamp' ? dayOf(edge) : String(edge)));
      if (texts.length === 0) return ['all'];
      return texts.flatMap((text, index) => {
        const below = index === 0 ? `below ${text}` : `${texts[index - 1]} to ${text}`;
        return index === texts.length - 1 ? [below, `from ${text}`] : [below];
      });
    }
    case 'categories':
      return [...bins.categories, ...(bins.others ? [OTHERS] : [])];
    case 'booleans':
      return ['false', 'true'];
    case 'buckets':
      return Array.from({ length: bins.buckets }, (_, bucket) => `#${bucket}`);
    case 'nothing':
      return [];
  }
}

/** A time as trainings have it, in days, as text. */
const dayOf = (days: number): string => {
  const ms = (FIRST_DAY_SECOND + days * SECONDS_PER_DAY) * 1_000;
  return Number.isFinite(new Date(ms).getTime()) ? new Date(ms).toISOString().slice(0, 16) : String(days);
};
