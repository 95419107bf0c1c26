/** A piece of SQL. `space` says whether white space or a comment stood before it. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'text' | 'number' | 'symbol';
  readonly text: string;
  readonly space: boolean;
}

/** SQL that the local cloud cannot translate, or that Trino would not parse. */
export class UntranslatedSql extends Error {}

const PIECES: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['space', /(?:\s+|--[^\n]*|\/\*[\s\S]*?\*\/)+/y],
  ['word', /[a-zA-Z_][a-zA-Z0-9_]*/y],
  ['quoted', /"(?:[^"]|"")*"/y],
  ['text', /'(?:[^']|'')*'/y],
  ['number', /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['symbol', /<>|!=|>=|<=|\|\||[-+*/%=<>(),.;[\]]/y],
];

/**
 * Cuts Trino SQL into tokens.
 *
 * @throws UntranslatedSql at the first character that begins none, such as a backquote or a `::`.
 */
export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  let space = false;
  for (let position = 0; position < sql.length; ) {
    const piece = pieceAt(sql, position);
    if (!piece) throw new UntranslatedSql(`mismatched input '${sql.slice(position, position + 20)}' at ${position}`);
    position += piece.text.length;
    if (piece.kind === 'space') space = true;
    else {
      tokens.push({ kind: piece.kind, text: piece.text, space });
      space = false;
    }
  }
  return tokens;
}

/** Whether a token is this symbol, or this word in any case. */
export function is(token: Token | undefined, text: string): boolean {
  if (token?.kind === 'symbol') return token.text === text;
  return token?.kind === 'word' && token.text.toUpperCase() === text;
}

/**
 * Index of the parenthesis that closes the one at `open`.
 *
 * @throws UntranslatedSql when it is not closed.
 */
export function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let index = open; index < tokens.length; index++) {
    if (is(tokens[index], '(')) depth += 1;
    if (is(tokens[index], ')')) depth -= 1;
    if (depth === 0) return index;
  }
  throw new UntranslatedSql('a parenthesis is not closed');
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
