import { createHash } from 'node:crypto';

/** Longest name of an execution. Source: StartExecution. */
const EXECUTION_NAME_MAX = 80;

/** Longest name of a training job, model or endpoint configuration. Source: CreateTrainingJob and its like. */
const RESOURCE_NAME_MAX = 63;

/** Hexadecimal digits of the hash that stands for what was cut off a name. */
const HASH_DIGITS = 8;

/**
 * Which model a transform job scores: the challenger, the champion, or the best that has served. As short as can be:
 * the job's name must begin with the endpoint's, uncut, or the permissions do not cover it.
 */
export type Scored = 'new' | 'old' | 'top';

/** What {@link resourceName} puts behind the base. */
const MADE_SUFFIX = /-e\d+-a\d+-[0-9a-z]+(-new|-old|-top)?$/;

/** Hexadecimal digits of a schema's hash, 64 bits: enough to tell the versions of a definition apart. It ends the name of the endpoint that answers by it. */
export const SCHEMA_HASH_DIGITS = 16;

const SCHEMA_SUFFIX = new RegExp(`-[0-9a-f]{${SCHEMA_HASH_DIGITS}}$`);

/** Production variant of every endpoint. AWS refuses a blue/green update that renames it. */
export const VARIANT = 'model';

/** Name of the endpoint that answers by a schema. @param base what names of the stack's endpoints begin with. */
export const endpointName = (base: string, schemaHash: string): string => `${base}-${schemaHash}`;

/** What {@link endpointName} has put the hash behind. */
export const baseOf = (endpoint: string): string => endpoint.replace(SCHEMA_SUFFIX, '');

/** Recognizes a stack's endpoints: one for each schema, and the one without a hash that version 0.1.0 made. */
export const isEndpointOf =
  (base: string) =>
  (name: string): boolean =>
    name === base || (SCHEMA_SUFFIX.test(name) && baseOf(name) === base);

/**
 * Name of the execution that trains an epoch. It says nothing but group, epoch and attempt, so that a second start of
 * the same attempt meets the first one's name and is refused.
 */
export function executionName(featureGroup: string, epoch: number, attempt: number): string {
  return nameWithin(EXECUTION_NAME_MAX, featureGroup, `-epoch-${epoch}-attempt-${attempt}`);
}

/**
 * Name of what one attempt makes: training job, transform jobs, model, endpoint configuration, and the training set's
 * prefix. The time of the claim is in it because names of training jobs are never free again, not even for a stack
 * made anew.
 *
 * @param base what names begin with: letters, digits and hyphens; an underscore becomes a hyphen.
 * @param scored of a transform job, the model that it scores.
 */
export function resourceName(
  base: string,
  epoch: number,
  attempt: number,
  claimedAtMs: number,
  scored?: Scored,
): string {
  const claimed = Math.floor(claimedAtMs / 1_000).toString(36);
  return withBase(base, `-e${epoch}-a${attempt}-${claimed}${scored === undefined ? '' : `-${scored}`}`);
}

/**
 * Recognizes the names that {@link resourceName} makes of a base, and no others: another stack's names may begin alike.
 */
export function isMadeOf(base: string): (name: string) => boolean {
  return (name) => {
    const [suffix] = MADE_SUFFIX.exec(name) ?? [];
    return suffix !== undefined && withBase(base, suffix) === name;
  };
}

/** Alarms of an endpoint configuration, of errors and of latency. */
export function alarmNames(endpointConfigName: string) {
  return { errorAlarmName: `${endpointConfigName}-errors`, latencyAlarmName: `${endpointConfigName}-latency` };
}

/** Recognizes the alarms of endpoint configurations that {@link resourceName} has named of a base. */
export function isAlarmOf(base: string): (alarmName: string) => boolean {
  const isMade = isMadeOf(base);
  return (alarmName) => isMade(/^(.+)-(errors|latency)$/.exec(alarmName)?.[1] ?? '');
}

const withBase = (base: string, suffix: string) => nameWithin(RESOURCE_NAME_MAX, base.replaceAll('_', '-'), suffix);

/** Base and suffix in at most `max` characters. A hash of the whole base stands for its end, so that two stay two. */
export function nameWithin(max: number, base: string, suffix = ''): string {
  if (base.length + suffix.length <= max) return base + suffix;
  const hash = createHash('sha256').update(base).digest('hex').slice(0, HASH_DIGITS);
  const kept = base.slice(0, max - suffix.length - hash.length - 1).replace(/[-_]+$/, '');
  return `${kept}-${hash}${suffix}`;
}
