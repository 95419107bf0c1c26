import type { Signatures } from '../calls/signatures.ts';
import { notProven } from '../sql-error.ts';
import { commonType } from '../values/coercion.ts';
import { type Expr, sqlOf } from '../values/expr.ts';
import { isFloating, type Type } from '../values/trino-types.ts';

/** Values that DuckDB finds, compares and sorts as Trino does: NaN equals itself there. */
function plain(expr: Expr | undefined): string {
  const hasFloat = (type: Type): boolean =>
    isFloating(type) || type.kind === 'timestamp with time zone' || (type.kind === 'array' && hasFloat(type.element));
  if (!expr || hasFloat(expr.type)) {
    throw notProven(
      'this function of an array of double, real or timestamps with time zone',
      'UNNEST the array',
      expr?.place,
    );
  }
  return expr.sql;
}

/** Null if it is not there and some element is null. */
const contains = ([list, value]: readonly Expr[]): string =>
  `CASE WHEN ${plain(list)} IS NULL OR ${value?.sql} IS NULL THEN NULL WHEN list_contains(${list?.sql}, ${value?.sql}) THEN true
    WHEN len(list_filter(${list?.sql}, lambda e: e IS NULL)) > 0 THEN NULL ELSE false END`;

const zero = (type: string) => sqlOf.fail('INVALID_FUNCTION_ARGUMENT', "'SQL array indices start at 1'", type);

/** Trino's functions of arrays and maps, but for those that take lambdas and element_at, which need types. */
export const COLLECTION_FUNCTIONS: Signatures = {
  'cardinality(array(E)) -> bigint': 'len($1)',
  'cardinality(map(K,V)) -> bigint': 'CAST(cardinality($1) AS BIGINT)',
  'contains(array(E),E) -> boolean': contains,
  'array_position(array(E),E) -> bigint': ([list, value]) =>
    `CASE WHEN ${plain(list)} IS NULL OR ${value?.sql} IS NULL THEN NULL ELSE CAST(coalesce(list_position(${list?.sql}, ${value?.sql}), 0) AS BIGINT) END`,
  'array_distinct(array(E)) -> array(E)': ([list]) =>
    `list_filter(${plain(list)}, lambda e, i: CASE WHEN e IS NULL THEN len(list_filter(${list?.sql}[1:(i - 1)], lambda f: f IS NULL)) = 0
      ELSE list_position(${list?.sql}, e) = i END)`,
  'array_sort(array(E)) -> array(E)': ([list]) => `list_sort(${plain(list)}, 'ASC', 'NULLS LAST')`,
  'array_join(array(varchar),varchar) -> varchar': 'array_to_string($1, $2)',
  'array_max(array(E)) -> E': ([list]) =>
    `CASE WHEN len(list_filter(${plain(list)}, lambda e: e IS NULL)) > 0 THEN NULL ELSE list_max(${list?.sql}) END`,
  'array_min(array(E)) -> E': ([list]) =>
    `CASE WHEN len(list_filter(${plain(list)}, lambda e: e IS NULL)) > 0 THEN NULL ELSE list_min(${list?.sql}) END`,
  'array_remove(array(E),E) -> array(E)': ([list, value]) =>
    `list_filter(${plain(list)}, lambda e: e IS NULL OR e <> ${value?.sql})`,
  'reverse(array(E)) -> array(E)': 'list_reverse($1)',
  'flatten(array(array(E))) -> array(E)': 'flatten($1)',
  'slice(array(E),bigint,bigint) -> array(E)': ([list, start, length]) => {
    const [l, s, n] = [list?.sql, start?.sql, length?.sql];
    return `CASE WHEN ${s} = 0 THEN ${zero('INTEGER[]')} WHEN ${n} < 0 THEN ${sqlOf.fail('INVALID_FUNCTION_ARGUMENT', "'length must be greater than or equal to 0'", 'INTEGER[]')}
      WHEN abs(${s}) > len(${l}) THEN ${l}[1:0] WHEN ${s} > 0 THEN ${l}[${s}:(${s} + ${n} - 1)]
      ELSE ${l}[(len(${l}) + ${s} + 1):(len(${l}) + ${s} + ${n})] END`;
  },
  'sequence(bigint,bigint) -> array(bigint)':
    'CASE WHEN $1 <= $2 THEN generate_series($1, $2) ELSE generate_series($1, $2, -1) END',
  'repeat(E,bigint) -> array(E)': 'list_transform(range(greatest($2, 0)), lambda i: $1)',
  'map_keys(map(K,V)) -> array(K)': 'map_keys($1)',
  'map_values(map(K,V)) -> array(V)': 'map_values($1)',
  'map(array(K),array(V)) -> map(K,V)': 'map($1, $2)',
  'map() -> map(K,V)': 'MAP {}',
};

/** `ARRAY[…]`: its elements in one type. */
export function elementType(types: readonly Type[]): Type | undefined {
  return types.reduce<Type | undefined>((common, type) => common && commonType(common, type), { kind: 'unknown' });
}
