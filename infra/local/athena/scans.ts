import type { GlueCatalog, Table } from './catalog.ts';
import { closing, is, type Token, tokensOf, unquoted } from './sql/sql-tokens.ts';

/** A comparison of a partition key with a literal. */
export interface Condition {
  readonly key: string;
  readonly operator: string;
  readonly value: string;
}

/** One reading of a table: the objects of the partitions that meet every condition. */
export interface Scan {
  readonly table: Table;
  readonly conditions: readonly Condition[];
}

const OPERATORS: Readonly<Record<string, (a: string, b: string) => boolean>> = {
  '=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** Words that begin a clause. What follows WHERE ends at the first of the others. */
const CLAUSES = ['SELECT', 'FROM', 'WHERE', 'GROUP', 'HAVING', 'WINDOW', 'ORDER', 'OFFSET', 'LIMIT'];
const SET_OPERATIONS = ['UNION', 'EXCEPT', 'INTERSECT'];

/**
 * The tables that a query reads, and which of their partitions: those that the conditions of its WHERE allow, as far as
 * they compare a partition key with a text and are joined by AND. Any other condition leaves nothing out, nor does one
 * beside a join; DuckDB, which has the whole query, leaves it out later.
 *
 * @param database of unqualified names.
 * @throws Error CONSTRAINT_VIOLATION when the value of an injected partition key is not given.
 */
export function scansOf(trino: string, database: string, catalog: GlueCatalog): Scan[] {
  const tokens = tokensOf(trino);
  return tokens.flatMap((_, index) => {
    const name = isRelation(tokens, index) ? nameAt(tokens, index) : undefined;
    if (!name) return [];
    const qualified = `${name.database ?? database}.${name.table}`;
    const view = catalog.views.get(qualified);
    if (view) return scansOf(view.sql, view.database, catalog);
    const table = catalog.tables.get(qualified);
    if (!table) return [];
    const conditions = conditionsAfter(tokens, name.end, table);
    const missing = table.injectedKeys.find((key) => !conditions.some((it) => it.key === key && it.operator === '='));
    if (missing !== undefined) {
      throw new Error(
        `CONSTRAINT_VIOLATION: For the injected projected partition column ${missing}, the WHERE clause must contain only static equality conditions, and at least one such condition must be present.`,
      );
    }
    return [{ table, conditions }];
  });
}

/** Whether a partition's values, by key, meet the conditions of a scan. */
export function isScanned({ conditions }: Scan, partition: Readonly<Record<string, string | undefined>>): boolean {
  return conditions.every(({ key, operator, value }) => OPERATORS[operator]?.(partition[key] ?? '', value));
}

/** After FROM or JOIN, or after a comma of FROM. */
function isRelation(tokens: readonly Token[], index: number): boolean {
  const before = tokens[index - 1];
  if (is(before, 'FROM') || is(before, 'JOIN')) return true;
  if (is(before, '(')) return isRelation(tokens, index - 1);
  return is(before, ',') && clauseOf(tokens, index - 1) === 'FROM';
}

/** The word that began the clause of a token, within its parentheses. */
function clauseOf(tokens: readonly Token[], index: number): string | undefined {
  let depth = 0;
  for (let at = index; at >= 0; at--) {
    if (is(tokens[at], ')')) depth += 1;
    if (is(tokens[at], '(')) depth -= 1;
    if (depth < 0) return undefined;
    const clause = depth === 0 ? CLAUSES.find((word) => is(tokens[at], word)) : undefined;
    if (clause) return clause;
  }
  return undefined;
}

function nameAt(tokens: readonly Token[], index: number) {
  const parts: string[] = [];
  for (let at = index; ; at += 2) {
    const token = tokens[at];
    if (token?.kind !== 'word' && token?.kind !== 'quoted') return undefined;
    parts.push(nameOf(token));
    if (!is(tokens[at + 1], '.')) return { table: parts.at(-1), database: parts.at(-2), end: at + 1 };
  }
}

/** Conditions on partition keys in the WHERE that follows a table's name directly. */
function conditionsAfter(tokens: readonly Token[], end: number, table: Table): Condition[] {
  if (!is(tokens[end], 'WHERE')) return [];
  const conjuncts: Token[][] = [[]];
  for (let at = end + 1; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token || is(token, ')') || [...CLAUSES, ...SET_OPERATIONS].some((word) => is(token, word))) break;
    if (is(token, 'OR')) return [];
    if (is(token, 'AND')) conjuncts.push([]);
    else if (is(token, '(')) {
      // A condition in parentheses: long enough never to be taken for a comparison.
      const close = closing(tokens, at);
      conjuncts.at(-1)?.push(...tokens.slice(at, close + 1));
      at = close;
    } else conjuncts.at(-1)?.push(token);
  }
  return conjuncts.flatMap(([name, operator, value, ...rest]) => {
    if (!name || !operator || value?.kind !== 'text' || rest.length > 0 || !OPERATORS[operator.text]) return [];
    const key = nameOf(name);
    if (!table.partitionKeys.some((it) => it.name === key && it.type === 'string')) return [];
    return [{ key, operator: operator.text, value: unquoted(value) }];
  });
}

function nameOf({ kind, text }: Token): string {
  return (kind === 'quoted' ? text.slice(1, -1).replaceAll('""', '"') : text).toLowerCase();
}
