import type * as Trino from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { GlueCatalog, View } from '../../catalog.ts';
import type { Context, OutputColumn, TranslatedQuery } from '../context.ts';
import { expression } from '../expression.ts';
import { nameOf, type Parse, placeOf, textOf } from '../grammar.ts';
import { type Field, Scope } from '../scope.ts';
import { notProven, type Place, SqlError } from '../sql-error.ts';
import { coerced, commonType } from '../values/coercion.ts';
import type { Expr } from '../values/expr.ts';
import { isSame, type Type, typeName } from '../values/trino-types.ts';
import { limitSql, positionOf, rowValues } from './clauses.ts';
import { namedRelation, type Scan } from './relation.ts';
import { selectQuery } from './select.ts';
import { sortedBy } from './sort.ts';

/** What surrounds a query: the database of unqualified names, the queries of WITH, and the names of queries around it. */
export interface Surroundings {
  readonly database: string;
  readonly named: ReadonlyMap<string, NamedQuery>;
  readonly outer?: Scope | undefined;
}

interface NamedQuery extends TranslatedQuery {
  readonly alias: string;
  readonly scans: readonly Scan[];
}

interface Ordering {
  readonly context: Context;
  readonly outputs: readonly Expr[];
  /** Of rows that are distinct there is nothing to order by but what is selected. */
  readonly isDistinct: boolean;
}

/** A query without WITH, ORDER BY and LIMIT, and what its ORDER BY may refer to. */
export interface QueryBody extends TranslatedQuery {
  /** Names beside the output's own, and how the output's values are written there. Absent: only the output's. */
  readonly ordering?: Ordering | undefined;
}

/** Views within views that are followed: Trino has no such limit, but a view of itself would have no end. */
const VIEW_DEPTH_MAX = 20;

/** Translates Trino's queries into DuckDB's, with Trino's types, names and errors. */
export class QueryTranslator {
  readonly catalog: GlueCatalog;
  readonly now: Date;
  /** What the statement reads. */
  readonly scans: Scan[] = [];
  readonly #parse: Parse;
  #namesMade = 0;
  #viewDepth = 0;

  constructor(parse: Parse, catalog: GlueCatalog, now = new Date()) {
    this.#parse = parse;
    this.catalog = catalog;
    this.now = now;
  }

  /** A name that nothing else in the statement has. */
  newName(prefix: string): string {
    this.#namesMade += 1;
    return `${prefix}${this.#namesMade}`;
  }

  /** A statement's query. @throws SqlError */
  root(ctx: Trino.RootQueryContext, database: string): TranslatedQuery {
    if (ctx.withFunction()) throw notProven('WITH FUNCTION', 'write the expression itself', placeOf(ctx));
    return this.query(ctx.query(), { database, named: new Map() });
  }

  query(ctx: Trino.QueryContext, around: Surroundings): TranslatedQuery {
    const statement = ctx as Trino.QueryStatementContext;
    const withClause = statement.with();
    if (!withClause) return this.ordered(statement.queryNoWith(), around);
    if (withClause.KW_RECURSIVE())
      throw notProven('WITH RECURSIVE', 'write as many joins as there are levels', placeOf(ctx));
    const named = new Map(around.named);
    const definitions = withClause.namedQuery().map((it) => {
      const found = this.#namedQuery(it, { ...around, named });
      named.set(nameOf(it.identifier()), found);
      return `${found.alias} AS (${found.sql})`;
    });
    const body = this.ordered(statement.queryNoWith(), { ...around, named });
    return { ...body, sql: `WITH ${definitions.join(', ')} ${body.sql}` };
  }

