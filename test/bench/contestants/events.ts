import type { AttributeValue } from '../../../shared/changes/attribute-value.ts';
import { type Feature, type FeatureGroup, labelOf } from '../../../shared/definition/feature-group.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';

/** Largest batch that Lambda reads from a stream, in bytes of its event. Source: Lambda, payload quota of 6 MB. */
export const BATCH_BYTES_MAX = 6_000_000;
/** Largest batch in records. Source: Lambda, event source mappings of DynamoDB streams. */
export const BATCH_RECORDS_MAX = 10_000;

export interface EventOptions {
  /** Default: as many as fit into {@link BATCH_BYTES_MAX}. */
  readonly records?: number;
  /** Changes of one item in the batch. Default: 1. */
  readonly changesPerKey?: number;
  /** Attributes in an order of their own in each record. */
  readonly shuffled?: boolean;
  /** Part of the attributes that is absent, 0 to 1. Default: 0; the definition must make them optional. */
  readonly missing?: number;
  /** Part of the items that are none of the definition's, 0 to 1. Default: 0; the definition says which by `kind`. */
  readonly others?: number;
  /** Part of the items that have a label, 0 to 1. Default: 1. */
  readonly labeled?: number;
  readonly seed?: number;
  /** Number of the first item. Default: 0. */
  readonly firstKey?: number;
}

/** Typical texts of the worked example's numbers, which its definition leaves open. Others are small whole numbers. */
const NUMBERS: Readonly<Record<string, (random: () => number) => string>> = {
  age: (random) => String(17 + Math.floor(random() * 70)),
  duration: (random) => String(Math.floor(random() * 1_200)),
  pdays: (random) => (random() < 0.95 ? '999' : String(Math.floor(random() * 20))),
  emp_var_rate: (random) => (random() * 4.8 - 3.4).toFixed(1),
  cons_price_idx: (random) => (92 + random() * 2.7).toFixed(3),
  cons_conf_idx: (random) => (-50 + random() * 23).toFixed(1),
  euribor3m: (random) => (0.6 + random() * 4.4).toFixed(3),
  nr_employed: (random) => (4_963 + random() * 265).toFixed(1),
};

/** A stream event of the worked example's items, as Lambda hands it over: its JSON text. Same options, same text. */
export function eventText({ group = bankMarketing, ...options }: EventOptions & { group?: FeatureGroup } = {}): string {
  const { changesPerKey = 1, shuffled = false, missing = 0, labeled = 1, others = 0, seed = 1, firstKey = 0 } = options;
  const random = mulberry32(seed);
  const records: string[] = [];
  let bytes = 0;
  for (let index = 0; index < (options.records ?? BATCH_RECORDS_MAX); index += 1) {
    const keys = Math.max(1, Math.ceil((options.records ?? BATCH_RECORDS_MAX) / changesPerKey));
    const key = {
      [group.recordIdentifier.name]: { S: `customer-${String(firstKey + (index % keys)).padStart(7, '0')}` },
    };
    const attributes: [string, AttributeValue][] = [...Object.entries(key)];
    if (others > 0) attributes.push(['kind', { S: random() < others ? 'account' : 'customer' }]);
    for (const feature of group.features) {
      if (missing === 0 || random() >= missing) put(attributes, feature, attributeOf(feature, random));
    }
    if ((missing === 0 || random() >= missing) && (labeled === 1 || random() < labeled))
      attributes.push([labelOf(group).attribute, { N: random() < 0.12 ? '1' : '0' }]);
    if (shuffled) shuffle(attributes, random);
    const text = JSON.stringify(streamRecord(index, key, Object.fromEntries(attributes), group.table));
    if (options.records === undefined && bytes + text.length > BATCH_BYTES_MAX) break;
    bytes += text.length + 1;
    records.push(text);
  }
  return `{"Records":[${records.join(',')}]}`;
}

/** Puts a value where its feature has it: at the top, or inside of maps and lists. */
function put(attributes: [string, AttributeValue][], { attribute, path }: Feature, value: AttributeValue): void {
  const [top, ...steps] = path ?? [attribute];
  const known = attributes.find(([name]) => name === top);
  const inside = steps.reduceRight<AttributeValue>(
    (it, step) => (typeof step === 'number' ? { L: [it] } : { M: { [step]: it } }),
    value,
  );
  if (known) known[1] = { M: merged(membersOf(known[1]), membersOf(inside)) };
  else attributes.push([top, inside]);
}

type Members = Readonly<Record<string, AttributeValue>>;
const membersOf = ({ M }: AttributeValue): Members => (M ?? {}) as Members;

/** Members of both maps, and of maps in them. */
function merged(one: Members, other: Members): Members {
  const added = Object.entries(other).map(([name, value]) => {
    const before = one[name];
    return [name, before?.M && value.M ? { M: merged(membersOf(before), membersOf(value)) } : value] as const;
  });
  return { ...one, ...Object.fromEntries(added) };
}

function streamRecord(index: number, Keys: object, NewImage: object, table: string) {
  return {
    eventID: (0x1000000 + index).toString(16).padStart(32, '7'),
    eventName: 'INSERT',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    dynamodb: {
      ApproximateCreationDateTime: 1_760_000_000 + Math.floor(index / 1_000),
      Keys,
      NewImage,
      SequenceNumber: String(4421584500000000017450439091n + BigInt(index)),
      SizeBytes: 390,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
    eventSourceARN: `arn:aws:dynamodb:us-east-1:123456789012:table/${table}/stream/2026-01-15T00:00:00.000`,
  };
}

function attributeOf(feature: Feature, random: () => number): AttributeValue {
  switch (feature.type) {
    case 'categorical':
      return { S: feature.categories[Math.floor(random() * feature.categories.length)] };
    case 'boolean':
      return { BOOL: random() < 0.5 };
    case 'string':
      return { S: `text ${Math.floor(random() * 1_000)}` };
    default:
      return { N: NUMBERS[feature.name]?.(random) ?? String(Math.floor(random() * 8)) };
  }
}

function shuffle<T>(items: T[], random: () => number): void {
  for (let at = items.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [items[at], items[other]] = [items[other] as T, items[at] as T];
  }
}

/** A small seeded generator (Tommy Ettinger's mulberry32, public domain), so that every run sees the same events. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
