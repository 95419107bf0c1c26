import type { ParserRuleContext } from 'antlr4ng';
import type * as Trino from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { Column, Table } from '../../catalog.ts';
import { nameOf, placeOf, textOf } from '../grammar.ts';
import { type Field, Scope } from '../scope.ts';
import { notProven, SqlError } from '../sql-error.ts';
import { sqlOf } from '../values/expr.ts';
import {
  BIGINT,
  BOOLEAN,
  DATE,
  DOUBLE,
  REAL,
  TIMESTAMP,
  type Type,
  VARBINARY,
  VARCHAR,
} from '../values/trino-types.ts';
import { informationSchema } from './information-schema.ts';
import { join } from './join.ts';
import type { QueryTranslator, Surroundings } from './queries.ts';
import { unnest } from './unnest.ts';

/** One reading of a table: the objects of the partitions that meet every condition, and the columns that are read. */
export interface Scan {
  readonly table: Table;
  conditions: readonly Condition[];
  readonly columns: Set<string>;
}

/** A partition key that is compared with one value, or that is one of several. */
export interface Condition {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** A relation of FROM: what is joined so far. */
export interface Relation {
  readonly sql: string;
  readonly fields: readonly Field[];
  /** Of a table by itself. */
  readonly scan?: Scan | undefined;
}

/** Athena's own catalog. */
const CATALOG = 'awsdatacatalog';

const HIVE_TYPES: Readonly<Record<string, Type>> = {
  string: VARCHAR,
  bigint: BIGINT,
  int: { kind: 'integer' },
  smallint: { kind: 'smallint' },
  tinyint: { kind: 'tinyint' },
  double: DOUBLE,
  float: REAL,
  boolean: BOOLEAN,
  date: DATE,
  timestamp: TIMESTAMP,
  binary: VARBINARY,
};

/** The Trino type of a column of Glue's. */
export function typeOfColumn({ type }: Column): Type {
  const decimal = /^decimal\((\d+),(\d+)\)$/.exec(type);
  if (decimal) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) };
  const array = /^array<(.+)>$/.exec(type);
  if (array) return { kind: 'array', element: typeOfColumn({ name: '', type: array[1] ?? '' }) };
  return HIVE_TYPES[type] ?? VARCHAR;
}

/** All of FROM, its relations joined. A later one may be UNNEST of an earlier one's columns. */
export function fromRelation(
  relations: readonly Trino.RelationContext[],
  around: Surroundings,
  to: QueryTranslator,
): Relation {
  return relations
    .map((it) => (left: Relation | undefined) => crossJoined(left, relation(it, around, to, left)))
    .reduce<Relation | undefined>((left, join) => join(left), undefined) as Relation;
}

/** Two relations side by side. */
export function crossJoined(left: Relation | undefined, right: Relation): Relation {
  if (!left) return right;
  return { sql: `${left.sql} CROSS JOIN ${right.sql}`, fields: [...left.fields, ...right.fields] };
}

/** A relation of FROM; `left`, what stands before it there, is what UNNEST and LATERAL may refer to. */
export function relation(ctx: ParserRuleContext, around: Surroundings, to: QueryTranslator, left?: Relation): Relation {
  switch (ctx.constructor.name) {
    case 'RelationDefaultContext':
      return sampled((ctx as Trino.RelationDefaultContext).sampledRelation(), around, to, left);
    case 'JoinRelationContext':
      return join(ctx as Trino.JoinRelationContext, around, to);
    default:
      return sampled(ctx as Trino.SampledRelationContext, around, to, left);
  }
}

function sampled(
  ctx: Trino.SampledRelationContext,
  around: Surroundings,
  to: QueryTranslator,
  left?: Relation,
): Relation {
  const pattern = ctx.patternRecognition();
  if (pattern.KW_MATCH_RECOGNIZE()) throw notProven('MATCH_RECOGNIZE', 'write lag() and lead()', placeOf(ctx));
  const found = aliased(pattern.aliasedRelation(), around, to, left);
  const sample = ctx.sampleType();
  if (!sample) return found;
  const share = ctx.expression()?.getText() ?? '';
  if (sample.getText().toUpperCase() !== 'BERNOULLI' || !/^\d+(\.\d+)?$/.test(share)) {
    throw notProven('TABLESAMPLE SYSTEM', 'write TABLESAMPLE BERNOULLI (a number of percent)', placeOf(ctx));
  }
  return { sql: `${found.sql} TABLESAMPLE BERNOULLI(${share} PERCENT)`, fields: found.fields };
}

function aliased(
  ctx: Trino.AliasedRelationContext,
  around: Surroundings,
  to: QueryTranslator,
  left?: Relation,
): Relation {
  const found = primary(ctx.relationPrimary(), around, to, left);
  const alias = ctx.identifier();
  if (!alias) return found;
  const names = ctx.columnAliases()?.identifier().map(nameOf);
  const shown = found.fields.filter((it) => !it.isHidden);
  if (names && names.length !== shown.length) {
    const message = `Column alias list has ${names.length} entries but '${nameOf(alias)}' has ${shown.length} columns available`;
    throw new SqlError('MISMATCHED_COLUMN_ALIASES', message, placeOf(ctx));
  }
  const fields = found.fields.map((field) => ({
    ...field,
    database: undefined,
    relation: nameOf(alias),
    name: names && !field.isHidden ? names[shown.indexOf(field)] : field.name,
  }));
  return { ...found, fields };
}

