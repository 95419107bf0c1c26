/** An AttributeValue in its JSON form: one member, named by its type. */
export type AttributeValue = Readonly<Record<string, unknown>>;
/** An item, or an image of one in a stream record. */
export type Image = Readonly<Record<string, AttributeValue>>;
/** An item as it is read and changed. */
export type Item = Record<string, AttributeValue>;

/**
 * Whether two images are the same item: maps regardless of the order of their members, sets regardless of the order
 * of their elements, numbers by value. A write that leaves the image the same puts no record on the stream.
 */
export function sameImage(a: Image | undefined, b: Image | undefined): boolean {
  if (!a || !b) return a === b;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => name in b && canonical(a[name]) === canonical(b[name]));
}

/** One text for all the ways to write one AttributeValue. */
function canonical(value: AttributeValue | undefined): string {
  const [[type, content] = ['', undefined]] = Object.entries(value ?? {});
  switch (type) {
    case 'N':
      return `N:${canonicalNumber(String(content))}`;
    case 'NS':
      return `NS:${(content as string[]).map(canonicalNumber).sort().join()}`;
    case 'SS':
    case 'BS':
      return `${type}:${JSON.stringify([...(content as string[])].sort())}`;
    case 'L':
      return `L:[${(content as AttributeValue[]).map(canonical).join()}]`;
    case 'M': {
      const members = Object.entries(content as Image).sort(([x], [y]) => (x < y ? -1 : 1));
      return `M:{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join()}}`;
    }
    default:
      return `${type}:${JSON.stringify(content)}`;
  }
}

/** Digits without leading and trailing zeros, and the power of ten they are multiplied by: exact, unlike a double. */
function canonicalNumber(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text.trim()) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign === '-' ? '-' : ''}${significant}e${power}`;
}

/**
 * Sorts the elements of every set in an item, in place: no client can then rely on the order they were written in,
 * which DynamoDB does not keep.
 */
export function sortSets(item: Image): void {
  for (const value of Object.values(item)) sortSetsIn(value);
}

function sortSetsIn(value: AttributeValue): void {
  const { SS, NS, BS, L, M } = value as Record<string, unknown>;
  if (SS) (SS as string[]).sort();
  else if (NS) (NS as string[]).sort((a, b) => Number(a) - Number(b));
  else if (BS) (BS as string[]).sort();
  else if (L) for (const element of L as AttributeValue[]) sortSetsIn(element);
  else if (M) sortSets(M as Image);
}

/** Bytes of an attribute that are not its value: a list or map has this overhead, and one more per element. */
const COLLECTION_BYTES = 3;

/**
 * Size of an image in bytes, names and values together.
 * Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function imageBytes(image: Image | undefined): number {
  return Object.entries(image ?? {}).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value),
    0,
  );
}

function valueBytes(value: AttributeValue): number {
  const [[type, content] = ['', undefined]] = Object.entries(value);
  switch (type) {
    case 'S':
      return Buffer.byteLength(content as string);
    case 'N':
      return numberBytes(content as string);
    case 'B':
      return Buffer.byteLength(content as string, 'base64');
    case 'SS':
      return sum((content as string[]).map((it) => Buffer.byteLength(it)));
    case 'NS':
      return sum((content as string[]).map(numberBytes));
    case 'BS':
      return sum((content as string[]).map((it) => Buffer.byteLength(it, 'base64')));
    case 'L':
      return COLLECTION_BYTES + sum((content as AttributeValue[]).map((it) => 1 + valueBytes(it)));
    case 'M':
      return COLLECTION_BYTES + imageBytes(content as Image) + Object.keys(content as Image).length;
    default:
      return 1;
  }
}

/** A number whose digits are all significant: most are, and need not be taken apart. */
const PLAIN_INTEGER = /^(?:[1-9]\d{0,36})?[1-9]$/;

/** Two significant digits a byte, and one byte more; another for a minus sign. */
function numberBytes(text: string): number {
  if (PLAIN_INTEGER.test(text)) return Math.ceil(text.length / 2) + 1;
  const [significant = ''] = canonicalNumber(text).replace('-', '').split('e');
  return Math.ceil(significant.length / 2) + 1 + (text.startsWith('-') ? 1 : 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, it) => total + it, 0);
}
