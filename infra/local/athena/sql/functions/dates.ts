import type { Signatures } from '../calls/signatures.ts';
import { notProven, SqlError } from '../sql-error.ts';
import { cast, localTime, zonedText } from '../values/cast.ts';
import { type Expr, sqlOf } from '../values/expr.ts';
import { DATE } from '../values/trino-types.ts';

/** Units of time, largest last, and how DuckDB adds each. */
const UNITS: Readonly<Record<string, (count: string) => string>> = {
  millisecond: (count) => `to_microseconds(${count} * 1000)`,
  second: (count) => `to_microseconds(${count} * 1000000)`,
  minute: (count) => `to_microseconds(${count} * 60000000)`,
  hour: (count) => `to_microseconds(${count} * 3600000000)`,
  day: (count) => `to_days(CAST(${count} AS INTEGER))`,
  week: (count) => `to_days(CAST(${count} * 7 AS INTEGER))`,
  month: (count) => `to_months(CAST(${count} AS INTEGER))`,
  quarter: (count) => `to_months(CAST(${count} * 3 AS INTEGER))`,
  year: (count) => `to_months(CAST(${count} * 12 AS INTEGER))`,
};
const DATE_UNITS = ['day', 'week', 'month', 'quarter', 'year'];

function unitOf(expr: Expr | undefined, of: 'date' | 'time'): string {
  const unit = expr?.literal?.toLowerCase();
  if (unit === undefined)
    throw notProven('a unit of time that is not a literal', "write it as a text, such as 'day'", expr?.place);
  if (!(unit in UNITS) || (of === 'date' && !DATE_UNITS.includes(unit))) {
    const message = `'${unit}' is not a valid ${of === 'date' ? 'DATE' : 'TIMESTAMP'} field`;
    throw new SqlError('INVALID_FUNCTION_ARGUMENT', message, expr?.place);
  }
  return unit;
}

/** A time on its own clock, changed there, with the same offset. */
const onLocalClock = (sql: string, changed: (local: string) => string): string =>
  sqlOf.zoned(`(${changed(localTime(sql))} - to_minutes((${sql}).m))`, `(${sql}).m`);

/** Something of a date, of a timestamp and of a timestamp on its own clock. */
function part(
  name: string,
  sql: (local: string) => string,
  kinds = ['date', 'timestamp', 'timestamp with time zone'],
): Signatures {
  const all: Record<string, (args: readonly Expr[]) => string> = {};
  if (kinds.includes('date')) all[`${name}(date) -> bigint`] = ([x]) => sql(x?.sql ?? '');
  all[`${name}(timestamp(p)) -> bigint`] = ([x]) => sql(x?.sql ?? '');
  all[`${name}(timestamp(p) with time zone) -> bigint`] = ([x]) => sql(localTime(x?.sql ?? ''));
  return all;
}

const CLOCK = ['timestamp', 'timestamp with time zone'];

/** EXTRACT's fields, by the functions that give them. */
export const EXTRACT_FIELDS: Readonly<Record<string, string>> = {
  ...{ year: 'year', quarter: 'quarter', month: 'month', week: 'week', day: 'day', day_of_month: 'day' },
  ...{ day_of_week: 'day_of_week', dow: 'day_of_week', day_of_year: 'day_of_year', doy: 'day_of_year' },
  ...{ year_of_week: 'year_of_week', yow: 'year_of_week', hour: 'hour', minute: 'minute', second: 'second' },
};

const seconds = (sql: string) => `(epoch_us(${sql}) / 1000000.0)`;

