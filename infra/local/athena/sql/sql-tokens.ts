import { SqlError } from './sql-error.ts';

/** A piece of SQL, and where it begins. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'text' | 'number' | 'symbol';
  readonly text: string;
  readonly at: number;
}

const PIECES: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['space', /(?:\s+|--[^\n]*|\/\*[\s\S]*?\*\/)+/y],
  ['word', /[a-zA-Z_][a-zA-Z0-9_@$]*/y],
  ['quoted', /`[^`]*`/y],
  ['quoted', /"(?:[^"]|"")*"/y],
  ['text', /'(?:[^']|'')*'/y],
  ['number', /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['symbol', /<>|!=|>=|<=|\|\||[-+*/%=<>(),.;[\]?]/y],
];

/**
 * Cuts Trino SQL into tokens.
 *
 * @throws SqlError at the first character that begins none.
 */
export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  for (let position = 0; position < sql.length; ) {
    const piece = pieceAt(sql, position);
    if (!piece) throw new SqlError('SYNTAX_ERROR', `mismatched input '${sql.slice(position, position + 20)}'`);
    if (piece.kind !== 'space') tokens.push({ kind: piece.kind, text: piece.text, at: position });
    position += piece.text.length;
  }
  return tokens;
}

/** The first token, if there is one that can be read. */
export function firstToken(sql: string): Token[] {
  const space = pieceAt(sql, 0);
  const at = space?.kind === 'space' ? space.text.length : 0;
  const piece = pieceAt(sql, at);
  return piece && piece.kind !== 'space' ? [{ kind: piece.kind, text: piece.text, at }] : [];
}

/** Whether a token is this symbol, or this word in any case. */
export function is(token: Token | undefined, text: string): boolean {
  if (token?.kind === 'symbol') return token.text === text;
  return token?.kind === 'word' && token.text.toUpperCase() === text;
}

/**
 * Index of the parenthesis that closes the one at `open`.
 *
 * @throws SqlError when it is not closed.
 */
export function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let index = open; index < tokens.length; index++) {
    if (is(tokens[index], '(')) depth += 1;
    if (is(tokens[index], ')')) depth -= 1;
    if (depth === 0) return index;
  }
  throw new SqlError('SYNTAX_ERROR', 'a parenthesis is not closed');
}

/** The value of a text literal. */
export function unquoted(token: Token): string {
  return token.text.slice(1, -1).replaceAll("''", "'");
}

function pieceAt(sql: string, position: number): { kind: Token['kind'] | 'space'; text: string } | undefined {
  for (const [kind, pattern] of PIECES) {
    pattern.lastIndex = position;
    const match = pattern.exec(sql);
    if (match) return { kind, text: match[0] };
  }
  return undefined;
}
