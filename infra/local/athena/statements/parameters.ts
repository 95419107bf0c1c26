import type { Parse } from '../sql/grammar.ts';
import { notProven, SqlError } from '../sql/sql-error.ts';
import { is, type Token, tokensOf } from '../sql/sql-tokens.ts';

/**
 * A statement with its `?` replaced by the values given, each of which must be a literal, so that none can change the
 * statement.
 *
 * @throws SqlError INVALID_PARAMETER_USAGE
 */
export function withParameters(sql: string, values: readonly string[], parse: Parse): string {
  const marks = tokensOf(sql).filter((it) => is(it, '?'));
  if (marks.length !== values.length) {
    const message = `Incorrect number of parameters: expected ${marks.length} but found ${values.length}`;
    throw new SqlError('INVALID_PARAMETER_USAGE', message);
  }
  const literals = values.map((value) => literalOf(value, parse));
  let [filled, from] = ['', 0];
  for (const [index, { at }] of marks.entries()) {
    filled += `${sql.slice(from, at)}${literals[index]}`;
    from = at + 1;
  }
  return filled + sql.slice(from);
}

/** Without what is around it: a comment would take in what follows. */
function literalOf(value: string, parse: Parse): string {
  const tokens = tokensOf(value);
  if (!isLiteral(tokens)) {
    throw notProven('a parameter that is not a literal', "write a number, a text as 'text', or DATE '2026-01-01'");
  }
  const literal = tokens.map(({ text }) => text).join(' ');
  parse(`SELECT ${literal}`);
  return literal;
}

/** One literal: a number, a text, a boolean, null, or a text with its type before it. */
function isLiteral(tokens: readonly Token[]): boolean {
  const [first, second] = tokens;
  if (tokens.length === 1) {
    return first?.kind === 'text' || first?.kind === 'number' || ['TRUE', 'FALSE', 'NULL'].some((it) => is(first, it));
  }
  if (tokens.length !== 2) return false;
  return (is(first, '-') && second?.kind === 'number') || (first?.kind === 'word' && second?.kind === 'text');
}
