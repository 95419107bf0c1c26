import type { Signatures } from '../calls/signatures.ts';
import { notProven } from '../sql-error.ts';
import { type Expr, sqlOf } from '../values/expr.ts';

/**
 * Trino's regular expressions are Java's, DuckDB's are RE2's, which take time in proportion to the text. Patterns are
 * taken as literals, and only what both read alike.
 */

const ELSEWHERE = 'read the rows, and match them in a program of yours';

/** Java's syntax that RE2 lacks or reads otherwise: looking around, references back, possessive quantifiers, `&&`. */
const NOT_ALIKE = /\(\?[<=!>]|\\[1-9kGRXZhHvVepPcuU]|[*+?}]\+|&&|\[[^\]]*\[/;

function pattern(expr: Expr | undefined): string {
  if (expr?.literal === undefined)
    throw notProven('a regular expression that is not a literal', 'write it as a text', expr?.place);
  if (NOT_ALIKE.test(expr.literal)) {
    throw notProven(
      `the regular expression '${expr.literal.slice(0, 60)}'`,
      `use no references, no looking around, no possessive quantifiers and no \\p; or ${ELSEWHERE}`,
      expr.place,
    );
  }
  return sqlOf.text(expr.literal);
}

/** The group's number. A group that took no part is null in Trino and empty in DuckDB, so it must always take part. */
function group(expr: Expr | undefined, of: Expr | undefined): string {
  if (expr?.literal === undefined) throw notProven('a group that is not a literal', 'write its number', expr?.place);
  if (expr.literal !== '0' && /\||\)[?*]|\)\{0/.test(of?.literal ?? '')) {
    throw notProven(
      'a group of a pattern with | or with groups that may be left out',
      'write a pattern without them',
      expr.place,
    );
  }
  const groups = (of?.literal ?? '').replace(/\\./g, '').match(/\((?!\?)/g)?.length ?? 0;
  if (Number(expr.literal) > groups)
    throw notProven(`group ${expr.literal} of a pattern with ${groups}`, 'count its parentheses', expr.place);
  return expr.literal;
}

/** `$1` of Java is `\1` of RE2. */
function replacement(expr: Expr | undefined): string {
  if (expr?.literal === undefined) {
    throw notProven('a replacement that is not a literal', 'write it as a text', expr?.place);
  }
  let text = '';
  for (const [, escaped, digits, other] of expr.literal.matchAll(/\\([\s\S]?)|\$(\d*)|([^\\$]+)/g)) {
    // Java's escape makes any character itself, and a group has one digit here.
    if (other !== undefined) text += other;
    else if (digits?.length === 1) text += `\\${digits}`;
    else if (escaped) text += escaped === '\\' ? '\\\\' : escaped;
    else {
      const found = `the replacement '${expr.literal.slice(0, 60)}'`;
      throw notProven(found, 'refer to groups as $1 to $9, and write \\$ for a dollar', expr.place);
    }
  }
  return sqlOf.text(text);
}

export const REGEXP_FUNCTIONS: Signatures = {
  'regexp_like(varchar,varchar) -> boolean': ([text, regexp]) => `regexp_matches(${text?.sql}, ${pattern(regexp)})`,
  'regexp_extract(varchar(x),varchar) -> varchar(x)': ([text, regexp]) => extract(text, pattern(regexp), '0'),
  'regexp_extract(varchar(x),varchar,bigint) -> varchar(x)': ([text, regexp, index]) =>
    extract(text, pattern(regexp), group(index, regexp)),
  'regexp_extract_all(varchar(x),varchar) -> array(varchar(x))': ([text, regexp]) =>
    `regexp_extract_all(${text?.sql}, ${pattern(regexp)}, 0)`,
  'regexp_extract_all(varchar(x),varchar,bigint) -> array(varchar(x))': ([text, regexp, index]) =>
    `regexp_extract_all(${text?.sql}, ${pattern(regexp)}, ${group(index, regexp)})`,
  'regexp_replace(varchar,varchar) -> varchar': ([text, regexp]) =>
    `regexp_replace(${text?.sql}, ${pattern(regexp)}, '', 'g')`,
  'regexp_replace(varchar,varchar,varchar) -> varchar': ([text, regexp, by]) =>
    `regexp_replace(${text?.sql}, ${pattern(regexp)}, ${replacement(by)}, 'g')`,
  'regexp_split(varchar(x),varchar) -> array(varchar(x))': ([text, regexp]) =>
    `regexp_split_to_array(${text?.sql}, ${pattern(regexp)})`,
  'regexp_count(varchar(x),varchar) -> bigint': ([text, regexp]) =>
    `len(regexp_extract_all(${text?.sql}, ${pattern(regexp)}, 0))`,
};

function extract(text: Expr | undefined, regexp: string, index: string): string {
  return `CASE WHEN regexp_matches(${text?.sql}, ${regexp}) THEN regexp_extract(${text?.sql}, ${regexp}, ${index}) END`;
}
