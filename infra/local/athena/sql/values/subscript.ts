import { type Place, SqlError } from '../sql-error.ts';
import { coerced, isCoercible } from './coercion.ts';
import { type Expr, sqlOf } from './expr.ts';
import { BIGINT, duckDbType, isInteger, typeName } from './trino-types.ts';

const fail = (message: string, type: string) => sqlOf.fail('INVALID_FUNCTION_ARGUMENT', message, type);

/** `array[index]`, `map[key]` and `row[index]`, which fail where there is nothing. */
export function subscript(value: Expr, index: Expr, place: Place): Expr {
  const { type, sql } = value;
  if (type.kind === 'array' && isInteger(index.type)) {
    const at = coerced(index, BIGINT).sql;
    const element = duckDbType(type.element);
    return {
      type: type.element,
      sql: `CASE WHEN ${at} = 0 THEN ${fail("'SQL array indices start at 1'", element)}
        WHEN ${at} < 0 THEN ${fail(`'Array subscript is negative: ' || ${at}`, element)}
        WHEN ${at} > len(${sql}) THEN ${fail(`'Array subscript must be less than or equal to array length: ' || ${at} || ' > ' || len(${sql})`, element)}
        ELSE (${sql})[${at}] END`,
      place,
    };
  }
  if (type.kind === 'map' && isCoercible(index.type, type.key)) {
    const key = coerced(index, type.key).sql;
    const missing = fail(`'Key not present in map: ' || CAST(${key} AS VARCHAR)`, duckDbType(type.value));
    return {
      type: type.value,
      sql: `CASE WHEN NOT map_contains(${sql}, ${key}) THEN ${missing} ELSE map_extract_value(${sql}, ${key}) END`,
      place,
    };
  }
  if (type.kind === 'row' && index.literal !== undefined && isInteger(index.type)) {
    const field = type.fields[Number(index.literal) - 1];
    if (field) return { type: field.type, sql: `(${sql}).f${Number(index.literal) - 1}`, place };
  }
  throw new SqlError('TYPE_MISMATCH', `Cannot use ${typeName(index.type)} for subscript of ${typeName(type)}`, place);
}

/** `element_at`, which gives null where there is nothing, and counts from the end for a negative index. */
export function elementAt(value: Expr, index: Expr, place: Place): Expr {
  const { type, sql } = value;
  if (type.kind === 'array' && isInteger(index.type)) {
    const at = coerced(index, BIGINT).sql;
    const zero = fail("'SQL array indices start at 1'", duckDbType(type.element));
    return { type: type.element, sql: `CASE WHEN ${at} = 0 THEN ${zero} ELSE (${sql})[${at}] END`, place };
  }
  if (type.kind === 'map' && isCoercible(index.type, type.key)) {
    return { type: type.value, sql: `map_extract_value(${sql}, ${coerced(index, type.key).sql})`, place };
  }
  const types = `${typeName(type)}, ${typeName(index.type)}`;
  throw new SqlError('FUNCTION_NOT_FOUND', `Unexpected parameters (${types}) for function element_at`, place);
}
