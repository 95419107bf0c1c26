import { type Column, type GlueCatalog, hasParts, type Table, type View } from '../catalog.ts';
import type { Parse } from '../sql/grammar.ts';
import { QueryTranslator } from '../sql/queries/queries.ts';
import { notProven, SqlError } from '../sql/sql-error.ts';
import { is, type Token, unquoted } from '../sql/sql-tokens.ts';
import { typeName } from '../sql/values/trino-types.ts';
import { createTableText, hiveTypeOf } from './hive.ts';
import { namesOf } from './statements.ts';

/** The answer of a statement that only looks at the catalog: rows of one text each. */
export interface Answer {
  readonly kind: AnswerKind;
  readonly names: readonly string[];
  readonly lines: readonly string[];
  /** Partitions of a table, which are found among its objects. */
  readonly partitionsOf?: Table;
}

type AnswerKind =
  | 'SHOW_TABLES'
  | 'SHOW_VIEWS'
  | 'SHOW_DATABASES'
  | 'SHOW_COLUMNS'
  | 'SHOW_CREATE_TABLE'
  | 'SHOW_CREATE_VIEW'
  | 'SHOW_PARTITIONS'
  | 'SHOW_TBLPROPERTIES'
  | 'DESCRIBE_TABLE';

interface Surroundings {
  readonly database: string;
  readonly catalog: GlueCatalog;
  readonly parse: Parse;
}

/** Width of the columns of DESCRIBE, as Hive pads them. */
const WIDTH = 20;

/** SHOW … and DESCRIBE …, which are Hive's statements; undefined for any other. @throws SqlError */
export function describe(tokens: readonly Token[], around: Surroundings): Answer | undefined {
  const [first, second, third] = tokens;
  if (is(first, 'DESCRIBE') || is(first, 'DESC')) return described(tokens, around);
  if (is(first, 'EXPLAIN')) {
    throw notProven('EXPLAIN', 'run the statement, and ask GetQueryRuntimeStatistics what it read');
  }
  if (!is(first, 'SHOW')) return undefined;
  if (is(second, 'TABLES') || is(second, 'VIEWS')) return tables(tokens, around);
  if (is(second, 'DATABASES') || is(second, 'SCHEMAS')) return databases(tokens, around);
  if (is(second, 'COLUMNS')) return columns(tokens, around);
  if (is(second, 'CREATE') && (is(third, 'TABLE') || is(third, 'VIEW'))) return created(tokens, around);
  if (is(second, 'PARTITIONS')) {
    const found = relation(namesOf(tokens.slice(2)), around);
    if (!('columns' in found) || found.partitionKeys.length === 0) {
      throw new SqlError('FAILED', `Execution Error. Table ${found.name} is not a partitioned table`);
    }
    return { kind: 'SHOW_PARTITIONS', names: ['partition'], lines: [], partitionsOf: found };
  }
  if (is(second, 'TBLPROPERTIES')) return properties(tokens, around);
  throw notProven(
    `SHOW ${second?.text ?? ''}`,
    'write SHOW TABLES, DATABASES, COLUMNS, CREATE TABLE, CREATE VIEW, PARTITIONS or TBLPROPERTIES',
  );
}

/** `IN database` or `FROM database`, then a pattern, of which each may be missing. */
function tables(tokens: readonly Token[], around: Surroundings): Answer {
  const hasDatabase = is(tokens[2], 'IN') || is(tokens[2], 'FROM');
  const database = hasDatabase ? namesOf(tokens.slice(3, 4))[0] : around.database;
  const pattern = patternOf(tokens.slice(hasDatabase ? 4 : 2));
  requireDatabase(database ?? '', around);
  const { tables, views } = around.catalog;
  const isViews = is(tokens[1], 'VIEWS');
  const found = isViews ? [...views.values()] : [...tables.values(), ...views.values()];
  const lines = found
    .filter((it) => it.database === database)
    .map((it) => it.name)
    .filter((it) => pattern(it))
    .sort();
  return { kind: isViews ? 'SHOW_VIEWS' : 'SHOW_TABLES', names: [isViews ? 'views' : 'tab_name'], lines };
}

function databases(tokens: readonly Token[], { catalog }: Surroundings): Answer {
  const pattern = patternOf(tokens.slice(is(tokens[2], 'LIKE') ? 3 : 2));
  const lines = [...catalog.databases].filter((it) => pattern(it)).sort();
  return { kind: 'SHOW_DATABASES', names: ['database_name'], lines };
}

