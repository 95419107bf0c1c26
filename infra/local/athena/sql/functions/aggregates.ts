import { notProven } from '../sql-error.ts';
import type { Expr } from '../values/expr.ts';
import { duckDbType, isFloating, type Type } from '../values/trino-types.ts';

/**
 * An aggregate function: DuckDB's call, in which `%` stands for DISTINCT, and what is made of the call's value when its
 * FILTER and OVER are written.
 */
export interface Aggregate {
  readonly call: (args: readonly Expr[]) => string;
  /** Another call over the same rows that the result is made of. */
  readonly second?: (args: readonly Expr[]) => string;
  readonly result?: (called: string, type: Type, second: string) => string;
  /** A condition of rows that are left out. */
  readonly only?: (args: readonly Expr[]) => string;
}

const sql = (args: readonly Expr[], index: number) => args[index]?.sql ?? '';
const call = (name: string) => (args: readonly Expr[]) => `${name}(%${args.map((it) => it.sql).join(', ')})`;
const plain = (name: string): Aggregate => ({ call: call(name) });
const cast: Aggregate['result'] = (called, type) => `CAST(${called} AS ${duckDbType(type)})`;

/** Trino gives null where the result is no number, DuckDB NaN. */
const finite: Aggregate['result'] = (called) =>
  `nullif(nullif(${called}, CAST('NaN' AS DOUBLE)), CAST('Infinity' AS DOUBLE))`;

const ordered = (type: Type) => {
  if (type.kind === 'timestamp with time zone' || type.kind === 'map' || type.kind === 'json') {
    throw notProven(`this aggregate of ${type.kind}`, 'cast it to timestamp or varchar');
  }
};

const extreme = (name: string): Aggregate => ({
  call: (args) => {
    for (const { type } of args) ordered(type);
    return call(name)(args);
  },
});

const best = (name: string): Aggregate => ({
  call: (args) => {
    for (const { type } of args.slice(1)) ordered(type);
    return call(name)(args);
  },
});

const quantile: Aggregate = {
  call: ([value, share]) => {
    if (share?.literal === undefined && share?.type.kind !== 'array') {
      throw notProven(
        'a percentage that is not a literal',
        'write it as a number, or as ARRAY[…] of numbers',
        share?.place,
      );
    }
    return `quantile_disc(%${value?.sql}, ${share.sql})`;
  },
};

/** Trino's aggregates, by their signatures. */
export const AGGREGATES: Readonly<Record<string, Aggregate>> = {
  'count() -> bigint': { call: () => 'count(%*)' },
  'count(T) -> bigint': plain('count'),
  'count_if(boolean) -> bigint': { call: call('count_if'), result: cast },
  ...Object.fromEntries(
    ['tinyint', 'smallint', 'integer', 'bigint'].map((type) => [
      `sum(${type}) -> bigint`,
      { call: call('sum'), result: cast },
    ]),
  ),
  'sum(decimal(p,s)) -> decimal(38,s)': { call: call('sum'), result: cast },
  'sum(real) -> real': { call: call('sum'), result: cast },
  'sum(double) -> double': plain('sum'),
  ...Object.fromEntries(
    ['tinyint', 'smallint', 'integer', 'bigint'].map((type) => [`avg(${type}) -> double`, plain('avg')]),
  ),
  // DuckDB's average of decimals is a double.
  'avg(decimal(p,s)) -> decimal(p,s)': {
    call: call('sum'),
    second: call('count'),
    result: (sum, type, count) =>
      `CAST(trino_decimal_divide(CAST(${sum} AS VARCHAR), CAST(nullif(${count}, 0) AS VARCHAR), ${'scale' in type ? type.scale : 0}) AS ${duckDbType(type)})`,
  },
  'avg(real) -> real': { call: call('avg'), result: cast },
  'avg(double) -> double': plain('avg'),
  'min(T) -> T': extreme('min'),
  'max(T) -> T': extreme('max'),
  // Trino takes the row of the greatest y even if its x is null.
  'max_by(T,K) -> T': best('arg_max_null'),
  'min_by(T,K) -> T': best('arg_min_null'),
  'arbitrary(T) -> T': plain('any_value'),
  'any_value(T) -> T': plain('any_value'),
  'bool_and(boolean) -> boolean': plain('bool_and'),
  'bool_or(boolean) -> boolean': plain('bool_or'),
  'every(boolean) -> boolean': plain('bool_and'),
  'corr(double,double) -> double': { call: call('corr'), result: finite },
  'covar_pop(double,double) -> double': plain('covar_pop'),
  'covar_samp(double,double) -> double': { call: call('covar_samp'), result: finite },
  'regr_slope(double,double) -> double': { call: call('regr_slope'), result: finite },
  'regr_intercept(double,double) -> double': { call: call('regr_intercept'), result: finite },
  ...Object.fromEntries(
    ['stddev', 'stddev_samp', 'stddev_pop', 'variance', 'var_samp', 'var_pop'].map((name) => [
      `${name}(double) -> double`,
      plain(name),
    ]),
  ),
  // Athena's is within 2.3 % as a rule; the exact count is.
  'approx_distinct(T) -> bigint': { call: ([x]) => `count(DISTINCT ${x?.sql})` },
  ...Object.fromEntries(
    ['bigint', 'double', 'real'].flatMap((type) => [
      [`approx_percentile(${type},double) -> ${type}`, quantile],
      [`approx_percentile(${type},array(double)) -> array(${type})`, quantile],
    ]),
  ),
  'array_agg(T) -> array(T)': plain('list'),
  'map_agg(K,V) -> map(K,V)': {
    call: ([key, value]) => `list(%{'k': ${key?.sql}, 'v': ${value?.sql}})`,
    result: (called) => `map(list_transform(${called}, lambda e: e.k), list_transform(${called}, lambda e: e.v))`,
    only: (args) => `${sql(args, 0)} IS NOT NULL`,
  },
  'histogram(T) -> map(T,bigint)': {
    call: ([x]) => {
      if (x && (isFloating(x.type) || x.type.kind.startsWith('timestamp'))) {
        throw notProven(`histogram of ${x.type.kind}`, 'group by it, and count', x.place);
      }
      return `histogram(%${x?.sql})`;
    },
    result: cast,
  },
  'bitwise_and_agg(bigint) -> bigint': plain('bit_and'),
  'bitwise_or_agg(bigint) -> bigint': plain('bit_or'),
};

/** Trino's window functions, which need OVER. */
export const WINDOW_FUNCTIONS: Readonly<Record<string, Aggregate>> = {
  ...Object.fromEntries(['row_number', 'rank', 'dense_rank'].map((name) => [`${name}() -> bigint`, plain(name)])),
  ...Object.fromEntries(['percent_rank', 'cume_dist'].map((name) => [`${name}() -> double`, plain(name)])),
  'ntile(bigint) -> bigint': plain('ntile'),
  ...Object.fromEntries(
    ['lag', 'lead'].flatMap((name) => [
      [`${name}(T) -> T`, plain(name)],
      [`${name}(T,bigint) -> T`, plain(name)],
      [`${name}(T,bigint,T) -> T`, plain(name)],
    ]),
  ),
  'first_value(T) -> T': plain('first_value'),
  'last_value(T) -> T': plain('last_value'),
  'nth_value(T,bigint) -> T': plain('nth_value'),
};
