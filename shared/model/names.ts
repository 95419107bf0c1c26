import { createHash } from 'node:crypto';

/** Longest name of an execution. Source: StartExecution. */
const EXECUTION_NAME_MAX = 80;

/** Longest name of a training job, model or endpoint configuration. Source: CreateTrainingJob and its like. */
const RESOURCE_NAME_MAX = 63;

/** Hexadecimal digits of the hash that stands for what was cut off a name. */
const HASH_DIGITS = 8;

/**
 * Name of the execution that trains an epoch. It says nothing but group, epoch and attempt, so that a second start of
 * the same attempt meets the first one's name and is refused.
 */
export function executionName(featureGroup: string, epoch: number, attempt: number): string {
  return nameWithin(EXECUTION_NAME_MAX, featureGroup, `-epoch-${epoch}-attempt-${attempt}`);
}

/**
 * Name of what one attempt makes: training job, model, endpoint configuration, and the training set's prefix. The time
 * of the claim is in it because names of training jobs are never free again, not even for a stack made anew.
 *
 * @param purpose of one of several things of a kind that the attempt makes.
 * @param base what names begin with: letters, digits and hyphens; an underscore becomes a hyphen.
 */
export function resourceName(
  base: string,
  epoch: number,
  attempt: number,
  claimedAtMs: number,
  purpose?: string,
): string {
  const claimed = Math.floor(claimedAtMs / 1_000).toString(36);
  return nameWithin(
    RESOURCE_NAME_MAX,
    base.replaceAll('_', '-'),
    `-e${epoch}-a${attempt}-${claimed}${purpose === undefined ? '' : `-${purpose}`}`,
  );
}

function nameWithin(max: number, base: string, suffix: string): string {
  if (base.length + suffix.length <= max) return base + suffix;
  const hash = createHash('sha256').update(base).digest('hex').slice(0, HASH_DIGITS);
  const kept = base.slice(0, max - suffix.length - hash.length - 1).replace(/[-_]+$/, '');
  return `${kept}-${hash}${suffix}`;
}
