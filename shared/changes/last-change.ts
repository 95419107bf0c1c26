import type { FeatureGroup } from '../definition/feature-group.ts';
import type { Change, TimedChange } from './change.ts';

/** Whether the change takes the record out of the online store. */
export function isDelete(group: FeatureGroup, change: Change): boolean {
  if (change.eventName === 'REPAIR_REMOVE') return true;
  return change.eventName === 'REMOVE' && (change.ttlExpired ? group.onTtlExpiry : group.onDelete) === 'delete';
}

/** Whether the change is a removal that the definition keeps from taking effect: the record stays as it was. */
export function isKept(group: FeatureGroup, change: Change): boolean {
  return change.eventName === 'REMOVE' && !isDelete(group, change);
}

/** Whether some removals have no effect, so that an item that is gone does not say what its record is. */
export function keepsRemoved({ onDelete, onTtlExpiry }: FeatureGroup): boolean {
  return onDelete === 'keep' || onTtlExpiry === 'keep';
}

/**
 * Whether every record's last change leaves a fence, and keeps it. Elsewhere the last seconds of a batch do. Where event
 * times come from the items, no clock bounds them; where removals are kept, only a fence tells how far a record has come
 * once its item is gone.
 */
export function fencesEveryRecord(group: FeatureGroup): boolean {
  return group.eventTime.attribute !== undefined || keepsRemoved(group);
}

/** The changes to write: the last per record that touches the online store, in stream order. */
export function lastChangePerRecord(group: FeatureGroup, changes: readonly TimedChange[]): TimedChange[] {
  const last = new Map<string, TimedChange>();
  for (const change of changes) {
    if (!isKept(group, change)) last.set(change.recordIdentifier, change);
  }
  return [...last.values()];
}
