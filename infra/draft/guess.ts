import { canonicalDecimal, compareDecimals } from '../../shared/definition/decimal.ts';
import { numberRule } from '../../shared/definition/number.ts';
import { secondsOfNumber, secondsOfText } from '../../shared/definition/timestamp.ts';
import {
  boolean,
  categorical,
  fractional,
  hashed,
  integral,
  string,
  timestamp,
} from '../../shared/feature-groups/define.ts';
import type { Place } from './places.ts';

/** A word of definitions with what it is given, such as `integral({ min: 0 })`. */
export interface Word {
  readonly word: 'string' | 'integral' | 'fractional' | 'boolean' | 'categorical' | 'timestamp' | 'hashed';
  /** What comes before the options: categories, or buckets. */
  readonly first?: readonly string[] | number;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a place is guessed to hold, and why. */
export interface Guess {
  /** Undefined for what no feature can take in. */
  readonly word: Word | undefined;
  readonly why: string;
}

/** Categories of a list at most, and items that each must stand for. */
const CATEGORIES_MAX = 50;
const ITEMS_PER_CATEGORY_MIN = 3;

/** Share of values met once from which on there are likely others that the sample has not met. */
const SINGLES_SHARE_MAX = 1 / 1_000;

/** Items from which on a least number of 0 is likely a rule. */
const ITEMS_FOR_BOUNDS_MIN = 100;

const BUCKETS = 64;

/** Longest text that is likely to come again, in characters. */
const CHARACTERS_MAX = 60;

/** Names of what tells about a person. */
const PERSONAL =
  /e?mail|phone|mobile|(first|last|sur|full|user|given|family|middle)_?name|^name$|street|address|birth|^dob$|^ssn$|passport|iban|(^|_)ip(_?addr(ess)?)?$|zip|postal|(^|_)lat(itude)?$|(^|_)lon(gitude)?$|password|secret|token/i;

/** Names of times that are written as numbers. */
const TIME = /((^|_)(at|on|time|timestamp|date|created|updated|modified|expires|ttl)|[a-z](At|On|Time|Date))$/;
/** Seconds of the years 2000 and 2100: what a number of a time is likely between. */
const TIMES = [946_684_800, 4_102_444_800] as const;

/** Words that are known to be all there are: what a sample lacks of them will come. */
const VOCABULARIES: readonly (readonly string[])[] = [
  ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  ['mon', 'tue', 'wed', 'thu', 'fri'],
  ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
];
/** Categories that stand for something else than themselves come last. */
const LAST = /^(unknown|other|others|none|n\/a|na|missing)$/i;

/** The name by which a place tells what it is. */
export const nameOf = ({ path }: Place): string => String(path.at(-1));

export const isPersonal = (place: Place): boolean => PERSONAL.test(nameOf(place));

/** Guesses what takes in every value of a place. */
export function guess(place: Place): Guess {
  const { values, items, types } = place;
  const guessed = values.length === 0 ? { word: word('string'), why: 'no value in the sample' } : byType(place);
  const found = values.length === items ? 'in every item' : `in ${values.length} of ${items} items`;
  const why = `${[...types].join(' or ') || 'NULL'} ${found}${guessed.why === '' ? '' : `; ${guessed.why}`}`;
  if (!guessed.word) return { word: undefined, why };
  const optional = values.length < items ? { optional: true } : {};
  const trained = guessed.word.word === 'string' ? {} : { training: false };
  const hidden = isPersonal(place) ? { personal: true, ...trained } : {};
  const options = { ...optional, ...hidden, ...guessed.word.options };
  return { word: { ...guessed.word, options }, why: isPersonal(place) ? `${why}; looks like personal data` : why };
}

const word = (name: Word['word'], options: Word['options'] = {}, first?: Word['first']): Word => ({
  ...{ word: name, options },
  ...(first !== undefined && { first }),
});

function byType(place: Place): Guess {
  const [type = '', other] = [...place.types].sort();
  if (other !== undefined) {
    const isText = type === 'N' && other === 'S' && place.types.size === 2;
    if (isText) return { word: word('hashed', {}, BUCKETS), why: 'texts and numbers, which only a hash takes alike' };
    const isKept = ![...place.types].some((it) => ['N', 'BOOL', ''].includes(it));
    return isKept
      ? { word: word('string'), why: 'kept as text' }
      : { word: undefined, why: 'no feature takes them all' };
  }
  switch (type) {
    case 'N':
      return ofNumbers(place);
    case 'S':
      return ofTexts(place);
    case 'BOOL':
      return { word: word('boolean'), why: '' };
    case '':
      return { word: undefined, why: 'no attribute value' };
    default:
      return { word: word('string'), why: 'kept as JSON; `path` leads to a value inside' };
  }
}

function ofNumbers(place: Place): Guess {
  const texts = place.values.map(({ N }) => canonicalDecimal(String(N)));
  const numbers = texts.filter((it) => it !== undefined);
  if (numbers.length < texts.length) return { word: undefined, why: 'not all are numbers' };
  const sorted = numbers.toSorted(compareDecimals);
  const [least = '', greatest = ''] = [sorted[0], sorted.at(-1)];
  const why = `${least} to ${greatest}`;
  const isTime = ([seconds]: (string | undefined)[]) =>
    seconds !== undefined && Number(seconds) >= TIMES[0] && Number(seconds) < TIMES[1];
  if (TIME.test(nameOf(place)) && [least, greatest].every((it) => isTime([secondsOfNumber(it)]))) {
    return { word: word('timestamp'), why: `${why}, as times` };
  }
  const bounds = Number(least) >= 0 && numbers.length >= ITEMS_FOR_BOUNDS_MIN ? { min: 0 } : {};
  const isWhole = numbers.every((it) => 'text' in WHOLE.judge(it));
  return { word: word(isWhole ? 'integral' : 'fractional', isWhole ? bounds : {}), why };
}

/** Which numbers an integral takes. */
const WHOLE = numberRule({ type: 'integral' });

function ofTexts(place: Place): Guess {
  const texts = place.values.map(({ S }) => String(S));
  if (isPersonal(place)) return { word: word('string'), why: '' };
  if (texts.every((it) => secondsOfText(it) !== undefined))
    return { word: word('timestamp'), why: 'dates in ISO 8601' };
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  if (counts.size === 1) return { word: word('string'), why: 'one value, from which nothing can be learned' };
  const categories = inOrder([...counts.keys()].filter((it) => it !== ''));
  const isList =
    categories.length >= 2 && categories.length <= CATEGORIES_MAX && !texts.some((it) => /[\r\n]/.test(it));
  if (isList && texts.length >= counts.size * ITEMS_PER_CATEGORY_MIN) {
    const singles = [...counts.values()].filter((it) => it === 1).length;
    const isOpen = counts.has('') || singles / texts.length > SINGLES_SHARE_MAX;
    const why = isOpen
      ? 'there may be values that the sample lacks'
      : 'all values of the sample; any other goes to quarantine';
    return { word: word('categorical', isOpen ? { others: true } : {}, categories), why };
  }
  const comesAgain = counts.size * 2 <= texts.length && texts.every((it) => it.length <= CHARACTERS_MAX);
  if (comesAgain) return { word: word('hashed', {}, BUCKETS), why: `${counts.size} values` };
  return { word: word('string'), why: `${counts.size} values, kept as text` };
}

/** Alphabetically, or as the words of a known vocabulary, all of them. */
function inOrder(categories: readonly string[]): string[] {
  const vocabulary = VOCABULARIES.find((it) => categories.length >= 3 && categories.every((one) => it.includes(one)));
  if (vocabulary) return [...vocabulary];
  return categories.toSorted((a, b) => Number(LAST.test(a)) - Number(LAST.test(b)) || (a < b ? -1 : 1));
}

const WORDS = { boolean, fractional, integral, string, timestamp };

/** The feature that a word makes. */
export function featureOf({ word: name, first, options }: Word, more: object = {}) {
  const given = { ...options, ...more };
  if (name === 'categorical') return categorical(first as readonly string[], given);
  if (name === 'hashed') return hashed(first as number, given);
  return WORDS[name](given as never);
}
