/**
 * Trino functions that DuckDB has under the same name and with the same meaning, for the types the local Athena has.
 * Left out on purpose: `concat`, `greatest` and `least`, whose nulls differ; `date_add`, whose arguments differ.
 */
const SAME = [
  // Aggregates.
  ...['count', 'sum', 'avg', 'min', 'max', 'corr', 'covar_pop', 'covar_samp', 'regr_slope', 'regr_intercept'],
  ...['stddev', 'stddev_pop', 'stddev_samp', 'variance', 'var_pop', 'var_samp', 'count_if', 'bool_and', 'bool_or'],
  ...['max_by', 'min_by', 'any_value'],
  // Windows.
  ...['row_number', 'rank', 'dense_rank', 'percent_rank', 'ntile', 'lag', 'lead', 'first_value', 'last_value'],
  // Scalars.
  ...['cast', 'try_cast', 'coalesce', 'nullif', 'if', 'abs', 'ceil', 'ceiling', 'floor', 'round', 'sqrt', 'exp', 'ln'],
  ...['log10', 'power', 'pow', 'sign', 'mod', 'pi', 'random', 'lower', 'upper', 'trim', 'ltrim', 'rtrim', 'length'],
  ...['substr', 'substring', 'replace', 'strpos', 'reverse', 'lpad', 'rpad', 'starts_with', 'split_part'],
  ...['date_trunc', 'date_diff', 'extract', 'year', 'month', 'day', 'hour', 'minute', 'second'],
];

const RENAMED: Readonly<Record<string, string>> = {
  every: 'bool_and',
  arbitrary: 'any_value',
  approx_distinct: 'approx_count_distinct',
  rand: 'random',
  to_utf8: 'encode',
  from_utf8: 'decode',
  from_hex: 'unhex',
  is_nan: 'isnan',
  is_finite: 'isfinite',
  is_infinite: 'isinf',
  to_unixtime: 'epoch',
  md5: 'trino_md5',
  to_hex: 'trino_to_hex',
  from_base: 'trino_from_base',
  date: 'trino_date',
  from_iso8601_timestamp: 'trino_from_iso8601_timestamp',
  nan: 'trino_nan',
  infinity: 'trino_infinity',
};

/** DuckDB's name of each Trino function that is translated. */
export const DUCKDB_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ...SAME.map((name) => [name, name] as const),
  ...Object.entries(RENAMED),
]);

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz';

/** Definitions of the functions DuckDB lacks, or has with another result. */
export const DUCKDB_MACROS: readonly string[] = [
  // Trino's md5 takes and gives bytes; DuckDB's gives their hexadecimal text.
  'CREATE MACRO main.trino_md5(bytes) AS unhex(md5(bytes))',
  'CREATE MACRO main.trino_to_hex(bytes) AS upper(hex(bytes))',
  `CREATE MACRO main.trino_from_base(digits, radix) AS list_reduce(list_transform(string_split(lower(digits), ''),
     lambda digit: CASE WHEN strpos('${DIGITS}', digit) BETWEEN 1 AND radix THEN CAST(strpos('${DIGITS}', digit) - 1 AS BIGINT)
       ELSE error('Not a valid base-' || radix || ' number: ' || digits) END),
     lambda value, digit: value * radix + digit)`,
  'CREATE MACRO main.trino_date(value) AS CAST(value AS DATE)',
  "CREATE MACRO main.trino_from_iso8601_timestamp(value) AS CAST(regexp_replace(value, 'Z$', '') AS TIMESTAMP)",
  "CREATE MACRO main.trino_nan() AS CAST('NaN' AS DOUBLE)",
  "CREATE MACRO main.trino_infinity() AS CAST('Infinity' AS DOUBLE)",
];
