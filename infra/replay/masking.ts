import { createHmac } from 'node:crypto';
import { epochSecond } from '../../shared/changes/event-time.ts';
import { featureDecoder, labelDecoder } from '../../shared/changes/feature-decoder.ts';
import { itemTest } from '../../shared/changes/items.ts';
import { Problem } from '../../shared/changes/problem.ts';
import { plainDecimal } from '../../shared/definition/decimal.ts';
import type { Feature, FeatureGroup, Label } from '../../shared/definition/feature-group.ts';
import type { ItemCondition } from '../../shared/definition/schema.ts';
import { secondsOfText } from '../../shared/definition/timestamp.ts';

/**
 * Stream records with personal values masked, so that they can be kept as fixtures. What ingest makes of a masked record
 * is what it makes of the real one: a change, a rejection with the same reason, or nothing.
 *
 * Numbers, booleans, times and known categories of the definition stay, unless their feature is `personal`: then others
 * take their place that the definition takes, or refuses, for the same reason. A label stays. Texts, identifiers and
 * everything that the definition does not read are replaced. Equal values stay equal and different ones different, so
 * that a record is still told from others. Names of attributes stay; the length of a text does not.
 */

/** An attribute value in a Lambda event. */
type Value = Readonly<Record<string, unknown>>;
type Image = Readonly<Record<string, Value>>;

/** Says of a value at its place whether it stays, or what takes its place. */
type Rule = (value: Value) => Value | undefined;

/** Numbers in place of personal ones are drawn from as many. */
const DRAWN_MAX = 1_000_000;
const MASK_PREFIX = 'masked-';
/** Hexadecimal digits of a masked text, and decimal digits of a masked number: too many for two to be equal. */
const TEXT_DIGITS = 12;
const NUMBER_DIGITS = 12;

/** Makes the masking of a definition's records. @param key of the masks: one of a recording, and then forgotten. */
export function recordMasking(group: FeatureGroup, key: Buffer): (record: object) => object {
  const rules = rulesOf(group, key);
  const mask = (path: string, value: Value): Value => {
    for (const rule of rules.get(path) ?? []) {
      const kept = rule(value);
      if (kept) return kept;
    }
    const [type = '', content] = Object.entries(value)[0] ?? [];
    switch (type) {
      case 'M':
        return { M: mapImage(content as Image, (name, it) => mask(`${path}\n${name}`, it)) };
      case 'L':
        return { L: (content as Value[]).map((it, index) => mask(`${path}\n${index}`, it)) };
      case 'SS':
      case 'NS':
      case 'BS':
        return { [type]: (content as unknown[]).map((it) => maskScalar(type.charAt(0), it, key)) };
      case 'NULL':
      case 'BOOL':
        return value;
      default:
        return { [type]: maskScalar(type, content, key) };
    }
  };
  return (record) => {
    const { dynamodb } = record as { dynamodb: Readonly<Record<string, unknown>> };
    const images = ['Keys', 'NewImage', 'OldImage'].flatMap((name) =>
      dynamodb[name] ? [[name, mapImage(dynamodb[name] as Image, mask)] as const] : [],
    );
    return { ...record, dynamodb: { ...dynamodb, ...Object.fromEntries(images) } };
  };
}

const mapImage = (image: Image, of: (name: string, value: Value) => Value): Image =>
  Object.fromEntries(Object.entries(image).map(([name, value]) => [name, of(name, value)]));

/** The rules of each place, by its path. */
function rulesOf(group: FeatureGroup, key: Buffer): Map<string, Rule[]> {
  const { eventTime, features, items = [], label } = group;
  const spelled =
    (of: Label): Rule =>
    (value) =>
      typeof labelDecoder(of).judge(value) === 'string' ? value : undefined;
  const time: Rule = (value) => (epochSecond(value.N ?? value.S) === undefined ? undefined : value);
  const placed: [path: string, rule: Rule][] = [
    ...features
      .filter((it) => !it.derived)
      .map(({ attribute, path = [attribute], ...feature }): [string, Rule] => [
        path.join('\n'),
        ruleOf(feature as Feature, key),
      ]),
    ...(label ? [[label.attribute, spelled(label)] as [string, Rule]] : []),
    ...(eventTime.attribute === undefined ? [] : [[eventTime.attribute, time] as [string, Rule]]),
    ...items.map((condition): [string, Rule] => [condition.attribute, (value) => asCondition(condition, value, key)]),
  ];
  const rules = new Map<string, Rule[]>();
  for (const [path, rule] of placed) rules.set(path, [...(rules.get(path) ?? []), rule]);
  return rules;
}

