import type { AttributeValue } from '../../shared/changes/attribute-value.ts';
import type { Change, TimedChange } from '../../shared/changes/change.ts';
import {
  boolean,
  categorical,
  defineFeatureGroup,
  fractional,
  integral,
  string,
} from '../../shared/feature-groups/define.ts';

/** Builders are valid by default: a test shows only what differs. */

/** A feature group with a feature of every type, required and optional. */
export const accounts = defineFeatureGroup({
  name: 'accounts',
  recordIdentifier: 'account_id',
  features: {
    logins: integral({ min: 0 }),
    balance: fractional({ min: -1_000_000, max: 1_000_000 }),
    plan: categorical(['free', 'team', 'enterprise']),
    active: boolean(),
    note: string({ optional: true }),
    score: integral({ optional: true }),
  },
  label: { name: 'churned' },
});

export const FIRST_SECOND = 1_760_000_000;

type Item = Record<string, AttributeValue>;

export function accountItem(overrides: Record<string, AttributeValue | undefined> = {}): Item {
  const item: Record<string, AttributeValue | undefined> = {
    account_id: { S: 'a-1' },
    logins: { N: '3' },
    balance: { N: '12.50' },
    plan: { S: 'team' },
    active: { BOOL: true },
    ...overrides,
  };
  return Object.fromEntries(Object.entries(item).filter((entry): entry is [string, AttributeValue] => !!entry[1]));
}

export interface StreamRecordOptions {
  readonly eventName?: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly sequenceNumber?: string;
  readonly second?: unknown;
  readonly after?: Item | undefined;
  readonly before?: Item | undefined;
  readonly userIdentity?: object;
}

/** A stream record of `accounts` in the shape of a Lambda event. Without images of its own: an INSERT of an account. */
export function streamRecord(options: StreamRecordOptions = {}) {
  const { eventName = 'INSERT', sequenceNumber = '100000000000000000001', second = FIRST_SECOND } = options;
  const after = eventName === 'REMOVE' ? undefined : 'after' in options ? options.after : accountItem();
  const before = eventName === 'INSERT' ? undefined : 'before' in options ? options.before : accountItem();
  const key = (after ?? before ?? accountItem()).account_id;
  return {
    eventID: `event-${sequenceNumber}`,
    eventName,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    eventSourceARN: 'arn:aws:dynamodb:us-east-1:000000000000:table/accounts/stream/2026-01-01T00:00:00.000',
    dynamodb: {
      ApproximateCreationDateTime: second,
      Keys: { account_id: key },
      ...(after && { NewImage: after }),
      ...(before && { OldImage: before }),
      SequenceNumber: sequenceNumber,
      SizeBytes: 100,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
    ...(options.userIdentity && { userIdentity: options.userIdentity }),
  };
}

/** A change of an account, as decoding makes it. */
export function change(overrides: Partial<Change> = {}): Change {
  return {
    eventName: 'INSERT',
    sequenceNumber: '100000000000000000001',
    recordIdentifier: 'a-1',
    second: FIRST_SECOND,
    ttlExpired: false,
    values: ['3', '12.50', 'team', '1', undefined, undefined, undefined],
    newLabel: undefined,
    ...overrides,
  };
}

export function timedChange(overrides: Partial<TimedChange> = {}): TimedChange {
  return { ...change(overrides), eventTimeMs: overrides.eventTimeMs ?? FIRST_SECOND * 1_000 };
}
