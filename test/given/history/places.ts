import fc from 'fast-check';
import { columnsOf } from '../../../shared/definition/feature-group.ts';
import type { LoggedRecord, OnlineRecord, TableRecord } from '../../../shared/history/reconcile/stores.ts';
import orders from '../../fixtures/feature-groups/orders.ts';
import type { Held } from './stores-in-memory.ts';

/** Records of orders in versions, as table, online store and change log may have them. */

export const group = { ...orders, onTtlExpiry: 'delete' as const };

const textsOf = (version: number): (string | null)[] =>
  columnsOf(group).map(({ name }) => (name === 'discount' ? null : `${name} ${version}`));
export const item = (id: string, version: number): TableRecord => ({ id, texts: textsOf(version) });
export const onlineOf = (version: number, at = version): OnlineRecord => ({
  texts: textsOf(version),
  eventTime: `2026-01-01T00:00:${String(at).padStart(2, '0')}.000Z`,
});
export const loggedOf = (version: number, eventName = 'MODIFY'): LoggedRecord => ({
  ...{ ...onlineOf(version), sequenceNumber: String(version), eventName },
  isRemoved: eventName.endsWith('REMOVE'),
});

/** Everything a store may have of a record: nothing, or one of two versions. */
export const anyPlaces = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
  fc.record({
    table: fc.option(fc.constantFrom(1, 2)),
    online: fc.option(fc.constantFrom(1, 2)),
    logged: fc.option(fc.constantFrom(1, 2, -1)),
  }),
);

export function heldOf(
  places: Readonly<Record<string, { table: number | null; online: number | null; logged: number | null }>>,
): Held {
  const entries = Object.entries(places);
  const map = <T>(of: (place: (typeof entries)[number][1], id: string) => T | undefined) =>
    new Map(entries.flatMap(([id, place]) => (of(place, id) === undefined ? [] : [[id, of(place, id) as T] as const])));
  const table = map(({ table: version }, id) => (version === null ? undefined : item(id, version)));
  const online = map((it) => (it.online === null ? undefined : onlineOf(it.online)));
  const logged = map(({ logged: version }) => {
    if (version === null) return undefined;
    return version < 0 ? loggedOf(3, 'REMOVE') : loggedOf(version);
  });
  return { table: () => table, online: () => online, logged: () => logged };
}
