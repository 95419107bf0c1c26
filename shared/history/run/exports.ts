import type { FeatureGroup } from '../../definition/feature-group.ts';
import { chainOf } from '../chain.ts';
import { readExport } from '../manifest.ts';
import type { Place } from '../places.ts';
import { type Source, sourceOfExport } from './plan.ts';

/** Exports that a backfill reads, as its item in the state table has them. */
export interface GivenExports {
  readonly kind: 'export';
  /** `s3://` URIs, or absolute paths; none while an export of the backfill's own is not there. */
  readonly locations: readonly string[];
  /** How far clocks may differ. */
  readonly marginSeconds: number;
  /** An export that was requested and is not complete, and how many have failed before it. */
  readonly requested?: { readonly arn: string; readonly folder: string };
  readonly failures?: number;
}

/**
 * Reads the manifests of exports, and puts them into their order.
 *
 * @param keys their folders.
 * @returns what is to be read, and manifests that no checksum lies beside.
 * @throws Error with one sentence when something is not there, or wrong.
 */
export async function readChain(
  place: Place,
  keys: readonly string[],
  group: FeatureGroup,
): Promise<{ sources: Source[]; unverified: string[] }> {
  const exports = await Promise.all(keys.map((key) => readExport(place, key)));
  const chain = chainOf(exports, group.table);
  return {
    sources: chain.map((it) => sourceOfExport(it, place)),
    unverified: chain.flatMap((it) => it.unverified),
  };
}
