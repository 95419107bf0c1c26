import { AGGREGATES, type Aggregate, WINDOW_FUNCTIONS } from '../functions/aggregates.ts';
import { ALTERNATIVES } from '../functions/alternatives.ts';
import { COLLECTION_FUNCTIONS } from '../functions/collections.ts';
import { DATE_FUNCTIONS } from '../functions/dates.ts';
import { DOCUMENT_FUNCTIONS } from '../functions/documents.ts';
import { NUMBER_FUNCTIONS } from '../functions/numbers.ts';
import { REGEXP_FUNCTIONS } from '../functions/regexps.ts';
import { TEXT_FUNCTIONS } from '../functions/texts.ts';
import { notProven, type Place, SqlError } from '../sql-error.ts';
import { coerced } from '../values/coercion.ts';
import type { Expr } from '../values/expr.ts';
import { isSame, type Type, typeName } from '../values/trino-types.ts';
import { type Bindings, bind, readSignatures, type Signature, typeOf } from './signatures.ts';

/** Which of a function's signatures a call means, as Trino resolves it: exactly, or else by implicit conversions. */

const SCALARS = readSignatures(
  ...[NUMBER_FUNCTIONS, TEXT_FUNCTIONS, REGEXP_FUNCTIONS, COLLECTION_FUNCTIONS, DATE_FUNCTIONS, DOCUMENT_FUNCTIONS],
);

const named = (table: Readonly<Record<string, Aggregate>>) =>
  readSignatures(Object.fromEntries(Object.keys(table).map((text) => [text, () => text])));
const AGGREGATE_SIGNATURES = named(AGGREGATES);
const WINDOW_SIGNATURES = named(WINDOW_FUNCTIONS);

/** Names of the functions that the local Athena runs, by their kind. */
export const FUNCTION_NAMES = {
  scalar: [...SCALARS.keys()],
  aggregate: [...AGGREGATE_SIGNATURES.keys()],
  window: [...WINDOW_SIGNATURES.keys()],
};

interface Resolved {
  readonly signature: Signature;
  readonly args: readonly Expr[];
  readonly type: Type;
}

/** A call of a scalar function. @throws SqlError FUNCTION_NOT_FOUND, NOT_SUPPORTED */
export function scalarCall(name: string, args: readonly Expr[], place: Place): Expr {
  const { signature, args: converted, type } = resolve(name, SCALARS.get(name), args, place);
  return { type, sql: signature.emit(converted, type), place };
}

/** A call of an aggregate or window function; undefined when the name is neither's. */
export function aggregateCall(name: string, args: readonly Expr[], isWindow: boolean, place: Place) {
  const signatures = AGGREGATE_SIGNATURES.get(name) ?? WINDOW_SIGNATURES.get(name);
  if (!signatures) return undefined;
  if (WINDOW_SIGNATURES.has(name) && !isWindow) {
    throw new SqlError('MISSING_OVER', `Window function ${name} requires an OVER clause`, place);
  }
  const { signature, args: converted, type } = resolve(name, signatures, args, place);
  const key = signature.emit([], type);
  const aggregate = AGGREGATES[key] ?? WINDOW_FUNCTIONS[key];
  return aggregate && { aggregate, args: converted, type };
}

function resolve(
  name: string,
  signatures: readonly Signature[] | undefined,
  args: readonly Expr[],
  place: Place,
): Resolved {
  if (!signatures) throw unknownFunction(name, place);
  for (const exact of [true, false]) {
    for (const signature of signatures) {
      const resolved = fitted(signature, args, exact);
      if (resolved) return resolved;
    }
  }
  const types = args.map(({ type }) => typeName(type)).join(', ');
  throw new SqlError('FUNCTION_NOT_FOUND', `Unexpected parameters (${types}) for function ${name}`, place);
}

function fitted(signature: Signature, args: readonly Expr[], exact: boolean): Resolved | undefined {
  if (signature.parameters.length !== args.length) return undefined;
  const bindings: Bindings = { types: new Map(), numbers: new Map() };
  const isFitting = signature.parameters.every((it, index) => {
    const type = args[index]?.type;
    return type !== undefined && bind(it, type, bindings, exact);
  });
  if (!isFitting) return undefined;
  const converted = args.map((arg, index) => {
    const parameter = signature.parameters[index];
    const wanted = parameter && typeOf(parameter, bindings);
    // The numbers of a type, such as a text's length, are taken as they are.
    return !wanted || isSame(wanted, arg.type) || isLengthOnly(arg.type, wanted) ? arg : coerced(arg, wanted);
  });
  return { signature, args: converted, type: typeOf(signature.result, bindings) };
}

const isLengthOnly = (a: Type, b: Type) =>
  a.kind === b.kind && (a.kind === 'varchar' || a.kind.startsWith('timestamp'));

function unknownFunction(name: string, place: Place): SqlError {
  const instead = ALTERNATIVES[name];
  if (instead) return notProven(`the function ${name}`, instead, place);
  return new SqlError(
    'FUNCTION_NOT_FOUND',
    `Function '${name}' not registered. The local Athena has the functions whose results are proven equal to Athena's. If Athena has this one, run the statement there`,
    place,
  );
}
