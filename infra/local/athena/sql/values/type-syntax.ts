import type { GenericTypeContext, TypeContext } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { nameOf, placeOf, textOf } from '../grammar.ts';
import { notProven, SqlError } from '../sql-error.ts';
import { array, DECIMAL_PRECISION_MAX, decimal, map, SIMPLE_KINDS, type Type, varchar } from './trino-types.ts';

const ALIASES: Readonly<Record<string, string>> = { int: 'integer', string: 'varchar' };

/** Source: Trino's timestamps have up to 12 digits after the second, DuckDB's 6. */
const TIMESTAMP_PRECISION_MAX = 6;

/** The type that a CAST names. @throws SqlError NOT_SUPPORTED for types the local Athena does not know. */
export function typeOfSyntax(ctx: TypeContext): Type {
  const text = textOf(ctx).trim().toLowerCase().replace(/\s+/g, ' ');
  const times = /^timestamp ?(?:\( ?(\d{1,2}) ?\))?( ?with time zone| ?without time zone)?$/.exec(text);
  if (times) {
    const precision = Number(times[1] ?? 3);
    if (precision > TIMESTAMP_PRECISION_MAX) throw unknown(ctx);
    return { kind: times[2]?.includes('without') === false ? 'timestamp with time zone' : 'timestamp', precision };
  }
  if (/^double precision$/.test(text)) return { kind: 'double' };
  if (ctx.constructor.name !== 'GenericTypeContext') throw unknown(ctx);
  return genericType(ctx as GenericTypeContext);
}

function genericType(ctx: GenericTypeContext): Type {
  const written = nameOf(ctx.identifier());
  const name = ALIASES[written] ?? written;
  const parameters = ctx.typeParameter();
  const numbers = parameters.map((it) => Number(it.INTEGER_VALUE()?.getText() ?? Number.NaN));
  const types = parameters.map((it) => it.type()).filter((it) => it !== null);
  const [first, second] = types;
  if (written === 'string') throw new SqlError('TYPE_NOT_FOUND', 'Unknown type: string', placeOf(ctx));
  if (name === 'array' && first) return array(typeOfSyntax(first));
  if (name === 'map' && first && second) return map(typeOfSyntax(first), typeOfSyntax(second));
  if (name === 'varchar') return varchar(parameters.length === 0 ? undefined : numbers[0]);
  if (name === 'decimal') {
    const [precision = DECIMAL_PRECISION_MAX, scale = 0] = numbers;
    if (!(precision >= 1 && precision <= DECIMAL_PRECISION_MAX && scale <= precision)) throw unknown(ctx);
    return decimal(precision, scale);
  }
  const known = SIMPLE_KINDS.find((it) => it === name && it !== 'unknown' && !it.startsWith('interval'));
  if (!known || parameters.length > 0) throw unknown(ctx);
  return { kind: known };
}

function unknown(ctx: TypeContext): SqlError {
  return notProven(
    `the type ${textOf(ctx)}`,
    'cast to boolean, a number, decimal(p, s), varchar, date, timestamp, json or an array of these',
    placeOf(ctx),
  );
}
