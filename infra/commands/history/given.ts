import { posix, resolve, sep } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { MARGIN_SECONDS_MIN } from '../../../shared/config/history.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { EXPORT_MARGIN_SECONDS, READING_MARGIN_SECONDS } from '../../../shared/history/dating.ts';
import { bucketPlace, folderPlace, type Place } from '../../../shared/history/places.ts';
import { readChain } from '../../../shared/history/run/exports.ts';
import type { Source } from '../../../shared/history/run/plan.ts';

/** What a person gives a backfill to read. It is kept as it is, so that the backfill can be taken up with nothing said. */
export type Given = GivenFiles | GivenScan;

/** The table itself. */
export interface GivenScan {
  readonly kind: 'scan';
  readonly segments: number;
  readonly readUnits: number;
  readonly marginSeconds: number;
}

export interface GivenFiles {
  readonly kind: 'export' | 'data-pipeline' | 'csv';
  /** `s3://` URIs, or absolute paths. */
  readonly locations: readonly string[];
  /** As of when, in epoch milliseconds; an export says so itself. */
  readonly asOfMs?: number;
  readonly marginSeconds: number;
}

/** What is to be read, and where it lies. */
export interface Found {
  readonly place: Place;
  readonly sources: readonly Source[];
  /** Manifests that no checksum lies beside. */
  readonly unverified: readonly string[];
}

/**
 * Least margin, in seconds: an export's clock may be off by a minute, and the one of who scans by less. An environment
 * whose clocks are one, as those of a local cloud are, says so by this variable.
 */
const MARGIN_MIN = { export: MARGIN_SECONDS_MIN, scan: READING_MARGIN_SECONDS };
const CLOCKS_AGREE = 'TRIBUTARY_CLOCKS_AGREE';

const S3 = /^s3:\/\/([^/]+)\/?(.*)$/;

/** An absolute path or a URI, whichever was given. */
const locationOf = (text: string): string => (S3.test(text) ? text : resolve(text));

/** Options that say what is to be read. */
export interface Asked {
  readonly export?: readonly string[];
  readonly scan?: true;
  readonly segments: number;
  readonly readUnits: number;
  readonly dataPipeline?: string;
  readonly csv?: string;
  readonly asOf?: string;
  readonly clockMargin?: number;
}

/** What is to be read, of the options. @throws Error with one sentence when they do not say it. */
export function givenOf(asked: Asked): Given {
  const { dataPipeline, csv, asOf, scan, segments, readUnits } = asked;
  const kinds = [
    ...(asked.export === undefined ? [] : [{ kind: 'export' as const, locations: asked.export }]),
    ...(dataPipeline === undefined ? [] : [{ kind: 'data-pipeline' as const, locations: [dataPipeline] }]),
    ...(csv === undefined ? [] : [{ kind: 'csv' as const, locations: [csv] }]),
    ...(scan ? [{ kind: 'scan' as const, locations: [] }] : []),
  ];
  const [what] = kinds;
  if (!what || kinds.length > 1) {
    throw new Error('Give what to read by one of --export, --export-to, --scan, --data-pipeline and --csv.');
  }
  const isScan = what.kind === 'scan';
  const marginSeconds = asked.clockMargin ?? (isScan ? READING_MARGIN_SECONDS : EXPORT_MARGIN_SECONDS);
  const least = isScan ? MARGIN_MIN.scan : MARGIN_MIN.export;
  if (marginSeconds < least && process.env[CLOCKS_AGREE] !== '1') {
    throw new Error(
      `--clock-margin: found "${marginSeconds}", expected ${least} at least: clocks of AWS differ. Where all clocks are one, set ${CLOCKS_AGREE}=1.`,
    );
  }
  const saysItself = isScan || what.kind === 'export';
  if (saysItself !== (asOf === undefined)) {
    throw new Error(
      saysItself ? `--${what.kind} says as of when it is: leave --as-of out.` : `--${what.kind} needs --as-of.`,
    );
  }
  if (isScan) return { kind: 'scan', segments, readUnits, marginSeconds };
  const asOfMs = asOf === undefined ? undefined : timeOf(asOf);
  const locations = what.locations.map(locationOf);
  return { kind: what.kind, locations, marginSeconds, ...(asOfMs !== undefined && { asOfMs }) };
}

function timeOf(text: string): number {
  const ms = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms) && ms <= Date.now()) return ms;
  throw new Error(`--as-of: found "${text}", expected a time that has been, such as 2026-11-26T12:00:00Z.`);
}

/** Files that tell of others, in a folder of a Data Pipeline export. */
const NOT_ITEMS = /(^|\/)(manifest|_SUCCESS|\.[^/]*)$/;

/**
 * Finds what was given, and reads the manifests of exports.
 *
 * @throws Error with one sentence when something is not there, or wrong.
 */
export async function findGiven(given: GivenFiles, group: FeatureGroup, s3: Pick<S3Client, 'send'>): Promise<Found> {
  const { kind, locations, asOfMs = 0 } = given;
  const { place, keys } = placeOf(kind, locations, s3);
  if (kind === 'export') {
    return { place, ...(await readChain(place, keys, group)) };
  }
  const files = kind === 'csv' ? keys : await keysUnder(place, keys[0] ?? '');
  if (files.length === 0) throw new Error(`${locations[0]} holds no files.`);
  const source = { form: kind, asOfMs, files: files.map((key) => ({ key, name: place.nameOf(key) })) };
  return { place, sources: [source], unverified: [] };
}

async function keysUnder(place: Place, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of place.keys(prefix)) if (!NOT_ITEMS.test(key)) keys.push(key);
  return keys.sort();
}

/** Keys of an export begin at the root of its bucket, which on a disk is the root. */
function placeOf(kind: GivenFiles['kind'], locations: readonly string[], s3: Pick<S3Client, 'send'>) {
  const uris = locations.map((location) => S3.exec(location));
  const buckets = new Set(uris.map((uri) => uri?.[1]));
  if (buckets.size !== 1)
    throw new Error('Exports of one chain lie in one bucket, or all on this machine: copy them together.');
  const [bucket] = buckets;
  if (bucket !== undefined) return { place: bucketPlace(s3, bucket), keys: uris.map((uri) => uri?.[2] ?? '') };
  if (kind === 'data-pipeline') return { place: folderPlace(locations[0] ?? ''), keys: [''] };
  const root = posix.sep === sep ? '/' : (/^[^\\/]*[\\/]/.exec(locations[0] ?? '')?.[0] ?? '');
  return { place: folderPlace(root), keys: locations.map((path) => path.slice(root.length).split(sep).join('/')) };
}
