import { invalid } from '../engine/dynalite.ts';

export interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'symbol' | 'end';
  /** A word as it is written; names and texts without their quotes. */
  readonly text: string;
}

const TOKEN =
  /\s+|--[^\n]*|(?<word>[A-Za-z_][A-Za-z0-9_]*)|"(?<name>(?:[^"]|"")*)"|'(?<text>(?:[^']|'')*)'|(?<number>-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?<symbol><<|>>|<>|!=|<=|>=|\|\||[-+*/(){}[\],.:;=<>?])/y;

/** Tokens of a statement, and an end. @throws AwsError when there is something that is none. */
function tokensOf(statement: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < statement.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(statement)?.groups;
    if (!groups) throw invalid(`Statement wasn't well formed, can't be processed: unexpected character at ${at + 1}`);
    if (groups.word !== undefined) tokens.push({ kind: 'word', text: groups.word });
    else if (groups.name !== undefined) tokens.push({ kind: 'name', text: groups.name.replaceAll('""', '"') });
    else if (groups.text !== undefined) tokens.push({ kind: 'text', text: groups.text.replaceAll("''", "'") });
    else if (groups.number !== undefined) tokens.push({ kind: 'number', text: groups.number });
    else if (groups.symbol !== undefined) tokens.push({ kind: 'symbol', text: groups.symbol });
  }
  return [...tokens, { kind: 'end', text: 'the end' }];
}

/** Reads tokens one after the other. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(statement: string) {
    this.#tokens = tokensOf(statement);
  }

  get current(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: 'the end' };
  }

  next(): Token {
    const token = this.current;
    this.#at += 1;
    return token;
  }

  /** Passes over a keyword or symbol if it is the next. */
  skip(text: string): boolean {
    const { kind, text: found } = this.current;
    const isSame = kind === 'symbol' ? found === text : kind === 'word' && found.toUpperCase() === text;
    if (isSame) this.#at += 1;
    return isSame;
  }

  /** @throws AwsError when another token is next. */
  expect(text: string): void {
    if (!this.skip(text)) throw this.unexpected(text);
  }

  /** An identifier, quoted or not. @throws AwsError when another token is next. */
  identifier(): string {
    const { kind, text } = this.current;
    if (kind !== 'word' && kind !== 'name') throw this.unexpected('a name');
    this.#at += 1;
    return text;
  }

  /** Whether the next token is one of these keywords. */
  isAt(...words: readonly string[]): boolean {
    const { kind, text } = this.current;
    return kind === 'word' && words.includes(text.toUpperCase());
  }

  unexpected(expected: string) {
    return invalid(
      `Statement wasn't well formed, can't be processed: expected ${expected}, found ${JSON.stringify(this.current.text)}`,
    );
  }
}
