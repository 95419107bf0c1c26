import { registerHooks } from 'node:module';
import type { ParserRuleContext, Token } from 'antlr4ng';
import type { ProgramContext, StatementContext } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { type Place, SqlError } from './sql-error.ts';
import { checkIsClosed } from './sql-tokens.ts';

/** Parses one statement of Trino SQL. @throws SqlError SYNTAX_ERROR, where Trino would say so. */
export type Parse = (sql: string) => StatementContext;

/**
 * Parentheses, brackets and CASEs within each other that are taken. The parser tries every reading of each: 300 of them
 * take seconds, while statements that people and programs write have less than 30.
 */
const NESTING_MAX = 60;
/** Characters of a statement that is parsed once more, exactly: the time that takes may grow faster than the statement. */
const RETRY_CHARACTERS_MAX = 20_000;
/** Lambdas of a statement that are taken: each may hold all that follow. */
const LAMBDAS_MAX = 100;

/** Trees that are kept, and the longest statement whose tree is: some megabytes in all. */
const TREES_MAX = 50;
const TREE_CHARACTERS_MAX = 10_000;

let loaded: Promise<Parse> | undefined;

/** The grammar of Trino, loaded once: it takes a quarter of a second, and the first statement as long again. */
export function trinoGrammar(): Promise<Parse> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Parse> {
  // The package's modules name each other without the `.js` that Node asks for, as bundlers allow.
  const isOfPackage = (url: string | undefined) => url?.includes('/dt-sql-parser/') === true;
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      const isShort = isOfPackage(context.parentURL) && specifier.startsWith('.') && !specifier.endsWith('.js');
      return next(isShort ? `${specifier}.js` : specifier, context);
    },
    load: (url, context, next) => next(url, isOfPackage(url) ? { ...context, format: 'module' } : context),
  });
  try {
    const { BaseErrorListener, CharStreams, CommonTokenStream, PredictionMode } = await import('antlr4ng');
    const { TrinoSqlLexer } = await import('dt-sql-parser/dist/lib/trino/TrinoSqlLexer.js');
    const { TrinoSqlParser } = await import('dt-sql-parser/dist/lib/trino/TrinoSqlParser.js');

    class Thrower extends BaseErrorListener {
      override syntaxError(
        _: unknown,
        token: Token | null,
        line: number,
        column: number,
        message: string | null,
      ): void {
        const found = token?.text ? mismatch(token.text) : (message ?? 'mismatched input');
        throw new SqlError('SYNTAX_ERROR', found, { line, column: column + 1 });
      }
    }

    return remembered((sql) => {
      checkIsClosed(sql);
      const lexer = new TrinoSqlLexer(CharStreams.fromString(sql));
      lexer.removeErrorListeners();
      const tokens = new CommonTokenStream(lexer);
      tokens.fill();
      checkTokens(tokens.getTokens());
      const parsed = (mode: number) => {
        tokens.seek(0);
        const parser = new TrinoSqlParser(tokens);
        parser.removeErrorListeners();
        parser.addErrorListener(new Thrower());
        parser.interpreter.predictionMode = mode;
        return statementOf(parser.program());
      };
      try {
        return parsed(PredictionMode.SLL);
      } catch (error) {
        if (!(error instanceof SqlError) || sql.length > RETRY_CHARACTERS_MAX) throw error;
        // The quick mode may fail where the exact one does not.
        return parsed(PredictionMode.LL);
      }
    });
  } finally {
    hooks.deregister();
  }
}

/** The same views are read by query after query: their trees, which nothing changes, are kept. */
function remembered(parse: Parse): Parse {
  const trees = new Map<string, StatementContext>();
  return (sql) => {
    const known = trees.get(sql);
    if (known) return known;
    const tree = parse(sql);
    if (sql.length > TREE_CHARACTERS_MAX) return tree;
    const [oldest] = trees.keys();
    if (trees.size >= TREES_MAX && oldest !== undefined) trees.delete(oldest);
    trees.set(sql, tree);
    return tree;
  };
}

function mismatch(text: string): string {
  return text === '<EOF>' ? "mismatched input '<EOF>'" : `mismatched input '${text.slice(0, 40)}'`;
}

function statementOf(program: ProgramContext): StatementContext {
  const [first, second] = program.statements();
  if (second) throw new SqlError('SYNTAX_ERROR', 'Only one sql statement is allowed.');
  if (!first) throw new SqlError('SYNTAX_ERROR', "mismatched input '<EOF>'", { line: 1, column: 1 });
  return first.singleStatement().statement();
}

/** @throws SqlError for what the grammar takes and Trino does not, and for what would take the parser long. */
function checkTokens(tokens: readonly Token[]): void {
  let [depth, cases, lambdas] = [0, 0, 0];
  for (const { text = '', line, column } of tokens) {
    const place = { line, column: column + 1 };
    if (text?.startsWith('`')) {
      const message = 'backquoted identifiers are not supported; use double quotes to quote identifiers';
      throw new SqlError('SYNTAX_ERROR', message, place);
    }
    const upper = text?.length === 4 || text?.length === 3 ? text.toUpperCase() : text;
    if (upper === '(' || upper === '[') depth += 1;
    if (upper === ')' || upper === ']') depth -= 1;
    if (upper === 'CASE') cases += 1;
    if (upper === 'END' && cases > 0) cases -= 1;
    if (upper === '->') lambdas += 1;
    if (depth + cases > NESTING_MAX) {
      throw new SqlError('STACK_OVERFLOW', `The local Athena takes ${NESTING_MAX} nested parentheses at most`, place);
    }
    if (lambdas > LAMBDAS_MAX) {
      throw new SqlError('STACK_OVERFLOW', `The local Athena takes ${LAMBDAS_MAX} lambdas at most`, place);
    }
  }
}

/** Where a part of a statement begins. */
export function placeOf({ start }: ParserRuleContext): Place {
  return { line: start?.line ?? 1, column: (start?.column ?? 0) + 1 };
}

/** A part of a statement as it is written. */
export function textOf({ start, stop }: ParserRuleContext): string {
  if (!start || !stop) return '';
  return start.inputStream?.getText(start.start, stop.stop) ?? '';
}

/** A name as Trino compares it: in lower case, whether it is quoted or not. @throws SqlError for a name that begins with a digit. */
export function nameOf(identifier: ParserRuleContext): string {
  const text = identifier.getText();
  if (/^\d/.test(text)) {
    const message = 'identifiers must not start with a digit; surround the identifier with double quotes';
    throw new SqlError('SYNTAX_ERROR', message, placeOf(identifier));
  }
  return (text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text).toLowerCase();
}

/** The value of a text literal. */
export function textLiteral(literal: ParserRuleContext): string {
  const text = literal.getText();
  if (!text.startsWith("'")) {
    throw new SqlError('NOT_SUPPORTED', "The local Athena takes text as '…', not as U&'…'", placeOf(literal));
  }
  return text.slice(1, -1).replaceAll("''", "'");
}
