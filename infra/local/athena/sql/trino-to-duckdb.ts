import { closing, is, type Token, tokensOf, UntranslatedSql, unquoted } from './sql-tokens.ts';
import { DUCKDB_FUNCTIONS } from './trino-functions.ts';

/**
 * Translates the Trino SQL that Tributary and its users' queries are made of, for DuckDB with `integer_division` on:
 *
 * - SELECT, WITH and VALUES, whose syntax the two share, and UNLOAD around them;
 * - names of the catalog AwsDataCatalog, which is left out, and unquoted names that only DuckDB reserves (`default`);
 * - the functions of {@link DUCKDB_FUNCTIONS}, renamed where needed, and no others.
 *
 * Known differences that remain: rows of VALUES need parentheses, a double cast to varchar is spelled DuckDB's way, and dividing an integer by zero is
 * null instead of an error.
 */
export type Statement = { readonly kind: 'select'; readonly sql: string } | UnloadStatement;

export interface UnloadStatement {
  readonly kind: 'unload';
  readonly sql: string;
  /** s3:// location. */
  readonly to: string;
  readonly fieldDelimiter: string;
  readonly compression: 'GZIP' | 'NONE';
  /** The query's last column, whose values name folders and are not in the files; undefined: there are no folders. */
  readonly partitionedBy: string | undefined;
}

/** Default field delimiter of UNLOAD in TEXTFILE. Source: Athena, UNLOAD. */
const UNLOAD_DELIMITER = '\u0001';

/** Words before a parenthesis that are no functions. */
const KEYWORDS = new Set(
  `ALL AND ANY AS BETWEEN BY CASE CHAR CROSS CUBE DECIMAL DISTINCT ELSE END EXCEPT EXISTS FILTER FROM GROUP HAVING IN
   INTERSECT IS JOIN LIKE LIMIT NOT OFFSET ON OR ORDER OVER PARTITION ROLLUP SELECT SETS SOME THEN TIMESTAMP UNION USING
   VALUES VARCHAR WHEN WHERE WITH`.split(/\s+/),
);

/** Words that DuckDB reserves and Trino takes as names. QUALIFY and PIVOT are DuckDB's syntax, and no Trino. */
const RESERVED_BY_DUCKDB = new Set(
  `ANALYSE ANALYZE CHECK COLUMN DEFAULT DEFERRABLE DO FOREIGN INITIALLY LAMBDA PIVOT PLACING PRIMARY QUALIFY REFERENCES
   RETURNING SHOW SUMMARIZE SYMMETRIC UNIQUE UNPIVOT VARIADIC`.split(/\s+/),
);

/** Names of Athena's own catalog, in lower case. */
const CATALOG = 'awsdatacatalog';

/**
 * @throws UntranslatedSql saying what it is that cannot be translated.
 */
export function trinoToDuckDb(trino: string): Statement {
  const tokens = tokensOf(trino);
  if (is(tokens.at(-1), ';')) tokens.pop();
  if (tokens.some((token) => is(token, ';'))) throw new UntranslatedSql('Only one sql statement is allowed');
  if (is(tokens[0], 'UNLOAD')) return unload(tokens);
  return { kind: 'select', sql: query(tokens) };
}

function unload(tokens: readonly Token[]): UnloadStatement {
  if (!is(tokens[1], '(')) throw new UntranslatedSql('UNLOAD must be followed by a query in parentheses');
  const end = closing(tokens, 1);
  const [to, location, withWord, open] = tokens.slice(end + 1);
  if (!is(to, 'TO') || location?.kind !== 'text') {
    throw new UntranslatedSql("UNLOAD (...) must be followed by TO 's3://...'");
  }
  if (!is(withWord, 'WITH') || !is(open, '(')) throw new UntranslatedSql('UNLOAD needs WITH (format = ...)');
  const close = closing(tokens, end + 4);
  if (close !== tokens.length - 1) throw new UntranslatedSql('something follows the WITH (...) of UNLOAD');
  const values = properties(tokens.slice(end + 5, close));
  const { format, field_delimiter, compression = 'GZIP', partitioned_by, ...others } = values;
  const [unknown] = Object.keys(others);
  if (unknown) throw new UntranslatedSql(`the property ${unknown} of UNLOAD is not translated`);
  if (format?.toUpperCase() !== 'TEXTFILE')
    throw new UntranslatedSql(`the format ${format} of UNLOAD is not translated`);
  const codec = compression.toUpperCase();
  if (codec !== 'GZIP' && codec !== 'NONE') throw new UntranslatedSql(`the compression ${codec} is not translated`);
  return {
    kind: 'unload',
    sql: query(tokens.slice(2, end)),
    to: unquoted(location),
    fieldDelimiter: field_delimiter ?? UNLOAD_DELIMITER,
    compression: codec,
    partitionedBy: partitioned_by,
  };
}

