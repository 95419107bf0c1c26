import { featureGroupSettings } from './feature-group.ts';
import { type ConfigOf, type Environment, number, readConfig, text } from './variables.ts';

/** Settings of the check of the online store. */
export const compareSettings = {
  ...featureGroupSettings,
  ingestFunction: text('INGEST_FUNCTION', 'name of the function ingest'),
  reconcileSample: number(
    'RECONCILE_SAMPLE',
    'records that the daily check compares',
    { least: 1, most: 100_000 },
    3_000,
  ),
};

export type CompareConfig = ConfigOf<typeof compareSettings>;

/** @throws Error as {@link readConfig}. */
export const compareConfig = (environment?: Environment): CompareConfig => readConfig(compareSettings, environment);