function primary(
  ctx: Trino.RelationPrimaryContext,
  around: Surroundings,
  to: QueryTranslator,
  left?: Relation,
): Relation {
  switch (ctx.constructor.name) {
    case 'TableNameContext': {
      const { queryPeriod, tableOrViewName } = ctx as Trino.TableNameContext;
      if (queryPeriod.call(ctx))
        throw notProven('FOR TIMESTAMP or FOR VERSION', 'query the table as it is', placeOf(ctx));
      return namedRelation(tableOrViewName.call(ctx), around, to);
    }
    case 'ParenthesizedRelationContext': {
      const inner = relation((ctx as Trino.ParenthesizedRelationContext).relation(), around, to);
      return { ...inner, sql: `(${inner.sql})` };
    }
    case 'ExpressionSourceTableContext':
      break;
    default:
      throw notProven(textOf(ctx).slice(0, 60), 'write a table, a subquery or UNNEST', placeOf(ctx));
  }
  const source = (ctx as Trino.ExpressionSourceTableContext).relationSourceTable();
  const outer = new Scope(left?.fields ?? [], around.outer);
  switch (source.constructor.name) {
    case 'SubqueryRelationContext':
      return subquery((source as Trino.SubqueryRelationContext).query(), around, to, '');
    case 'LateralContext':
      return subquery((source as Trino.LateralContext).query(), { ...around, outer }, to, 'LATERAL ');
    case 'UnnestContext':
      return unnest(source as Trino.UnnestContext, { ...around, outer }, to);
    default:
      throw notProven(textOf(source).slice(0, 60), 'write a table, a subquery or UNNEST', placeOf(source));
  }
}

function subquery(query: Trino.QueryContext, around: Surroundings, to: QueryTranslator, lateral: string): Relation {
  const { sql, columns, names } = to.query(query, around);
  const alias = to.newName('r');
  return {
    sql: `${lateral}(${sql}) AS ${alias}`,
    fields: columns.map(({ name, type }, index) => ({ name, type, sql: `${alias}.${names[index]}` })),
  };
}

/** A table, a view, or a query of WITH, by the name that FROM has. */
export function namedRelation(ctx: ParserRuleContext, around: Surroundings, to: QueryTranslator): Relation {
  const parts = identifiersOf(ctx).map(nameOf);
  const place = placeOf(ctx);
  const name = parts.at(-1) ?? '';
  const named = parts.length === 1 ? around.named.get(name) : undefined;
  const alias = to.newName('r');
  if (named) {
    to.scans.push(...named.scans);
    const names = named.names.map((it) => to.newName(it.charAt(0)));
    return {
      sql: `${named.alias} AS ${alias}(${names.join(', ')})`,
      fields: named.columns.map((it, index) => ({ ...it, relation: name, sql: `${alias}.${names[index]}` })),
    };
  }
  const [database = around.database, catalog = CATALOG] = [parts.at(-2), parts.at(-3)];
  if (catalog !== CATALOG) throw new SqlError('CATALOG_NOT_FOUND', `Catalog '${catalog}' does not exist`, place);
  if (database === 'information_schema') return informationSchema(name, alias, to, place);
  const key = `${database}.${name}`;
  const view = to.catalog.views.get(key);
  if (view) {
    const { sql, columns, names } = to.view(view, place);
    return {
      sql: `(${sql}) AS ${alias}`,
      fields: columns.map((it, index) => ({ ...it, relation: name, database, sql: `${alias}.${names[index]}` })),
    };
  }
  const table = to.catalog.tables.get(key);
  if (table) return tableRelation(table, alias, to);
  if (!to.catalog.databases.has(database))
    throw new SqlError('SCHEMA_NOT_FOUND', `Schema '${database}' does not exist`, place);
  throw new SqlError('TABLE_NOT_FOUND', `Table '${CATALOG}.${database}.${name}' does not exist`, place);
}

/** The identifiers within a part of a statement, in their order. */
export function identifiersOf(ctx: ParserRuleContext): ParserRuleContext[] {
  if (/IdentifierContext$/.test(ctx.constructor.name)) return [ctx];
  const children = Array.from({ length: ctx.getChildCount() }, (_, index) => ctx.getChild(index));
  return children.flatMap((it) => ('start' in (it ?? {}) ? identifiersOf(it as ParserRuleContext) : []));
}

/** Columns of a table, its partition keys after them, and the hidden name of the object that a row is from. */
function tableRelation(table: Table, alias: string, to: QueryTranslator): Relation {
  const scan: Scan = { table, conditions: [], columns: new Set() };
  to.scans.push(scan);
  const columns = [...table.columns, ...table.partitionKeys];
  const names = [...columns, null].map(() => to.newName('c'));
  const quoted = [table.database, table.name].map(sqlOf.name).join('.');
  const field = (index: number) => ({
    relation: table.name,
    database: table.database,
    sql: `${alias}.${names[index]}`,
  });
  return {
    sql: `${quoted} AS ${alias}(${names.join(', ')})`,
    scan,
    fields: [
      ...columns.map((column, index) => ({
        ...field(index),
        name: column.name,
        type: typeOfColumn(column),
        onRead: () => scan.columns.add(column.name),
      })),
      { ...field(columns.length), name: '$path', type: VARCHAR, isHidden: true },
    ],
  };
}