/** `name = 'text', partitioned_by = ARRAY['text'], ...` */
function properties(tokens: readonly Token[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (let index = 0; index < tokens.length; ) {
    const [name, equals, ...rest] = tokens.slice(index);
    const isArray = is(name, 'PARTITIONED_BY');
    const isClosed = !isArray || (is(rest[0], 'ARRAY') && is(rest[1], '[') && is(rest[3], ']'));
    const [value, comma] = isArray ? [rest[2], rest[4]] : rest;
    const isText = isClosed && value?.kind === 'text';
    if (name?.kind !== 'word' || !is(equals, '=') || !isText || (comma && !is(comma, ','))) {
      throw new UntranslatedSql(
        "the properties of UNLOAD must be name = 'text', or partitioned_by = ARRAY['column'], separated by commas",
      );
    }
    values[name.text.toLowerCase()] = unquoted(value);
    index += isArray ? 7 : 4;
  }
  return values;
}

function query(tokens: readonly Token[]): string {
  const first = tokens.find((token) => !is(token, '('));
  if (!is(first, 'SELECT') && !is(first, 'WITH') && !is(first, 'VALUES')) {
    throw new UntranslatedSql(`the statement ${first?.text ?? ''} is not translated: only queries and UNLOAD are`);
  }
  let sql = '';
  for (const [index, token] of tokens.entries()) {
    const isLeftOut = isCatalog(tokens, index) || isCatalog(tokens, index - 1);
    sql += `${token.space ? ' ' : ''}${isLeftOut ? '' : translated(token, tokens, index)}`;
  }
  return sql.trim();
}

/** `awsdatacatalog.` at the beginning of a name. */
function isCatalog(tokens: readonly Token[], index: number): boolean {
  const name = tokens[index];
  if (!name || !is(tokens[index + 1], '.') || is(tokens[index - 1], '.')) return false;
  const text = name.kind === 'quoted' ? name.text.slice(1, -1) : name.text;
  return name.kind !== 'text' && text.toLowerCase() === CATALOG;
}

function translated(token: Token, tokens: readonly Token[], index: number): string {
  const { kind, text } = token;
  if (is(token, '[')) throw new UntranslatedSql('arrays are not translated');
  if (kind !== 'word' && kind !== 'quoted') return text;
  if (isFunction(token, tokens, index)) {
    const name = (kind === 'quoted' ? text.slice(1, -1) : text).toLowerCase();
    const duckDb = DUCKDB_FUNCTIONS.get(name);
    if (!duckDb) throw new UntranslatedSql(`the function ${name} is not translated to DuckDB`);
    return duckDb === name ? text : duckDb;
  }
  return kind === 'word' && RESERVED_BY_DUCKDB.has(text.toUpperCase()) ? `"${text}"` : text;
}

/** A name before a parenthesis, unless it is a keyword or the parenthesis lists the columns of an alias. */
function isFunction({ kind, text }: Token, tokens: readonly Token[], index: number): boolean {
  if (!is(tokens[index + 1], '(')) return false;
  if (kind === 'word' && KEYWORDS.has(text.toUpperCase())) return false;
  const before = tokens[index - 1];
  // `... AS t (a, b)` and `(...) t (a, b)`.
  if (is(before, 'AS') || is(before, ')')) return false;
  // `WITH t (a, b) AS (...)`.
  const end = closing(tokens, index + 1);
  return !(is(tokens[end + 1], 'AS') && is(tokens[end + 2], '(') && (is(before, 'WITH') || is(before, ',')));
}
