import type { Signatures } from '../calls/signatures.ts';
import { type Expr, sqlOf } from '../values/expr.ts';

/** Characters that Java takes for white space, which Trino's trim removes. */
const WHITE_SPACE = String.fromCodePoint(
  ...[0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004],
  ...[0x2005, 0x2006, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x205f, 0x3000],
);

const invalid = (message: string, type = 'VARCHAR') =>
  sqlOf.fail('INVALID_FUNCTION_ARGUMENT', sqlOf.text(message), type);

/** From a position of 1 or more, or counted from the end if it is negative. Position 0 gives nothing. */
const FROM = `CASE WHEN $2 = 0 OR abs($2) > length($1) THEN '' ELSE substring($1, $2) END`;
const FROM_FOR = `CASE WHEN $2 = 0 OR abs($2) > length($1) OR $3 <= 0 THEN '' ELSE substring($1, $2, $3) END`;

/** DuckDB folds characters beyond ASCII otherwise: `ß` becomes `ẞ`. */
const folded = (name: string) =>
  `CASE WHEN regexp_full_match($1, '[\\x00-\\x7F]*') THEN ${name}($1) ELSE trino_${name}($1) END`;

const PAD = (name: string) => `CASE WHEN $2 < 0 THEN ${invalid('Target length must be in the range [0..2147483647]')}
  WHEN $3 = '' THEN ${invalid('Padding string must not be empty')} ELSE ${name}($1, CAST($2 AS INTEGER), $3) END`;

const trimmed = (name: string): Signatures => ({
  [`${name}(varchar(x)) -> varchar(x)`]: `${name}($1, ${sqlOf.text(WHITE_SPACE)})`,
  [`${name}(varchar(x),varchar(y)) -> varchar(x)`]: `${name}($1, $2)`,
});

const part = (name: string): Signatures => ({
  [`${name}(varchar(x),bigint) -> varchar(x)`]: FROM,
  [`${name}(varchar(x),bigint,bigint) -> varchar(x)`]: FROM_FOR,
});

/** Trino's functions of texts and bytes. */
export const TEXT_FUNCTIONS: Signatures = {
  'length(varchar(x)) -> bigint': 'length($1)',
  'length(varbinary) -> bigint': 'octet_length($1)',
  'lower(varchar(x)) -> varchar(x)': folded('lower'),
  'upper(varchar(x)) -> varchar(x)': folded('upper'),
  ...trimmed('trim'),
  ...trimmed('ltrim'),
  ...trimmed('rtrim'),
  'replace(varchar(x),varchar(y)) -> varchar(x)': "replace($1, $2, '')",
  'replace(varchar(x),varchar(y),varchar(z)) -> varchar': 'trino_replace($1, $2, $3)',
  ...part('substr'),
  ...part('substring'),
  'strpos(varchar(x),varchar(y)) -> bigint': 'strpos($1, $2)',
  'starts_with(varchar(x),varchar(y)) -> boolean': 'starts_with($1, $2)',
  'reverse(varchar(x)) -> varchar(x)': 'trino_reverse($1)',
  'lpad(varchar(x),bigint,varchar(y)) -> varchar': PAD('lpad'),
  'rpad(varchar(x),bigint,varchar(y)) -> varchar': PAD('rpad'),
  'chr(bigint) -> varchar(1)': 'chr(CAST($1 AS INTEGER))',
  'codepoint(varchar(x)) -> integer': `CASE WHEN length($1) <> 1 THEN ${invalid('Input string must be a single character string', 'INTEGER')} ELSE unicode($1) END`,
  'levenshtein_distance(varchar(x),varchar(y)) -> bigint': 'trino_levenshtein($1, $2)',
  'hamming_distance(varchar(x),varchar(y)) -> bigint': `CASE WHEN length($1) <> length($2) THEN ${invalid('The input strings to hamming_distance function must have the same length', 'BIGINT')} ELSE trino_hamming($1, $2) END`,
  'split(varchar(x),varchar(y)) -> array(varchar(x))': `CASE WHEN $2 = '' THEN ${invalid('The delimiter may not be the empty string', 'VARCHAR[]')} ELSE string_split($1, $2) END`,
  'split(varchar(x),varchar(y),bigint) -> array(varchar(x))': splitLimited,
  'split_part(varchar(x),varchar(y),bigint) -> varchar(x)': `CASE WHEN $3 <= 0 THEN ${invalid('Index must be greater than zero')}
    WHEN $2 = '' THEN CASE WHEN $3 > length($1) THEN NULL ELSE substring($1, $3, 1) END
    ELSE string_split($1, $2)[$3] END`,
  'translate(varchar,varchar,varchar) -> varchar': 'translate($1, $2, $3)',
  'concat_ws(varchar,array(varchar)) -> varchar': 'CASE WHEN $2 IS NULL THEN NULL ELSE array_to_string($2, $1) END',
  'to_utf8(varchar) -> varbinary': 'encode($1)',
  'from_utf8(varbinary) -> varchar': 'decode($1)',
  'to_hex(varbinary) -> varchar': 'hex($1)',
  'from_hex(varchar) -> varbinary': `CASE WHEN regexp_full_match($1, '([0-9a-fA-F]{2})*') THEN unhex($1) WHEN $1 IS NULL THEN NULL ELSE ${invalid('The input to from_hex must be pairs of hexadecimal digits', 'BLOB')} END`,
  'to_base64(varbinary) -> varchar': 'to_base64($1)',
  'from_base64(varchar) -> varbinary': 'from_base64($1)',
  'md5(varbinary) -> varbinary': 'unhex(md5($1))',
  'sha1(varbinary) -> varbinary': 'unhex(sha1($1))',
  'sha256(varbinary) -> varbinary': 'unhex(sha256($1))',
  ...Object.fromEntries(
    ['protocol', 'host', 'path', 'query', 'fragment'].map((name) => [
      `url_extract_${name}(varchar) -> varchar`,
      `trino_url_part($1, '${name}')`,
    ]),
  ),
  'url_extract_port(varchar) -> bigint': "CAST(trino_url_part($1, 'port') AS BIGINT)",
  'url_extract_parameter(varchar,varchar) -> varchar': 'trino_url_parameter($1, $2)',
  'url_encode(varchar) -> varchar': 'trino_url_encode($1)',
  'url_decode(varchar) -> varchar': 'trino_url_decode($1)',
};

/** The last of at most `limit` parts is the rest. */
function splitLimited([text, delimiter, limit]: readonly Expr[]): string {
  const [s, d, n] = [text?.sql ?? '', delimiter?.sql ?? '', limit?.sql ?? ''];
  const parts = `string_split(${s}, ${d})`;
  return `CASE WHEN ${n} <= 0 THEN ${invalid('Limit must be positive', 'VARCHAR[]')}
    WHEN ${d} = '' THEN ${invalid('The delimiter may not be the empty string', 'VARCHAR[]')}
    WHEN len(${parts}) <= ${n} THEN ${parts}
    ELSE list_append(${parts}[1:(${n} - 1)], array_to_string(${parts}[${n}:], ${d})) END`;
}
