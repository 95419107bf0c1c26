/** Values inside an item's maps and lists, in DynamoDB's own form: `{ M: { city: { S: 'Graz' } } }`. */

/** An attribute, and the way from it to a value: names of maps' members, and places in lists from 0. */
export type ItemPath = readonly [string, ...(string | number)[]];

/** Where a feature's value stands in an item: an attribute, or what a path leads to, which begins with the attribute. */
export interface ItemPlace {
  readonly attribute: string;
  readonly path?: ItemPath | undefined;
}

type Value = Readonly<Record<string, unknown>>;

/** How a place is written: `address.city`, `lines[0].sku`. */
export function placeText({ attribute, path = [attribute] }: ItemPlace): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}

/** The value that a place of an item holds; undefined where there is none. */
export function valueAt<V extends object>(
  item: Readonly<Record<string, V>>,
  { attribute, path }: ItemPlace,
): V | undefined {
  const value = Object.hasOwn(item, attribute) ? item[attribute] : undefined;
  return path === undefined ? value : (valueBelow(value, path) as V | undefined);
}

/**
 * What stands below an attribute's value. On a way that leads through something else than a map or list, the answer is a
 * value of no type that says so, which no feature takes.
 */
export function valueBelow(attribute: unknown, path: ItemPath): unknown {
  let value = attribute as Value | null | undefined;
  for (let index = 1; index < path.length; index += 1) {
    if (value === undefined || value === null || value.NULL === true) return value;
    const step = path[index] as string | number;
    const members = typeof step === 'number' ? value.L : value.M;
    if (typeof members !== 'object' || members === null) return { [`${typeOf(value)} on the way to it`]: true };
    // Every object has properties of some names, `constructor` say: only the map's own are its members.
    value = Object.hasOwn(members, step) ? (members as Record<string | number, Value>)[step] : undefined;
  }
  return value;
}

function typeOf(value: unknown): string {
  const [type = 'no attribute value'] = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  return type;
}
