import type { FeatureGroup } from '../definition/feature-group.ts';
import type { TimedChange } from './change.ts';

/** Whether the change takes the record out of the online store. */
export function isDelete(group: FeatureGroup, change: TimedChange): boolean {
  if (change.eventName !== 'REMOVE') return false;
  return (change.ttlExpired ? group.onTtlExpiry : group.onDelete) === 'delete';
}

/** The changes to write: the last per record that touches the online store, in stream order. */
export function lastChangePerRecord(group: FeatureGroup, changes: readonly TimedChange[]): TimedChange[] {
  const last = new Map<string, TimedChange>();
  for (const change of changes) {
    if (change.eventName !== 'REMOVE' || isDelete(group, change)) last.set(change.recordIdentifier, change);
  }
  return [...last.values()];
}
