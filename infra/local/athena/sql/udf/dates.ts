import { offsetMinutes, utcMs } from '../values/literal.ts';
import { invalidArgument, type Udf } from './udf.ts';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
].concat(['November', 'December']);
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const DAY_MS = 86_400_000;

/** Times in microseconds since 1970, as DuckDB has them. */
export const DATE_UDFS: Readonly<Record<string, Udf>> = {
  'trino_iso_micros(varchar) -> bigint': (text: string) => isoOf(text).micros,
  'trino_iso_minutes(varchar) -> bigint': (text: string) => BigInt(isoOf(text).minutes),
  'trino_offset(bigint) -> varchar': (minutes: bigint) => {
    const size = Number(minutes < 0n ? -minutes : minutes);
    return `${minutes < 0n ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  },
  'trino_date_format(bigint, varchar) -> varchar': (micros: bigint, format: string) => formatted(micros, format),
  'trino_date_parse(varchar, varchar) -> bigint': (text: string, format: string) => parsed(text, format),
};

const two = (value: number) => String(value).padStart(2, '0');

/** ISO 8601: a date, and a time with or without a zone, which is UTC unless it is said. Milliseconds are kept. */
function isoOf(text: string): { micros: bigint; minutes: number } {
  const match =
    /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:T(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?)?)?(Z|[+-]\d\d(?::?\d\d)?)?$/.exec(
      text,
    );
  const [, year = '', month = '01', day = '01', hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] =
    match ?? [];
  const ms = utcMs([text, year, month, day, hour, minute, second] as unknown as RegExpExecArray);
  if (!match || ms === undefined) throw invalidArgument(`Invalid format: "${text}"`);
  const minutes = offsetMinutes(/^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone);
  return { micros: BigInt(ms + Number(fraction.padEnd(3, '0').slice(0, 3)) - minutes * 60_000) * 1_000n, minutes };
}

type Writer = (date: Date, micros: bigint) => string;

const hour12 = (date: Date) => date.getUTCHours() % 12 || 12;
const dayOfYear = (date: Date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS) + 1;

/** ISO week and its year. */
function isoWeek(date: Date): { week: number; year: number } {
  const thursday = new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * DAY_MS);
  return { week: Math.ceil(dayOfYear(thursday) / 7), year: thursday.getUTCFullYear() };
}

/** MySQL's letters, as far as Trino has them. */
const WRITERS: Readonly<Record<string, Writer>> = {
  a: (it) => (DAYS[it.getUTCDay()] ?? '').slice(0, 3),
  b: (it) => (MONTHS[it.getUTCMonth()] ?? '').slice(0, 3),
  c: (it) => String(it.getUTCMonth() + 1),
  d: (it) => two(it.getUTCDate()),
  e: (it) => String(it.getUTCDate()),
  f: (_, micros) => String(((micros % 1_000_000n) + 1_000_000n) % 1_000_000n).padStart(6, '0'),
  H: (it) => two(it.getUTCHours()),
  h: (it) => two(hour12(it)),
  I: (it) => two(hour12(it)),
  i: (it) => two(it.getUTCMinutes()),
  j: (it) => String(dayOfYear(it)).padStart(3, '0'),
  k: (it) => String(it.getUTCHours()),
  l: (it) => String(hour12(it)),
  M: (it) => MONTHS[it.getUTCMonth()] ?? '',
  m: (it) => two(it.getUTCMonth() + 1),
  p: (it) => (it.getUTCHours() < 12 ? 'AM' : 'PM'),
  r: (it) =>
    `${two(hour12(it))}:${two(it.getUTCMinutes())}:${two(it.getUTCSeconds())} ${it.getUTCHours() < 12 ? 'AM' : 'PM'}`,
  S: (it) => two(it.getUTCSeconds()),
  s: (it) => two(it.getUTCSeconds()),
  T: (it) => it.toISOString().slice(11, 19),
  v: (it) => two(isoWeek(it).week),
  W: (it) => DAYS[it.getUTCDay()] ?? '',
  x: (it) => String(isoWeek(it).year).padStart(4, '0'),
  Y: (it) => String(it.getUTCFullYear()).padStart(4, '0'),
  y: (it) => two(it.getUTCFullYear() % 100),
  '%': () => '%',
};

function formatted(micros: bigint, format: string): string {
  const date = new Date(Number(micros / 1_000n - (micros % 1_000n < 0n ? 1n : 0n)));
  return format.replace(/%(.)?/gs, (_, letter: string | undefined) => {
    if (letter === undefined) throw invalidArgument('Invalid format: a % at the end');
    if ('DUuVwX'.includes(letter)) throw unsupported(letter);
    return WRITERS[letter]?.(date, micros) ?? letter;
  });
}

const unsupported = (letter: string) => invalidArgument(`%${letter} not currently supported in the date format string`);

/** What of a time each letter gives, and the most characters it takes: as many digits as there are, up to these. */
const READERS: Readonly<Record<string, readonly [field: string, characters: number]>> = {
  ...{ Y: ['year', 9], y: ['shortYear', 2], m: ['month', 2], c: ['month', 2], d: ['day', 2], e: ['day', 2] },
  ...{ H: ['hour', 2], k: ['hour', 2], h: ['hour12', 2], I: ['hour12', 2], l: ['hour12', 2], i: ['minute', 2] },
  ...{ s: ['second', 2], S: ['second', 2], f: ['fraction', 9], p: ['half', 2], b: ['shortMonth', 3] },
  M: ['monthName', 9],
};
const WORDS = ['half', 'shortMonth', 'monthName'];

/** The fields of a text by a format, or undefined. Each takes what it can, and gives nothing back. */
function fieldsOf(text: string, format: string): Map<string, string> | undefined {
  const found = new Map<string, string>();
  const expanded = format.replaceAll('%T', '%H:%i:%s').replaceAll('%r', '%h:%i:%s %p');
  let at = 0;
  for (let index = 0; index < expanded.length; index++) {
    const letter = expanded[index] === '%' ? (expanded[++index] ?? '') : '';
    if (letter === '' || letter === '%') {
      if (text[at++] !== (letter || expanded[index])) return undefined;
      continue;
    }
    const reader = READERS[letter];
    if (!reader) throw unsupported(letter);
    const [field, characters] = reader;
    const isTaken = WORDS.includes(field) ? /[A-Za-z]/ : /\d/;
    let end = at;
    while (end < text.length && end - at < characters && isTaken.test(text[end] ?? '')) end += 1;
    if (end === at) return undefined;
    found.set(field, text.slice(at, end));
    at = end;
  }
  return at === text.length ? found : undefined;
}

function parsed(text: string, format: string): bigint {
  const invalid = () => invalidArgument(`Invalid format: "${text.slice(0, 100)}"`);
  const found = fieldsOf(text, format);
  if (!found) throw invalid();
  const number = (name: string) => (found.has(name) ? Number(found.get(name)) : undefined);
  const monthBy = (name: string, length: number) => {
    const text = found.get(name)?.toLowerCase();
    return text === undefined
      ? undefined
      : MONTHS.findIndex((it) => it.slice(0, length || it.length).toLowerCase() === text) + 1;
  };
  const short = number('shortYear');
  const year = number('year') ?? (short === undefined ? 1970 : short < 70 ? 2000 + short : 1900 + short);
  const month = number('month') ?? monthBy('shortMonth', 3) ?? monthBy('monthName', 0) ?? 1;
  const half = found.get('half')?.toLowerCase();
  const hour12 = number('hour12');
  if (hour12 !== undefined && (hour12 < 1 || hour12 > 12)) throw invalid();
  const hour = number('hour') ?? (hour12 === undefined ? 0 : (hour12 % 12) + (half === 'pm' ? 12 : 0));
  const parts = [year, month, number('day') ?? 1, hour, number('minute') ?? 0, number('second') ?? 0];
  const ms = utcMs(['', ...parts.map(String)] as unknown as RegExpExecArray);
  if (ms === undefined) throw invalid();
  // Trino's result has milliseconds.
  return BigInt(ms) * 1_000n + BigInt((found.get('fraction') ?? '').padEnd(3, '0').slice(0, 3)) * 1_000n;
}