const ruleOf = (feature: Feature, key: Buffer): Rule =>
  feature.personal
    ? (value) => otherThan(feature, value, key)
    : (value) => (staysAs(feature, value) ? value : undefined);

/** Whether a feature's value says nothing of a person by itself. */
function staysAs(feature: Feature, { S, N }: Value): boolean {
  switch (feature.type) {
    case 'integral':
    case 'fractional':
      return N !== undefined;
    case 'timestamp':
      return N !== undefined || secondsOfText(String(S)) !== undefined;
    case 'categorical': {
      const { type, accept, judge } = featureDecoder(feature);
      // A known category is decoded to its position.
      return typeof (accept((type === 'N' ? N : S) as never) ?? judge({ N })) === 'number';
    }
    case 'boolean':
    case 'hashed':
    case 'string':
      return false;
  }
}

/** A value of a personal feature gives way to one of which the definition says the same; undefined: to any. */
function otherThan(feature: Feature, value: Value, key: Buffer): Value | undefined {
  if (feature.type === 'string' || feature.type === 'hashed') return undefined;
  const decoder = featureDecoder(feature);
  const said = (it: Value): string => {
    const code = decoder.accept(it[decoder.type] as never) ?? decoder.judge(it);
    return code instanceof Problem ? code.reason : 'taken';
  };
  const [type = '', content] = Object.entries(value)[0] ?? [];
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const number = digest((type === 'N' ? plainDecimal(text) : undefined) ?? text, key).readUIntBE(0, 6);
  return candidates(feature, number).find((it) => type in it && said(it) === said(value));
}

/** Values that a feature might have, drawn by a number. */
function candidates(feature: Feature, number: number): Value[] {
  const texts = feature.type === 'categorical' ? feature.categories : [];
  const category = texts[number % Math.max(1, texts.length)];
  const { min, max } = feature.type === 'integral' || feature.type === 'fractional' ? feature : {};
  const [least, greatest] = [min, max].map((it) => (it === undefined ? undefined : Math.ceil(Number(it))));
  const from = least ?? (greatest === undefined ? 0 : greatest - DRAWN_MAX);
  const within = from + (number % Math.max(1, Math.min(DRAWN_MAX, (greatest ?? from + DRAWN_MAX) - from + 1)));
  return [
    ...(category === undefined ? [] : [{ S: category }, { N: category }]),
    ...[String(within), `${within}.5`, `${number}`, `-${number}`, ...[min, max].map(String)].map((N) => ({ N })),
    { S: new Date((number % DRAWN_MAX) * 1_000).toISOString() },
    { BOOL: number % 2 === 0 },
  ];
}

/** A value that a condition of the items looks at goes on meeting it, or not. */
function asCondition(condition: ItemCondition, value: Value, key: Buffer): Value | undefined {
  const { S } = value;
  switch (condition.holds) {
    case 'exists':
      return undefined;
    case 'startsWith':
      if (typeof S !== 'string' || !S.startsWith(condition.text)) return undefined;
      return { S: `${condition.text}${maskText(S.slice(condition.text.length), key)}` };
    case 'oneOf':
      return itemTest({ items: [condition] })?.({ [condition.attribute]: value }) ? value : undefined;
  }
}

function maskScalar(type: string, content: unknown, key: Buffer): unknown {
  if (typeof content !== 'string') return content;
  switch (type) {
    case 'S':
      return maskText(content, key);
    case 'N':
      return maskNumber(content, key);
    case 'B':
      return digest(content, key)
        .subarray(0, TEXT_DIGITS / 2)
        .toString('base64');
    default:
      return content;
  }
}

/** An empty text stays: it is as good as none. */
const maskText = (text: string, key: Buffer): string =>
  text === '' ? '' : `${MASK_PREFIX}${digest(text, key).toString('hex').slice(0, TEXT_DIGITS)}`;

/** However it is written, the same number is the same mask. */
const maskNumber = (text: string, key: Buffer): string =>
  String(
    10 ** (NUMBER_DIGITS - 1) +
      (digest(plainDecimal(text) ?? text, key).readUIntBE(0, 6) % (9 * 10 ** (NUMBER_DIGITS - 1))),
  );

const digest = (text: string, key: Buffer): Buffer => createHmac('sha256', key).update(text).digest();
