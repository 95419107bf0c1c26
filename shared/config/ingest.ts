import { featureGroupSettings } from './feature-group.ts';
import { type ConfigOf, choice, type Environment, number, readConfig, text } from './variables.ts';

/** Settings of ingest, and of redrive, which writes to the same places. */
export const ingestSettings = {
  ...featureGroupSettings,
  changeLogStream: text('CHANGE_LOG_STREAM', 'name of the Firehose stream of the change log'),
  quarantineBucket: text('QUARANTINE_BUCKET', 'name of the quarantine bucket'),
  hazardWindowSeconds: number(
    'HAZARD_WINDOW_SECONDS',
    'first and last seconds of a batch whose records get a fence',
    { least: 0 },
    1,
  ),
  fences: choice(
    'FENCES',
    ['items', 'both', 'pages'],
    'pages: many fences in one item; items: one each, as in version 0.1.0; or both, while versions of either kind run',
    'pages',
  ),
  featureStoreConcurrency: number(
    'FEATURE_STORE_CONCURRENCY',
    'calls to Feature Store in flight at once',
    { least: 1 },
    16,
  ),
  featureStoreWriter: choice(
    'FEATURE_STORE_WRITER',
    ['direct', 'sdk'],
    'direct: the requests of the SDK, made of bytes; or sdk: its commands',
    'direct',
  ),
};

export type IngestConfig = ConfigOf<typeof ingestSettings>;

/** @throws Error as {@link readConfig}. */
export const ingestConfig = (environment?: Environment): IngestConfig => readConfig(ingestSettings, environment);
