import { expect, test } from 'vitest';
import { keepsRemoved } from '../../shared/changes/last-change.ts';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import { type Cause, causeOf, type Side } from '../../shared/history/reconcile/cause.ts';
import { differencesOf, type Places, placesOf } from './judge/reconciled.ts';
import { leftOf } from './simulate.ts';
import { World } from './world/world.ts';

const SEEDS = 8;
const CHANGES = 400;

const OTHER = 'planted';

/** A way in which a place can be wrong: what is done to the places of a record, and what of it is to be found, and why. */
interface Planted {
  readonly plant: (places: Places, id: string) => void;
  readonly sides: readonly Side[];
  readonly cause: Cause;
  /** It is found of a record that is in one place only, under a name of its own. */
  readonly id?: string;
}

const both: readonly Side[] = ['change log', 'online store'];

const changed = <T extends { readonly texts: readonly (string | null)[] | undefined }>(it: T | undefined): T =>
  ({ ...it, texts: it?.texts?.with(1, OTHER) }) as T;

const KINDS: Readonly<Record<string, Planted>> = {
  'taken offline': {
    plant: ({ online }, id) => online.delete(id),
    ...{ sides: ['online store'], cause: 'not online' },
  },
  'another online': {
    plant: ({ online }, id) => online.set(id, changed(online.get(id))),
    ...{ sides: ['online store'], cause: 'not online' },
  },
  'later online': {
    plant: ({ online }, id) => online.set(id, { ...changed(online.get(id)), eventTime: '9999-01-01T00:00:00.000Z' }),
    ...{ sides: ['online store'], cause: 'written by another' },
  },
  'online without an item': {
    plant: ({ online }, id) => online.set('nobody online', changed(online.get(id))),
    ...{ sides: ['online store'], cause: 'missed delete', id: 'nobody online' },
  },
  'row lost': {
    plant: ({ logged }, id) => logged.delete(id),
    ...{ sides: ['change log'], cause: 'not in the change log' },
  },
  'another row': {
    plant: ({ logged }, id) => logged.set(id, changed(logged.get(id))),
    ...{ sides: ['change log'], cause: 'not in the change log' },
  },
  'row without an item': {
    plant: ({ logged }, id) => logged.set('nobody logged', changed(logged.get(id))),
    ...{ sides: ['change log'], cause: 'missed delete', id: 'nobody logged' },
  },
  'never seen': {
    plant: ({ online, logged }, id) => [online.delete(id), logged.delete(id)],
    ...{ sides: both, cause: 'never seen' },
  },
  'delete missed': { plant: ({ items }, id) => items.delete(id), sides: both, cause: 'missed delete' },
  'change lost': { plant: ({ items }, id) => items.set(id, changed(items.get(id))), sides: both, cause: 'lost change' },
};

/** What is found, by store, record and cause. */
async function found(group: FeatureGroup, places: Places): Promise<string[]> {
  const differences = await differencesOf(group, places);
  return differences.map((it) => `${it.side}: ${it.id}: ${causeOf(group, it.side, it.known, false)}`).sort();
}

test(`differences that are planted at the end of seeds 1 to ${SEEDS} are found, all and only those, with their causes`, async () => {
  const planted = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const world = new World(seed, CHANGES);
    await world.run();
    const { group } = world.profile;
    const places = placesOf(leftOf(world));
    const before = await found(group, places);
    const whole = [...places.items].flatMap(([id, { texts }]) => {
      const isWhole = texts && places.online.has(id) && places.logged.has(id);
      return isWhole && !before.some((it) => it.includes(`: ${id}: `)) ? id : [];
    });
    const expected = [...before];
    for (const [kind, { plant, sides, cause, id }] of Object.entries(KINDS)) {
      if (cause === 'missed delete' && keepsRemoved(group)) continue;
      const record = whole.pop();
      if (record === undefined) break;
      plant(places, record);
      expected.push(...sides.map((side) => `${side}: ${id ?? record}: ${cause}`));
      planted.add(kind);
    }
    expect(await found(group, places), `seed ${seed}`).toEqual(expected.sort());
  }
  expect([...planted].sort()).toEqual(Object.keys(KINDS).sort());
});