function columns(tokens: readonly Token[], around: Surroundings): Answer {
  if (!is(tokens[2], 'IN') && !is(tokens[2], 'FROM'))
    throw new SqlError('SYNTAX_ERROR', 'SHOW COLUMNS must be followed by IN or FROM');
  const second = tokens.findIndex((token, index) => index > 3 && (is(token, 'IN') || is(token, 'FROM')));
  const names =
    second < 0 ? namesOf(tokens.slice(3)) : [...namesOf(tokens.slice(second + 1)), ...namesOf(tokens.slice(3, second))];
  const lines = columnsOf(relation(names, around), around).map(({ name }) => name.padEnd(WIDTH));
  return { kind: 'SHOW_COLUMNS', names: ['field'], lines };
}

function described(tokens: readonly Token[], around: Surroundings): Answer {
  const isMore = is(tokens[1], 'EXTENDED') || is(tokens[1], 'FORMATTED');
  if (isMore) throw notProven(`DESCRIBE ${tokens[1]?.text}`, 'write DESCRIBE, or ask Glue for the table');
  const found = relation(namesOf(tokens.slice(1)), around);
  const row = (name: string, type: string, comment = '') =>
    [name, type, comment].map((it) => it.padEnd(WIDTH)).join('\t');
  const lines = columnsOf(found, around).map(({ name, type, comment }) => row(name, type, comment));
  if ('columns' in found && found.partitionKeys.length > 0) {
    const keys = found.partitionKeys.map(({ name, type, comment }) => row(name, type, comment));
    lines.push('\t \t ', '# Partition Information\t \t ', row('# col_name', 'data_type', 'comment'), '\t \t ', ...keys);
  }
  return { kind: 'DESCRIBE_TABLE', names: ['col_name', 'data_type', 'comment'], lines };
}

function created(tokens: readonly Token[], around: Surroundings): Answer {
  const found = relation(namesOf(tokens.slice(3)), around);
  const isView = is(tokens[2], 'VIEW');
  if (isView !== !('columns' in found)) {
    throw new SqlError(
      'FAILED',
      `${found.database}.${found.name} is ${isView ? 'a table: write SHOW CREATE TABLE' : 'a view: write SHOW CREATE VIEW'}`,
    );
  }
  if (!('columns' in found)) {
    const lines = `CREATE VIEW ${found.database}.${found.name} AS\n${found.sql}`.split('\n');
    return { kind: 'SHOW_CREATE_VIEW', names: ['Create View'], lines };
  }
  return { kind: 'SHOW_CREATE_TABLE', names: ['createtab_stmt'], lines: createTableText(found) };
}

function properties(tokens: readonly Token[], around: Surroundings): Answer {
  const open = tokens.findIndex((it) => is(it, '('));
  const found = relation(namesOf(tokens.slice(2, open < 0 ? undefined : open)), around);
  const name = tokens[open + 1];
  const wanted = open >= 0 && name?.kind === 'text' ? unquoted(name) : undefined;
  const all = Object.entries(found.input.Parameters ?? {});
  const lines =
    wanted === undefined
      ? all.map(([key, value]) => `${key}\t${value}`)
      : all.filter(([key]) => key === wanted).map(([, value]) => String(value));
  return { kind: 'SHOW_TBLPROPERTIES', names: ['prpt_name', 'prpt_value'], lines };
}

/** `'a*|b*'`: a star is any text, a bar means or. */
function patternOf(tokens: readonly Token[]): (name: string) => boolean {
  const [text, ...rest] = tokens;
  if (!text) return () => true;
  if (text.kind !== 'text' || rest.length > 0) throw new SqlError('SYNTAX_ERROR', `mismatched input '${text.text}'`);
  const choices = unquoted(text)
    .toLowerCase()
    .split('|')
    .map((it) => it.split('*'));
  return (name) => choices.some((parts) => hasParts(name, parts));
}

function requireDatabase(database: string, { catalog }: Surroundings): void {
  if (catalog.databases.has(database)) return;
  throw new SqlError('FAILED', `SemanticException [Error 10072]: Database does not exist: ${database}`);
}

function relation(names: readonly string[], around: Surroundings): Table | View {
  const database = names.at(-2) ?? around.database;
  requireDatabase(database, around);
  const key = `${database}.${names.at(-1)}`;
  const found = around.catalog.tables.get(key) ?? around.catalog.views.get(key);
  if (!found) throw new SqlError('FAILED', `SemanticException [Error 10001]: Table not found ${key}`);
  return found;
}

/** A table's columns, its partition keys after them, by Hive's names of their types; a view's by those of its query. */
function columnsOf(
  found: Table | View,
  { catalog, parse }: Pick<Surroundings, 'catalog' | 'parse'>,
): readonly Column[] {
  if ('columns' in found) return [...found.columns, ...found.partitionKeys];
  return new QueryTranslator(parse, catalog).columnsOfView(found).map(({ name, type }, index) => ({
    name: name ?? `_col${index}`,
    type: hiveTypeOf(type) ?? typeName(type),
  }));
}