/** Trino's functions of dates and times. */
export const DATE_FUNCTIONS: Signatures = {
  'date_trunc(varchar,date) -> date': ([unit, x]) => `CAST(date_trunc('${unitOf(unit, 'date')}', ${x?.sql}) AS DATE)`,
  'date_trunc(varchar,timestamp(p)) -> timestamp(p)': ([unit, x]) => `date_trunc('${unitOf(unit, 'time')}', ${x?.sql})`,
  'date_trunc(varchar,timestamp(p) with time zone) -> timestamp(p) with time zone': ([unit, x]) =>
    onLocalClock(x?.sql ?? '', (local) => `date_trunc('${unitOf(unit, 'time')}', ${local})`),
  'date_add(varchar,bigint,date) -> date': ([unit, count, x]) =>
    `CAST((${x?.sql} + ${UNITS[unitOf(unit, 'date')]?.(count?.sql ?? '')}) AS DATE)`,
  'date_add(varchar,bigint,timestamp(p)) -> timestamp(p)': ([unit, count, x]) =>
    `(${x?.sql} + ${UNITS[unitOf(unit, 'time')]?.(count?.sql ?? '')})`,
  'date_add(varchar,bigint,timestamp(p) with time zone) -> timestamp(p) with time zone': ([unit, count, x]) =>
    onLocalClock(x?.sql ?? '', (local) => `(${local} + ${UNITS[unitOf(unit, 'time')]?.(count?.sql ?? '')})`),
  // Whole units that have passed, which DuckDB calls date_sub.
  'date_diff(varchar,date,date) -> bigint': ([unit, a, b]) =>
    `date_sub('${unitOf(unit, 'date')}', ${a?.sql}, ${b?.sql})`,
  'date_diff(varchar,timestamp(p),timestamp(q)) -> bigint': ([unit, a, b]) =>
    `date_sub('${unitOf(unit, 'time')}', ${a?.sql}, ${b?.sql})`,
  'date_diff(varchar,timestamp(p) with time zone,timestamp(q) with time zone) -> bigint': ([unit, a, b]) => {
    const onClockOfA = `((${b?.sql}).u + to_minutes((${a?.sql}).m))`;
    return `date_sub('${unitOf(unit, 'time')}', ${localTime(a?.sql ?? '')}, ${onClockOfA})`;
  },
  ...part('year', (x) => `year(${x})`),
  ...part('quarter', (x) => `quarter(${x})`),
  ...part('month', (x) => `month(${x})`),
  ...part('week', (x) => `week(${x})`),
  ...part('week_of_year', (x) => `week(${x})`),
  ...part('day', (x) => `day(${x})`),
  ...part('day_of_month', (x) => `day(${x})`),
  ...part('day_of_week', (x) => `isodow(${x})`),
  ...part('dow', (x) => `isodow(${x})`),
  ...part('day_of_year', (x) => `dayofyear(${x})`),
  ...part('doy', (x) => `dayofyear(${x})`),
  ...part('year_of_week', (x) => `isoyear(${x})`),
  ...part('yow', (x) => `isoyear(${x})`),
  ...part('hour', (x) => `hour(${x})`, CLOCK),
  ...part('minute', (x) => `minute(${x})`, CLOCK),
  ...part('second', (x) => `second(${x})`, CLOCK),
  ...part('millisecond', (x) => `(millisecond(${x}) % 1000)`, CLOCK),
  'last_day_of_month(date) -> date': 'last_day($1)',
  'last_day_of_month(timestamp(p)) -> date': 'last_day($1)',
  'last_day_of_month(timestamp(p) with time zone) -> date': ([x]) => `last_day(${localTime(x?.sql ?? '')})`,
  'date(date) -> date': '$1',
  'date(varchar(x)) -> date': ([x]) => (x ? cast(x, DATE, x.place ?? { line: 1, column: 1 }).sql : ''),
  'date(timestamp(p)) -> date': 'CAST($1 AS DATE)',
  'date(timestamp(p) with time zone) -> date': ([x]) => `CAST(${localTime(x?.sql ?? '')} AS DATE)`,
  'from_unixtime(double) -> timestamp(3) with time zone': ([x]) =>
    sqlOf.zoned(`make_timestamp(CAST(round(${x?.sql} * 1000) AS BIGINT) * 1000)`),
  'to_unixtime(timestamp(p)) -> double': ([x]) => seconds(x?.sql ?? ''),
  'to_unixtime(timestamp(p) with time zone) -> double': ([x]) => seconds(`(${x?.sql}).u`),
  'from_iso8601_timestamp(varchar) -> timestamp(3) with time zone': ([x]) => zonedText(x?.sql ?? ''),
  'from_iso8601_date(varchar) -> date': `CASE WHEN regexp_full_match($1, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN CAST($1 AS DATE) WHEN $1 IS NULL THEN NULL
    ELSE ${sqlOf.fail('INVALID_FUNCTION_ARGUMENT', `'Invalid format: "' || $1 || '"'`, 'DATE')} END`,
  'to_iso8601(date) -> varchar(16)': 'CAST($1 AS VARCHAR)',
  'to_iso8601(timestamp(3)) -> varchar(26)': ([x]) => iso(x?.sql ?? '', 3),
  'to_iso8601(timestamp(3) with time zone) -> varchar(32)': ([x]) =>
    `(${iso(localTime(x?.sql ?? ''), 3)} || CASE WHEN (${x?.sql}).m = 0 THEN 'Z' ELSE trino_offset((${x?.sql}).m) END)`,
  'date_format(timestamp(p),varchar) -> varchar': ([x, format]) => dateFormat(x?.sql ?? '', format),
  'date_format(timestamp(p) with time zone,varchar) -> varchar': ([x, format]) =>
    dateFormat(localTime(x?.sql ?? ''), format),
  'date_parse(varchar(x),varchar) -> timestamp(3)': 'make_timestamp(trino_date_parse($1, $2))',
  'at_timezone(timestamp(p) with time zone,varchar) -> timestamp(p) with time zone': ([x, zone]) =>
    atZone(x, zone?.literal, zone),
};

function iso(sql: string, digits: number): string {
  return `left(strftime(${sql}, '%Y-%m-%dT%H:%M:%S.%f'), ${20 + digits})`;
}

function dateFormat(sql: string, format: Expr | undefined): string {
  return `trino_date_format(epoch_us(${sql}), ${format?.sql})`;
}

/** The same moment on another clock. Only UTC and offsets are known: the rules of places change. */
export function atZone(time: Expr | undefined, zone: string | undefined, place: Expr | undefined): string {
  const match = /^(UTC|Z|GMT|[+-]\d{2}:\d{2})$/i.exec(zone ?? '');
  if (!match)
    throw notProven('a time zone other than UTC or an offset', "write an offset, such as '+02:00'", place?.place);
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d{2}):(\d{2})$/.exec(zone ?? '') ?? [];
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  return sqlOf.zoned(`(${time?.sql}).u`, String(offset));
}
