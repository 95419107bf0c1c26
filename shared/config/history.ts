import { featureGroupSettings } from './feature-group.ts';
import { type ConfigOf, type Environment, number, readConfig, text } from './variables.ts';

/**
 * Bounds of the margin on AWS, in seconds: clocks may differ by a minute, and an export has to wait for twice the margin.
 * Where all clocks are one, as in the local cloud, it may be less. Source: DynamoDB guide, "Requesting a table export in
 * DynamoDB".
 */
export const MARGIN_SECONDS_MIN = 61;
export const MARGIN_SECONDS_MAX = 3_600;

/** Settings of the function that works for the state machine of a backfill. */
export const historySettings = {
  ...featureGroupSettings,
  dataBucket: text('DATA_BUCKET', 'name of the data bucket'),
  quarantineBucket: text('QUARANTINE_BUCKET', 'name of the quarantine bucket'),
  marginSeconds: number(
    'BACKFILL_MARGIN_SECONDS',
    'seconds by which the clocks of export, stream and functions may differ',
    { least: 1, most: MARGIN_SECONDS_MAX },
    300,
  ),
};

export type HistoryConfig = ConfigOf<typeof historySettings>;

/** @throws Error as {@link readConfig}. */
export const historyConfig = (environment?: Environment): HistoryConfig => readConfig(historySettings, environment);
