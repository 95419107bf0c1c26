import { type AttributeValue, attributeType } from '../../shared/changes/attribute-value.ts';
import type { ItemPath } from '../../shared/definition/item-path.ts';
import type { Item } from './sample.ts';

/** Steps of a path at most: what lies deeper stays in the JSON text of what holds it. */
const STEPS_MAX = 3;

/** Members that maps of one place have in all, for each to be a feature: a map by identifiers has as many as it likes. */
const MEMBERS_MAX = 20;

/** A place of items, and all values that it has in a sample. */
export interface Place {
  readonly path: ItemPath;
  /** Values that are there and are not NULL. */
  readonly values: readonly AttributeValue[];
  /** Types of the values. */
  readonly types: ReadonlySet<string>;
  /** Items of the sample, with and without a value here. */
  readonly items: number;
}

/**
 * The places of a sample's values, in the order in which they are met: attributes, and the members of those that are
 * maps wherever they are there.
 *
 * @param without names of attributes that are left out.
 */
export function placesOf(items: readonly Item[], without: ReadonlySet<string>): Place[] {
  const names = new Set(items.flatMap((item) => Object.keys(item)));
  return [...names]
    .filter((name) => !without.has(name))
    .flatMap((name) => {
      const values = items.map((item) => (Object.hasOwn(item, name) ? item[name] : undefined));
      return placesBelow([name], values);
    });
}

function placesBelow(path: ItemPath, all: readonly (AttributeValue | undefined)[]): Place[] {
  const values = all.filter((it) => it !== undefined && it !== null && it.NULL !== true) as AttributeValue[];
  const types = new Set(values.map((it) => attributeType(it) ?? ''));
  const here = [{ path, values, types, items: all.length }];
  if (types.size !== 1 || !types.has('M') || path.length === STEPS_MAX) return here;
  const maps = values.map(({ M }) => M as Item);
  const names = [...new Set(maps.flatMap((map) => Object.keys(map)))];
  if (names.length === 0 || names.length > MEMBERS_MAX || names.includes('')) return here;
  return names.flatMap((name) => {
    const members = all.map((it) => {
      const map = it?.M as Item | undefined;
      return map && Object.hasOwn(map, name) ? map[name] : undefined;
    });
    return placesBelow([...path, name], members);
  });
}
