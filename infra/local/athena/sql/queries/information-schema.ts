import { type Place, SqlError } from '../sql-error.ts';
import { sqlOf } from '../values/expr.ts';
import { BIGINT, type Type, typeName, VARCHAR } from '../values/trino-types.ts';
import type { QueryTranslator } from './queries.ts';
import { type Relation, typeOfColumn } from './relation.ts';

const CATALOG = 'awsdatacatalog';

/** Columns of each relation of Trino's information_schema that is kept here. */
const RELATIONS: Readonly<Record<string, readonly string[]>> = {
  schemata: ['catalog_name', 'schema_name'],
  tables: ['table_catalog', 'table_schema', 'table_name', 'table_type'],
  views: ['table_catalog', 'table_schema', 'table_name', 'view_definition'],
  columns: [
    ...['table_catalog', 'table_schema', 'table_name', 'column_name', 'ordinal_position'],
    ...['column_default', 'is_nullable', 'data_type'],
  ],
};

/** A relation of information_schema, made from the catalog as it is. */
export function informationSchema(name: string, alias: string, to: QueryTranslator, place: Place): Relation {
  const columns = RELATIONS[name];
  if (!columns)
    throw new SqlError('TABLE_NOT_FOUND', `Table '${CATALOG}.information_schema.${name}' does not exist`, place);
  const names = columns.map(() => to.newName('c'));
  const types = columns.map((it): Type => (it === 'ordinal_position' ? BIGINT : VARCHAR));
  const rows = rowsOf(name, to).map((row) => `(${row.map(literal).join(', ')})`);
  const values =
    rows.length > 0 ? `VALUES ${rows.join(', ')}` : `SELECT ${columns.map(() => 'NULL').join(', ')} LIMIT 0`;
  const cast = names.map(
    (it, index) => `CAST(${it} AS ${types[index]?.kind === 'bigint' ? 'BIGINT' : 'VARCHAR'}) AS ${it}`,
  );
  const inner = to.newName('r');
  return {
    sql: `(SELECT ${cast.join(', ')} FROM (${values}) AS ${inner}(${names.join(', ')})) AS ${alias}`,
    fields: columns.map((column, index) => ({
      name: column,
      relation: name,
      database: 'information_schema',
      type: types[index] ?? VARCHAR,
      sql: `${alias}.${names[index]}`,
    })),
  };
}

const literal = (value: string | number | null) =>
  value === null ? 'NULL' : typeof value === 'number' ? String(value) : sqlOf.text(value);

function rowsOf(name: string, to: QueryTranslator): (string | number | null)[][] {
  const { databases, tables, views } = to.catalog;
  if (name === 'schemata') return [...databases].map((it) => [CATALOG, it]);
  if (name === 'views') return [...views.values()].map((it) => [CATALOG, it.database, it.name, it.sql]);
  if (name === 'tables') {
    return [
      ...[...tables.values()].map((it) => [CATALOG, it.database, it.name, 'BASE TABLE']),
      ...[...views.values()].map((it) => [CATALOG, it.database, it.name, 'VIEW']),
    ];
  }
  const relations = [
    ...[...tables.values()].map((it) => ({
      ...it,
      shown: [...it.columns, ...it.partitionKeys].map((column) => ({ name: column.name, type: typeOfColumn(column) })),
    })),
    ...[...views.values()].map((it) => ({ ...it, shown: viewColumns(to, it) })),
  ];
  return relations.flatMap(({ database, name: relation, shown }) =>
    shown.map((column, index) => [
      ...[CATALOG, database, relation, column.name ?? null, index + 1, null, 'YES', typeName(column.type)],
    ]),
  );
}

/** A view that cannot be read has no columns here: other views do not suffer from it. */
function viewColumns(to: QueryTranslator, view: Parameters<QueryTranslator['columnsOfView']>[0]) {
  try {
    return to.columnsOfView(view);
  } catch (error) {
    if (error instanceof SqlError) return [];
    throw error;
  }
}
