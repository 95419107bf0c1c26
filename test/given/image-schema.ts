import * as z from 'zod';
import { type AttributeValue, textOf } from '../../shared/changes/attribute-value.ts';
import type { FeatureText, RejectionReason } from '../../shared/changes/change.ts';
import { integerText, plainDecimal } from '../../shared/definition/decimal.ts';
import { columnsOf, type Feature, type FeatureGroup, labelOf } from '../../shared/definition/feature-group.ts';

/**
 * What a stream record's image must be, as a zod schema derived from the definition: a description to hold the compiled
 * decoder to. It gives the texts in the order of the columns; the message of an issue is the reason of the rejection.
 */
export function imageSchema(group: FeatureGroup) {
  const all = columnsOf(group);
  const stored = all.filter(({ feature }) => feature === 'label' || !feature.derived);
  const columns = stored.map(({ name, feature }) => ({
    name,
    path: feature === 'label' ? [labelOf(group).attribute] : (feature.path ?? [feature.attribute]),
    // A wrong label counts as absent; what is put into quarantine for it is another matter.
    schema: feature === 'label' ? labelSchema(group).catch(undefined) : featureSchema(feature),
  }));
  const shape = Object.fromEntries(columns.map(({ name, schema }) => [name, schema]));
  return z
    .preprocess(
      (image) => Object.fromEntries(columns.map(({ name, path }) => [name, memberAt(image as object, path)])),
      z.object(shape),
    )
    .transform((texts, context) => {
      // What is computed comes after all that is stored, and the first of it that is wrong rejects the record.
      const computed: Record<string, FeatureText> = {};
      for (const { name, feature } of all) {
        if (feature === 'label' || !feature.derived) continue;
        const { text, problem } = computedText(group, feature, texts as Readonly<Record<string, FeatureText>>);
        if (problem !== undefined) {
          context.addIssue({ code: 'custom', message: problem, path: [name] });
          return z.NEVER;
        }
        computed[name] = text;
      }
      return all.map(({ name }) => (Object.hasOwn(computed, name) ? computed[name] : texts[name]) as FeatureText);
    });
}

/** What a feature's own function gives of the others, as if an attribute held it; or the reason of a rejection. */
function computedText(
  { features }: FeatureGroup,
  feature: Feature,
  texts: Readonly<Record<string, FeatureText>>,
): { text?: FeatureText; problem?: string } {
  const { from = [], compute } = feature.derived ?? {};
  const inputs = from.map((name) => {
    const text = texts[name];
    const type = features.find((it) => it.name === name)?.type ?? '';
    if (text === undefined || text === null) return [name, undefined];
    if (type === 'boolean') return [name, text === '1'];
    return [name, ['integral', 'fractional', 'timestamp'].includes(type) ? Number(text) : text];
  });
  let result: unknown;
  try {
    result = compute?.(Object.fromEntries(inputs) as never);
  } catch {
    return { problem: 'derived-failed' };
  }
  if (typeof result === 'number' && !Number.isFinite(result)) return { problem: 'derived-failed' };
  const types: Readonly<Record<string, string>> = { string: 'S', boolean: 'BOOL', number: 'N', bigint: 'N' };
  const type = types[typeof result];
  const held = type && { [type]: type === 'N' ? String(result) : result };
  const parsed = featureSchema(feature).safeParse(held);
  return parsed.success ? { text: parsed.data as FeatureText } : { problem: String(parsed.error.issues[0]?.message) };
}

/**
 * NULL is null, also on the way, and what is not there is undefined, whatever properties every object has. A way through
 * something else than a map or a list leads to what has no type.
 */
function memberAt(members: object, [step = '', ...others]: readonly (string | number)[]): unknown {
  const value = Object.hasOwn(members, step) ? (members as Record<string | number, AttributeValue>)[step] : undefined;
  if (value?.NULL === true) return null;
  if (value === undefined || value === null || others.length === 0) return value;
  const inside = typeof others[0] === 'number' ? value.L : value.M;
  return typeof inside === 'object' && inside !== null ? memberAt(inside, others) : {};
}

const reason = (it: RejectionReason) => ({ error: it });

function labelSchema(group: FeatureGroup): z.ZodType {
  const { values, classes, type, min = -Infinity, max = Infinity } = labelOf(group);
  if (type) {
    return z
      .object({ N: z.string().transform((it) => plainDecimal(it) ?? 'none') }, reason('invalid-label'))
      .refine(({ N }) => Number.isFinite(Number(N)) && Number(N) >= min && Number(N) <= max, reason('invalid-label'))
      .transform(({ N }) => N)
      .nullish();
  }
  const spellings = classes?.map((it) => [it]) ?? (values && [values[0], values[1]]);
  if (spellings === undefined) return plainLabel;
  const textOfLabel = (it: unknown) => {
    const { S, N, BOOL } = (it ?? {}) as AttributeValue;
    const held: unknown[] = [S, BOOL, typeof N === 'string' ? canonical(N) : undefined].filter(
      (one) => one !== undefined,
    );
    const is = (of: readonly unknown[]) =>
      of.some((one) =>
        held.includes(typeof one === 'number' || typeof one === 'bigint' ? canonical(String(one)) : one),
      );
    const number = spellings.findIndex((of) => is(of));
    return number < 0 ? undefined : String(number);
  };
  return z
    .custom<AttributeValue>((it) => textOfLabel(it) !== undefined, reason('invalid-label'))
    .transform((it: unknown) => textOfLabel(it))
    .nullish();
}

