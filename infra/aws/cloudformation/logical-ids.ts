/** Logical ids that more than one part of the template needs: of what osls makes, and of what refers to each other. */

/**
 * Functions whose new versions take over step by step. The others are called by hand or by the state machine, seldom,
 * and are replaced at once.
 */
export const SHIFTED = ['ingest', 'predict'] as const;
export type ShiftedFunction = (typeof SHIFTED)[number];

/** The alias that triggers and URLs call. CodeDeploy moves it from one version to the next. */
export const LIVE_ALIAS = 'live';

/** That osls gives a function. */
export const functionLogicalId = (name: string): string => `${capitalized(name)}LambdaFunction`;

/** That osls gives the event source mapping of ingest. */
export const ingestMapping = ({ mappingName }: { readonly mappingName: string }): string =>
  `IngestEventSourceMappingDynamodb${capitalized(mappingName)}`;

export const aliasLogicalId = (name: ShiftedFunction): string => `${capitalized(name)}LiveAlias`;

export const groupLogicalId = (name: ShiftedFunction): string => `${capitalized(name)}DeploymentGroup`;

/** Of an alarm: `ingest-behind` is IngestBehindAlarm. */
export const alarmLogicalId = (name: string): string => `${name.split('-').map(capitalized).join('')}Alarm`;

function capitalized(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}
