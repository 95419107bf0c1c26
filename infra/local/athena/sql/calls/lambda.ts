import type { ParserRuleContext } from 'antlr4ng';
import type { Context } from '../context.ts';
import { expression } from '../expression.ts';
import { nameOf } from '../grammar.ts';
import { Scope } from '../scope.ts';
import { type Place, SqlError } from '../sql-error.ts';
import { coerced, isCoercible } from '../values/coercion.ts';
import type { Expr } from '../values/expr.ts';
import { array, BOOLEAN, isSame, type Type, typeName } from '../values/trino-types.ts';
import { lambdaOf } from './function-call.ts';

type Args = readonly ParserRuleContext[];
type LambdaFunction = (args: Args, context: Context, place: Place) => Expr;

/** How many conditions of elements are false or null decides. */
const matching =
  (name: string, decide: (trues: string, falses: string, nulls: string) => string): LambdaFunction =>
  (args, context, place) => {
    const { list, element } = arrayArgument(name, args, context, place);
    const { sql, parameters } = lambda(args[1], [element], BOOLEAN, context, place);
    const mapped = `list_transform(${list.sql}, lambda ${parameters}: ${sql})`;
    const some = (test: string) => `len(list_filter(${mapped}, lambda m: ${test})) > 0`;
    return {
      type: BOOLEAN,
      sql: `CASE WHEN ${list.sql} IS NULL THEN NULL ${decide(some('m'), some('NOT m'), some('m IS NULL'))} END`,
      place,
    };
  };

/** Trino's functions that take a lambda. */
export const LAMBDA_FUNCTIONS: Readonly<Record<string, LambdaFunction>> = {
  transform: (args, context, place) => {
    const { list, element } = arrayArgument('transform', args, context, place);
    const { sql, parameters, type } = lambda(args[1], [element], undefined, context, place);
    return { type: array(type), sql: `list_transform(${list.sql}, lambda ${parameters}: ${sql})`, place };
  },
  filter: (args, context, place) => {
    const { list, element } = arrayArgument('filter', args, context, place);
    const { sql, parameters } = lambda(args[1], [element], BOOLEAN, context, place);
    return { type: list.type, sql: `list_filter(${list.sql}, lambda ${parameters}: ${sql})`, place };
  },
  reduce: (args, context, place) => {
    const { list, element } = arrayArgument('reduce', args, context, place);
    const start = args[1] && expression(args[1], context);
    if (!start) throw new SqlError('FUNCTION_NOT_FOUND', 'Unexpected parameters for function reduce', place);
    const state = lambda(args[2], [start.type, element], undefined, context, place).type;
    if (!isCoercible(start.type, state))
      throw new SqlError(
        'TYPE_MISMATCH',
        `reduce: its start is ${typeName(start.type)}, its step gives ${typeName(state)}`,
        place,
      );
    const step = lambda(args[2], [state, element], state, context, place);
    const last = lambda(args[3], [state], undefined, context, place);
    const reduced = `list_reduce(${list.sql}, lambda ${step.parameters}: ${step.sql}, ${coerced(start, state).sql})`;
    return { type: last.type, sql: `list_transform([${reduced}], lambda ${last.parameters}: ${last.sql})[1]`, place };
  },
  any_match: matching('any_match', (trues, _, nulls) => `WHEN ${trues} THEN true WHEN ${nulls} THEN NULL ELSE false`),
  all_match: matching('all_match', (_, falses, nulls) => `WHEN ${falses} THEN false WHEN ${nulls} THEN NULL ELSE true`),
  none_match: matching('none_match', (trues, _, nulls) => `WHEN ${trues} THEN false WHEN ${nulls} THEN NULL ELSE true`),
};

export function lambdaCall(name: string, args: Args, context: Context, place: Place): Expr {
  const call = LAMBDA_FUNCTIONS[name];
  if (!call) throw new SqlError('FUNCTION_NOT_FOUND', `Function '${name}' not registered`, place);
  return call(args, context, place);
}

function arrayArgument(name: string, args: Args, context: Context, place: Place): { list: Expr; element: Type } {
  const list = args[0] && expression(args[0], context);
  if (list?.type.kind !== 'array')
    throw new SqlError(
      'FUNCTION_NOT_FOUND',
      `Unexpected parameters (${list ? typeName(list.type) : ''}) for function ${name}`,
      place,
    );
  return { list, element: list.type.element };
}

/** A lambda with parameters of given types, its value converted to `result` if that is given. */
function lambda(
  ctx: ParserRuleContext | undefined,
  types: readonly Type[],
  result: Type | undefined,
  context: Context,
  place: Place,
) {
  const parts = ctx && lambdaOf(ctx);
  const names = parts?.identifier() ?? [];
  if (!parts || names.length !== types.length) {
    throw new SqlError('TYPE_MISMATCH', `Expected a lambda that takes ${types.length} argument(s)`, place);
  }
  const fields = names.map((name, index) => ({
    name: nameOf(name),
    type: types[index] as Type,
    // The same lambda has the same text wherever it stands, so that GROUP BY finds it in SELECT.
    sql: `l${context.scope.depth}_${index}`,
  }));
  const value = expression(parts.expression(), { ...context, scope: new Scope(fields, context.scope) });
  if (result && !isCoercible(value.type, result)) {
    throw new SqlError('TYPE_MISMATCH', `The lambda gives ${typeName(value.type)}, not ${typeName(result)}`, place);
  }
  const converted = result && !isSame(value.type, result) ? coerced(value, result) : value;
  return { sql: converted.sql, type: converted.type, parameters: fields.map(({ sql }) => sql).join(', ') };
}