  #namedQuery(ctx: Trino.NamedQueryContext, around: Surroundings): NamedQuery {
    const before = this.scans.length;
    const query = this.query(ctx.query(), around);
    // It is read as often as it is named.
    const scans = this.scans.splice(before);
    const aliases = ctx.columnAliases()?.identifier().map(nameOf);
    if (aliases && aliases.length !== query.columns.length) {
      const message = `Column alias list has ${aliases.length} entries but relation has ${query.columns.length} columns`;
      throw new SqlError('MISMATCHED_COLUMN_ALIASES', message, placeOf(ctx));
    }
    const columns = query.columns.map((it, index) => ({ ...it, name: aliases ? aliases[index] : it.name }));
    return { ...query, columns, scans, alias: this.newName('w') };
  }

  /** A query with its ORDER BY, OFFSET and LIMIT. */
  ordered(ctx: Trino.QueryNoWithContext, around: Surroundings): TranslatedQuery {
    const body = this.#term(ctx.queryTerm(), around);
    const items = ctx.sortItem();
    const limits = limitSql(ctx);
    if (items.length === 0) return limits === '' ? body : { ...body, sql: `${body.sql}${limits}` };
    if (body.ordering && !body.ordering.isDistinct) {
      const { context, outputs } = body.ordering;
      const keys = items.map((item) => sortedBy(item, this.#sortValue(item, body, context, outputs)));
      return { ...body, sql: `${body.sql} ORDER BY ${keys.join(', ')}${limits}` };
    }
    const alias = this.newName('r');
    const outputs = body.columns.map(({ type }, index): Expr => ({ type, sql: `${alias}.${body.names[index]}` }));
    const keys = items.map((item) => sortedBy(item, this.#outputValue(item, body, outputs, around)));
    return {
      ...body,
      sql: `SELECT ${body.names.join(', ')} FROM (${body.sql}) AS ${alias} ORDER BY ${keys.join(', ')}${limits}`,
    };
  }

  /** A position, an output column by its name, or an expression of both. */
  #sortValue(item: Trino.SortItemContext, body: QueryBody, context: Context, outputs: readonly Expr[]): Expr {
    const sorted = item.columnRef() ?? item.expression() ?? item;
    const position = positionOf(sorted, outputs, 'ORDER BY');
    if (position) return position;
    const fields = body.columns.map(({ name, type }, index): Field => ({ name, type, sql: outputs[index]?.sql ?? '' }));
    const named = fields.filter(
      (it, index) =>
        it.name !== undefined && fields.findIndex((other) => other.name === it.name && other.sql === it.sql) === index,
    );
    const value = expression(sorted, { ...context, scope: new Scope(named, context.scope) });
    // DuckDB orders by no literal.
    return value.literal === undefined ? value : { ...value, sql: `(${value.sql} IS NULL)` };
  }

  /** What to order by of a query whose inside is not seen. */
  #outputValue(item: Trino.SortItemContext, body: QueryBody, outputs: readonly Expr[], around: Surroundings): Expr {
    const { ordering } = body;
    if (!ordering) {
      return this.#sortValue(item, body, this.context(new Scope([], around.outer), around), outputs);
    }
    const value = this.#sortValue(item, body, ordering.context, ordering.outputs);
    const output = outputs[ordering.outputs.findIndex((it) => it.sql === value.sql)];
    if (output) return output;
    const message = 'For SELECT DISTINCT, ORDER BY expressions must appear in select list';
    throw new SqlError('EXPRESSION_NOT_IN_DISTINCT', message, placeOf(item));
  }

  #term(ctx: Trino.QueryTermContext, around: Surroundings): QueryBody {
    if (ctx.constructor.name === 'SetOperationContext')
      return this.#setOperation(ctx as Trino.SetOperationContext, around);
    const primary = (ctx as Trino.QueryTermDefaultContext).queryPrimary();
    switch (primary.constructor.name) {
      case 'QueryPrimaryDefaultContext':
        return selectQuery((primary as Trino.QueryPrimaryDefaultContext).querySpecification(), around, this);
      case 'SubqueryContext': {
        const inner = this.ordered((primary as Trino.SubqueryContext).queryNoWith(), around);
        const alias = this.newName('r');
        return {
          columns: inner.columns,
          names: inner.names,
          sql: `SELECT ${inner.names.join(', ')} FROM (${inner.sql}) AS ${alias}`,
        };
      }
      case 'InlineTableContext':
        return this.#values(primary as Trino.InlineTableContext, around);
      default: {
        const table = namedRelation((primary as Trino.TableContext).tableRef(), around, this);
        const shown = table.fields.filter((it) => !it.isHidden);
        for (const field of shown) field.onRead?.();
        const names = shown.map(() => this.newName('c'));
        const list = shown.map(({ sql }, index) => `${sql} AS ${names[index]}`);
        return { columns: shown, names, sql: `SELECT ${list.join(', ')} FROM ${table.sql}` };
      }
    }
  }

  #setOperation(ctx: Trino.SetOperationContext, around: Surroundings): QueryBody {
    const [left, right] = ctx.queryTerm().map((it) => this.#term(it, around));
    const operator = ctx._operator?.text?.toUpperCase() ?? '';
    const place = placeOf(ctx);
    if (!left || !right || left.columns.length !== right.columns.length) {
      throw new SqlError(
        'TYPE_MISMATCH',
        `${operator} query has different number of fields: ${left?.columns.length}, ${right?.columns.length}`,
        place,
      );
    }
    const types = left.columns.map(({ type }, index) => {
      const other = right.columns[index]?.type ?? type;
      const common = commonType(type, other);
      if (common) return common;
      throw new SqlError(
        'TYPE_MISMATCH',
        `column ${index + 1} in ${operator} query has incompatible types: ${typeName(type)}, ${typeName(other)}`,
        place,
      );
    });
    const isAll = ctx.setQuantifier()?.KW_ALL() != null;
    if (!isAll && types.some((it) => it.kind === 'timestamp with time zone')) {
      throw notProven(`${operator} of timestamps with time zone`, 'cast them to timestamp', place);
    }
    const sides = [left, right].map((side) => this.#asTypes(side, types));
    const columns = left.columns.map(({ name }, index) => ({ name, type: types[index] as Type }));
    return { columns, names: left.names, sql: `(${sides[0]}) ${operator}${isAll ? ' ALL' : ''} (${sides[1]})` };
  }

  #asTypes({ columns, names, sql }: TranslatedQuery, types: readonly Type[]): string {
    if (columns.every(({ type }, index) => isSame(type, types[index] as Type))) return sql;
    const alias = this.newName('r');
    const list = columns.map(({ type }, index) => {
      const value = coerced({ type, sql: `${alias}.${names[index]}` }, types[index] as Type);
      return `${value.sql} AS ${names[index]}`;
    });
    return `SELECT ${list.join(', ')} FROM (${sql}) AS ${alias}`;
  }

  /** VALUES: a row in parentheses, or a value by itself. */
  #values(ctx: Trino.InlineTableContext, around: Surroundings): QueryBody {
    const context = this.context(around.outer ?? new Scope([]), around);
    const rows = ctx.expression().map((it) => rowValues(it, context));
    const [first = []] = rows;
    const types = first.map((_, index) => {
      const column = rows.map((row) => row[index]?.type);
      const common = column.reduce<Type | undefined>((type, it) => type && it && commonType(type, it), {
        kind: 'unknown',
      });
      if (common) return common;
      throw new SqlError('TYPE_MISMATCH', 'Values rows have mismatched types', placeOf(ctx));
    });
    if (rows.some((row) => row.length !== types.length))
      throw new SqlError('TYPE_MISMATCH', 'Values rows have mismatched sizes', placeOf(ctx));
    const names = types.map(() => this.newName('c'));
    const lines = rows.map((row) => `(${row.map((it, index) => coerced(it, types[index] as Type).sql).join(', ')})`);
    return {
      columns: types.map((type) => ({ name: undefined, type })),
      names,
      sql: `SELECT * FROM (VALUES ${lines.join(', ')}) AS ${this.newName('r')}(${names.join(', ')})`,
    };
  }

  /** A view's query. Its unqualified names are of its own database. */
  view(view: View, place: Place): TranslatedQuery {
    if (this.#viewDepth >= VIEW_DEPTH_MAX) {
      throw new SqlError(
        'VIEW_IS_RECURSIVE',
        `Statement would create a recursive view: ${view.database}.${view.name}`,
        place,
      );
    }
    this.#viewDepth += 1;
    try {
      return this.root(rootQueryOf(this.#parse(view.sql)), view.database);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      const message = `Failed analyzing stored view '${view.database}.${view.name}': ${error.message}`;
      throw new SqlError(error.code === 'NOT_SUPPORTED' ? 'NOT_SUPPORTED' : 'INVALID_VIEW', message, place);
    } finally {
      this.#viewDepth -= 1;
    }
  }

  /** A view's columns. Nothing is counted as read. */
  columnsOfView(view: View): readonly OutputColumn[] {
    const before = this.scans.length;
    try {
      return this.view(view, { line: 1, column: 1 }).columns;
    } finally {
      this.scans.splice(before);
    }
  }

  context(scope: Scope, around: Surroundings): Context {
    return {
      scope,
      now: this.now,
      windows: new Map(),
      subquery: (query) => this.query(query, { ...around, outer: scope }),
      onExpression: (expr) => expr,
    };
  }
}

/** The query that a statement is. @throws SqlError when it is none. */
export function rootQueryOf(statement: Trino.StatementContext): Trino.RootQueryContext {
  if (statement.constructor.name === 'StatementDefaultContext')
    return (statement as Trino.StatementDefaultContext).rootQuery();
  throw notProven(`the statement ${textOf(statement).slice(0, 40)}`, 'write SELECT', placeOf(statement));
}
