import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import {
  boolean,
  categorical,
  defineFeatureGroup,
  equals,
  fractional,
  integral,
  string,
} from '../../../shared/feature-groups/define.ts';
import type { FenceForm } from '../../../shared/state/fences/forms.ts';
import type { ConditionsInBatches } from '../aws/dynamodb.ts';
import type { TieRule, TombstoneRules } from '../aws/feature-store.ts';
import { KEY_KINDS, type KeyKind, recordIdentifierOf } from './keys.ts';
import type { Random } from './random.ts';

/** What one seed's world is like. */
export interface Profile {
  /** 0: nothing goes wrong; 1: the worst. */
  readonly intensity: number;
  readonly group: FeatureGroup;
  readonly tieRule: TieRule;
  readonly tombstones: TombstoneRules;
  readonly keys: KeyKind;
  /** Whether the children of a shard number their records from anywhere, and not from above it. */
  readonly numbersBeginAnew: boolean;
  readonly records: number;
  readonly changes: number;
  readonly batchSize: number;
  readonly batchWindowMs: number;
  readonly bisect: boolean;
  /** -1: no limit. */
  readonly retriesMax: number;
  readonly maximumAgeMs: number;
  /** How far two records of a shard may be out of step, which is what ingest is configured to expect. */
  readonly hazardSeconds: number;
  readonly featureStoreConcurrency: number;
  readonly featureStoreWriter: 'direct' | 'sdk';
  /** The forms of fences that the versions of ingest and redrive have which run at once, from one time to the next. */
  readonly fences: readonly (readonly FenceForm[])[];
  readonly conditionsInBatches: ConditionsInBatches;
  /** Of ingest. A short one makes invocations stop for want of time, and answer. */
  readonly timeoutMs: number;
  readonly labelsThreshold: number;
  readonly labelsPerClassMin: number;
  readonly coolDownSeconds: number;
  /** Hours for which nothing is invoked, in the middle of the run. */
  readonly outageHours: number;
  /** Digits of the first sequence number. It grows into the next length in the middle of the run. */
  readonly sequenceDigits: number;
}

export const CATEGORIES = ['free', 'team', 'enterprise'];
export const KIND = 'account';
export const KIND_ATTRIBUTE = 'kind';
export const TIMESTAMP_ATTRIBUTE = 'updated_at';

/** A table with a feature of every type. `version` is written anew by every write, so that a state is told by it. */
function groupOf(options: {
  keys: KeyKind;
  ownTimestamp: boolean;
  otherKinds: boolean;
  onDelete: 'delete' | 'keep';
  onTtlExpiry: 'delete' | 'keep';
}) {
  return defineFeatureGroup({
    name: 'accounts',
    recordIdentifier: recordIdentifierOf(options.keys),
    ...(options.ownTimestamp && { eventTime: { attribute: TIMESTAMP_ATTRIBUTE } }),
    ...(options.otherKinds && { items: { [KIND_ATTRIBUTE]: equals(KIND) } }),
    features: {
      version: integral({ min: 0 }),
      amount: fractional(),
      plan: categorical(CATEGORIES),
      active: boolean(),
      note: string({ optional: true }),
      score: integral({ optional: true }),
    },
    label: { name: 'churned' },
    onDelete: options.onDelete,
    onTtlExpiry: options.onTtlExpiry,
  });
}

/** From version 0.1.0 to pages, each step while the version before it still runs; and the way back. */
const MIGRATION: Profile['fences'] = [
  ['items'],
  ['items', 'both'],
  ['both'],
  ['both', 'pages'],
  ['pages'],
  ['pages', 'both'],
  ['both'],
  ['both', 'items'],
];

/** Draws a world: some are calm, some are hell, and each has its own sizes, limits and definition. */
export function drawProfile(random: Random, changes: number): Profile {
  const intensity = random.pick([0, 0.1, 0.3, 0.3, 0.6, 1]);
  const bounded = intensity > 0 && random.chance(0.6);
  const keys = random.pick(KEY_KINDS);
  return {
    intensity,
    keys,
    group: groupOf({
      keys,
      ownTimestamp: random.chance(0.3),
      otherKinds: random.chance(0.3),
      onDelete: random.chance(0.75) ? 'delete' : 'keep',
      onTtlExpiry: random.chance(0.65) ? 'delete' : 'keep',
    }),
    tieRule: random.pick(['greater', 'equal-or-later'] as const),
    tombstones: { keepEventTime: random.chance(0.85), ofAbsent: random.chance(0.7) },
    numbersBeginAnew: random.chance(0.15),
    records: random.pick([3, 10, 40, 200]),
    changes,
    batchSize: random.pick([1, 3, 10, 40, 150, 1_000]),
    batchWindowMs: random.pick([0, 1_000, 1_000, 5_000]),
    bisect: random.chance(0.7),
    retriesMax: bounded ? random.integer(0, 4) : -1,
    maximumAgeMs: bounded && random.chance(0.5) ? random.integer(60, 3_600) * 1_000 : Number.POSITIVE_INFINITY,
    hazardSeconds: random.pick([0, 1, 1, 1, 2, 5]),
    featureStoreConcurrency: random.pick([1, 4, 16]),
    timeoutMs: random.pick([120_000, 120_000, 15_000, 6_000]),
    labelsThreshold: random.integer(2, 30),
    labelsPerClassMin: random.integer(0, 3),
    coolDownSeconds: random.pick([0, 600, 3_600]),
    outageHours: random.chance(0.03) ? random.integer(1, 30) : 0,
    sequenceDigits: random.integer(21, 30),
    featureStoreWriter: random.pick(['direct', 'sdk'] as const),
    conditionsInBatches: random.chance(0.8) ? 'taken' : random.pick(['refused each', 'refused whole'] as const),
    fences: random.chance(0.7) ? [['pages']] : MIGRATION,
  };
}
