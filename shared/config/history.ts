import { featureGroupSettings } from './feature-group.ts';
import { type ConfigOf, type Environment, number, readConfig, text } from './variables.ts';

/** Longest margin, in seconds: an export would have to wait for twice as long. */
const MARGIN_SECONDS_MAX = 3_600;

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
