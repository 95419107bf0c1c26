import { type ConfigOf, type Environment, flag, readConfig, text } from './variables.ts';

/** Settings of the rehearsal of a new version of ingest. */
export const rehearseSettings = {
  sourceStreamArn: text('SOURCE_STREAM_ARN', 'ARN of the stream that ingest reads'),
  ingestFunction: text('INGEST_FUNCTION', 'name of the function ingest'),
  newVersion: text('NEW_VERSION', 'ARN of the version of ingest that is to take over'),
  acceptDifferences: flag('ACCEPT_DIFFERENCES', 'whether the new version is meant to write something else'),
};

export type RehearseConfig = ConfigOf<typeof rehearseSettings>;

/** @throws Error as {@link readConfig}. */
export const rehearseConfig = (environment?: Environment): RehearseConfig => readConfig(rehearseSettings, environment);
