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
 * @throws SqlError at the first character that begins none, and for a text, a name or a comment that has no end.
 */
export function tokensOf(sql: string): Token[] {
  checkIsClosed(sql);
  const tokens: Token[] = [];
  for (let position = 0; position < sql.length; ) {
    const piece = pieceAt(sql, position);
    if (!piece) throw new SqlError('SYNTAX_ERROR', `mismatched input '${sql.slice(position, position + 20)}'`);
    if (piece.kind !== 'space') tokens.push({ kind: piece.kind, text: piece.text, at: position });
    position += piece.text.length;
  }
  return tokens;
}

/** What begins a text, a name or a comment, and what ends it. A quote within is written twice: two texts, for this. */
const ENCLOSED: Readonly<Record<string, string>> = { "'": "'", '"': '"', '`': '`', '/*': '*/', '--': '\n' };

/**
 * Readers of tokens look for the end of each text, name and comment, and begin again behind its first character when
 * there is none: that would take time in proportion to the square of a statement's length.
 *
 * @throws SqlError
 */
export function checkIsClosed(sql: string): void {
  const begins = /['"`]|\/\*|--/g;
  for (let match = begins.exec(sql); match; match = begins.exec(sql)) {
    const [open] = match;
    const close = ENCLOSED[open] ?? open;
    const end = sql.indexOf(close, match.index + open.length);
    if (end < 0 && open === '--') return;
    if (end < 0)
      throw new SqlError(
        'SYNTAX_ERROR',
        `mismatched input '${sql.slice(match.index, match.index + 20)}'`,
        placeIn(sql, match.index),
      );
    begins.lastIndex = end + close.length;
  }
}

function placeIn(sql: string, index: number): { line: number; column: number } {
  const lines = sql.slice(0, index).split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
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
