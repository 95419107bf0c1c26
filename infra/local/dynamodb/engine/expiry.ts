import type { AttributeValue } from './image.ts';
import { EVERYTHING, type Store } from './store.ts';

/** An item that expired longer ago is never deleted, in seconds. Source: developer guide, time to live: five years. */
const EXPIRY_AGE_MAX_SECONDS = 5 * 365 * 86_400;

/** Deletes what has expired, as DynamoDB's own time to live does. @returns how many items. */
export function deleteExpired(store: Store, nowSeconds = Math.floor(Date.now() / 1_000)): number {
  let deleted = 0;
  for (const table of store.tables()) {
    const attribute = table.settings.timeToLive;
    if (attribute === undefined) continue;
    const expired = [...store.items(table, EVERYTHING)].filter(({ item }) => isExpired(item[attribute], nowSeconds));
    for (const { key } of expired) store.write(table, key, store.get(table, key), undefined, true);
    deleted += expired.length;
  }
  return deleted;
}

function isExpired(value: AttributeValue | undefined, nowSeconds: number): boolean {
  const at = Number(value?.N ?? Number.NaN);
  return at <= nowSeconds && at >= nowSeconds - EXPIRY_AGE_MAX_SECONDS;
}
