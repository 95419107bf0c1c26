import type {
  CreateTableAsSelectContext,
  CreateViewContext,
  StatementContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { GlueCatalog } from '../catalog.ts';
import { nameOf, type Parse, placeOf, textOf } from '../sql/grammar.ts';
import { type Translation, translateStatement, withinStack } from '../sql/sql.ts';
import { notProven, SqlError } from '../sql/sql-error.ts';
import { closing, firstToken, is, type Token, tokensOf, unquoted } from '../sql/sql-tokens.ts';
import { type Answer, describe } from './describe.ts';
import { propertiesOf, type WriteOptions, writeOptions } from './write-options.ts';

/** What a statement of Athena's asks for. */
export type Statement =
  | ({ readonly kind: 'SELECT' } & Translation)
  | ({ readonly kind: 'UNLOAD'; readonly to: string; readonly options: WriteOptions } & Translation)
  | ({
      readonly kind: 'CREATE_TABLE_AS_SELECT';
      readonly database: string;
      readonly name: string;
      readonly ifNotExists: boolean;
      readonly withData: boolean;
      /** s3:// location; undefined: below the query's results. */
      readonly location: string | undefined;
      readonly options: WriteOptions;
    } & Translation)
  | ({
      readonly kind: 'CREATE_VIEW';
      readonly database: string;
      readonly name: string;
      readonly orReplace: boolean;
      readonly source: string;
    } & Translation)
  | { readonly kind: 'DROP_VIEW'; readonly database: string; readonly name: string; readonly ifExists: boolean }
  | { readonly kind: 'DROP_TABLE'; readonly database: string; readonly name: string; readonly ifExists: boolean }
  | Answer;

interface Surroundings {
  readonly database: string;
  readonly catalog: GlueCatalog;
  readonly parse: Parse;
}

/**
 * Reads a statement: Trino's queries and views by Trino's grammar, Athena's own statements around them by theirs.
 *
 * @throws SqlError
 */
export function readStatement(sql: string, around: Surroundings): Statement {
  return withinStack(() => read(sql, around));
}

function read(sql: string, around: Surroundings): Statement {
  const own = ownStatement(sql, around);
  if (own) return own;
  const statement = around.parse(sql);
  switch (statement.constructor.name) {
    case 'CreateTableAsSelectContext':
      return createTable(statement as CreateTableAsSelectContext, around);
    case 'CreateViewContext':
      return createView(statement as CreateViewContext, around);
    default:
      return { kind: 'SELECT', ...translate(statement, around) };
  }
}

/** Statements that are Athena's or Hive's, and not Trino's. */
function ownStatement(sql: string, around: Surroundings): Statement | undefined {
  const [first] = firstToken(sql);
  if (!first || !['UNLOAD', 'SHOW', 'DESCRIBE', 'DESC', 'EXPLAIN', 'DROP'].some((it) => is(first, it)))
    return undefined;
  const tokens = tokensOf(sql);
  if (is(tokens.at(-1), ';')) tokens.pop();
  if (is(first, 'UNLOAD')) return unload(sql, tokens, around);
  if (is(first, 'DROP')) return is(tokens[1], 'TABLE') || is(tokens[1], 'VIEW') ? drop(tokens, around) : undefined;
  return describe(tokens, around);
}

const translate = (statement: StatementContext, { database, catalog, parse }: Surroundings) =>
  translateStatement(statement, database, catalog, parse);

/** `UNLOAD (query) TO 's3://…' WITH (…)`, which is Athena's own. */
function unload(sql: string, tokens: readonly Token[], around: Surroundings): Statement {
  const syntax = (message: string) => new SqlError('SYNTAX_ERROR', message);
  if (!is(tokens[1], '(')) throw syntax('UNLOAD must be followed by a query in parentheses');
  const end = closing(tokens, 1);
  const [to, location, withWord, open] = tokens.slice(end + 1);
  if (!is(to, 'TO') || location?.kind !== 'text') throw syntax("UNLOAD (...) must be followed by TO 's3://...'");
  if (!is(withWord, 'WITH') || !is(open, '(')) throw syntax('UNLOAD needs WITH (format = ...)');
  const close = closing(tokens, end + 4);
  if (close !== tokens.length - 1) throw syntax('something follows the WITH (...) of UNLOAD');
  const properties = propertiesOf(tokens.slice(end + 5, close));
  if (properties.format === undefined) throw syntax('UNLOAD needs WITH (format = ...)');
  // Line and column of what is inside are those of the whole.
  const first = (tokens[1]?.at ?? 0) + 1;
  const inside = `${sql.slice(0, first).replace(/[^\n]/g, ' ')}${sql.slice(first, tokens[end]?.at)}`;
  const options = writeOptions(properties, 'UNLOAD');
  return { kind: 'UNLOAD', to: unquoted(location), options, ...translate(around.parse(inside), around) };
}

function createTable(ctx: CreateTableAsSelectContext, around: Surroundings): Statement {
  const query = ctx.rootQuery();
  if (!query || ctx.columnListCreate())
    throw notProven('CREATE TABLE … (columns) AS', 'name the columns in the query', placeOf(ctx));
  if (ctx.KW_REPLACE())
    throw new SqlError('NOT_SUPPORTED', 'This connector does not support replacing tables', placeOf(ctx));
  const written = ctx.properties();
  const tokens = written ? tokensOf(textOf(written)).slice(1, -1) : [];
  const { external_location: location, ...properties } = propertiesOf(tokens);
  const translation = around.parse(textOf(query));
  return {
    kind: 'CREATE_TABLE_AS_SELECT',
    ...targetOf(ctx.tableNameCreate().identifier().map(nameOf), around),
    ifNotExists: ctx.KW_EXISTS() !== null,
    withData: ctx.KW_NO() === null,
    location,
    options: writeOptions(properties, 'CREATE TABLE AS'),
    ...translate(translation, around),
  };
}

function createView(ctx: CreateViewContext, around: Surroundings): Statement {
  const source = textOf(ctx.rootQuery());
  const target = targetOf(ctx.viewNameCreate().identifier().map(nameOf), around);
  const translation = translate(around.parse(source), around);
  const unnamed = translation.columns.findIndex(({ name }) => name === undefined);
  if (unnamed >= 0) {
    throw new SqlError('MISSING_COLUMN_NAME', `Column name not specified at position ${unnamed + 1}`, placeOf(ctx));
  }
  return { kind: 'CREATE_VIEW', ...target, orReplace: ctx.KW_REPLACE() !== null, source, ...translation };
}

function drop(tokens: readonly Token[], around: Surroundings): Statement {
  const ifExists = is(tokens[2], 'IF') && is(tokens[3], 'EXISTS');
  const names = namesOf(tokens.slice(ifExists ? 4 : 2));
  return { kind: is(tokens[1], 'VIEW') ? 'DROP_VIEW' : 'DROP_TABLE', ...targetOf(names, around), ifExists };
}

function targetOf(names: readonly string[], { database, catalog }: Surroundings) {
  const target = { database: names.at(-2) ?? database, name: names.at(-1) ?? '' };
  if (!catalog.databases.has(target.database)) {
    throw new SqlError('SCHEMA_NOT_FOUND', `Schema '${target.database}' does not exist`);
  }
  return target;
}

/** The parts of a name in Hive's statements, which may be in backquotes. @throws SqlError when anything follows it. */
export function namesOf(tokens: readonly Token[]): string[] {
  const names: string[] = [];
  for (let index = 0; ; index += 2) {
    const token = tokens[index];
    if (token?.kind !== 'word' && token?.kind !== 'quoted')
      throw new SqlError('SYNTAX_ERROR', `mismatched input '${token?.text ?? '<EOF>'}'`);
    const text = token.kind === 'quoted' ? token.text.slice(1, -1).replaceAll('""', '"') : token.text;
    names.push(text.toLowerCase());
    if (!is(tokens[index + 1], '.')) {
      const rest = tokens[index + 1];
      if (rest) throw new SqlError('SYNTAX_ERROR', `mismatched input '${rest.text}'`);
      return names;
    }
  }
}