const plainLabel = z
  .union(
    [
      z.object({ N: z.enum(['0', '1']) }).transform(({ N }) => N),
      z.object({ BOOL: z.boolean() }).transform(({ BOOL }) => (BOOL ? '1' : '0')),
    ],
    reason('invalid-label'),
  )
  .nullish();

function featureSchema(feature: Feature): z.ZodType {
  const present = presentSchema(feature);
  if (feature.optional) return present.nullish();
  return z
    .unknown()
    .refine((value) => value !== undefined && value !== null, { ...reason('missing-feature'), abort: true })
    .pipe(present);
}

function presentSchema(feature: Feature) {
  const wrongType = reason('wrong-type');
  switch (feature.type) {
    case 'string':
      return z
        .custom<AttributeValue>((it) => textOf(it as AttributeValue) !== undefined, wrongType)
        .transform((it) => textOf(it));
    case 'boolean':
      return z.object({ BOOL: z.boolean(wrongType) }, wrongType).transform(({ BOOL }) => (BOOL ? '1' : '0'));
    case 'categorical': {
      const known = (it: string) => feature.others === true || feature.categories.includes(it);
      if (feature.attributeType === 'N') {
        return z
          .object({ N: canonicalSchema.refine(known, reason('unknown-category')) }, wrongType)
          .transform(({ N }) => N);
      }
      return z
        .object({ S: z.string(wrongType).refine(known, reason('unknown-category')) }, wrongType)
        .transform(({ S }) => S);
    }
    case 'hashed':
      return z.union(
        [z.object({ S: z.string() }).transform(({ S }) => S), z.object({ N: canonicalSchema }).transform(({ N }) => N)],
        wrongType,
      );
    case 'timestamp':
      return z
        .custom<AttributeValue>((it) => isText(it, 'N') || isText(it, 'S'), { ...wrongType, abort: true })
        .transform(({ N, S }, context) => {
          const seconds = typeof N === 'string' ? ofNumber(N) : ofText(String(S));
          const whole = Math.floor(Number(seconds || 'NaN'));
          if (whole >= YEARS.first && whole <= YEARS.last) return seconds;
          context.addIssue({ code: 'custom', message: 'invalid-timestamp' });
          return z.NEVER;
        });
    default:
      return z.object({ N: z.string(wrongType).pipe(numberSchema(feature)) }, wrongType).transform(({ N }) => N);
  }
}

const isText = (it: unknown, type: string): boolean => typeof (it as AttributeValue | null)?.[type] === 'string';

/** A number's text without zeros that end its fraction; `''` for one that is none. */
function canonical(text: string): string {
  const [whole = '', fraction = ''] = (plainDecimal(text) ?? '').split('.');
  const digits = fraction.replace(/0+$/, '');
  return digits === '' ? (whole === '-0' ? '0' : whole) : `${whole}.${digits}`;
}
const canonicalSchema = z
  .string(reason('wrong-type'))
  .transform(canonical)
  .refine((it) => it !== '', { ...reason('wrong-type'), abort: true });

/** The years 1 to 9999, in seconds since 1970. */
const YEARS = { first: Date.parse('0001-01-01') / 1_000, last: Date.parse('9999-12-31T23:59:59Z') / 1_000 };

/** Seconds of a number of seconds, or of milliseconds from where seconds would be beyond the year 5138. */
function ofNumber(text: string): string {
  return canonical(Math.abs(Number(plainDecimal(text))) >= 1e11 ? `${plainDecimal(text)}E-3` : text);
}

/** Seconds of ISO 8601, `''` for what is none. A day that its month has not turns into another one. */
function ofText(text: string): string {
  const [, date, clock = '00:00', fraction = '', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d))?$/.exec(text) ?? [];
  const day = Date.parse(`${date}T00:00Z`);
  const colon = zone.replace(/(\d\d):?(\d\d)$/, '$1:$2');
  const ms = Date.parse(`${date}T${clock}${colon}`);
  if (Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== date || Number.isNaN(ms)) return '';
  if (clock.startsWith('24') || (fraction !== '' && clock.length < 8)) return '';
  return canonical(`${BigInt(ms / 1_000) * 10n ** 9n + BigInt(fraction.padEnd(9, '0'))}E-9`);
}

const PLAIN = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

function numberSchema(feature: Extract<Feature, { type: 'integral' | 'fractional' }>) {
  const whole = feature.type === 'integral';
  const { min = whole ? -(2n ** 63n) : undefined, max = whole ? 2n ** 63n - 1n : undefined } = feature;
  return z
    .string()
    .transform((text) => (PLAIN.test(text) ? text : (plainDecimal(text) ?? '')))
    .refine((text) => text !== '', { ...reason('wrong-type'), abort: true })
    .transform((text) => (whole ? (integerText(text) ?? '') : text))
    .refine((text) => text !== '', { ...reason('not-integral'), abort: true })
    .refine((text) => min === undefined || scaled(text) >= scaled(String(min)), reason('out-of-range'))
    .refine((text) => max === undefined || scaled(text) <= scaled(String(max)), reason('out-of-range'));
}

/** Decimals that two numbers have at most, so that their scaled values compare. */
const SCALE = 800;

/** The plain decimal times 10^{@link SCALE}, exactly. */
function scaled(text: string): bigint {
  const [whole = '', fraction = ''] = (plainDecimal(text) ?? '').split('.');
  return BigInt(whole + fraction.padEnd(SCALE, '0'));
}
