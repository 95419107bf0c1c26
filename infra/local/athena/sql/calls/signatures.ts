import { commonType, isCoercible } from '../values/coercion.ts';
import type { Expr } from '../values/expr.ts';
import {
  array,
  DECIMAL_PRECISION_MAX,
  decimal,
  map,
  SIMPLE_KINDS,
  type SimpleKind,
  type Type,
  varchar,
} from '../values/trino-types.ts';

/**
 * A function of Trino as its documentation writes it, and DuckDB SQL of its value:
 *
 *     'round(decimal(p,s)) -> decimal(p,0)': 'round($1)'
 *
 * In a signature T, E, K and V stand for any type, `x`, `p` and `s` for any number. In SQL $1, $2, … are the arguments.
 */
export type Signatures = Readonly<Record<string, string | ((args: readonly Expr[], type: Type) => string)>>;

/** A type in a signature. */
type Pattern =
  | { readonly is: 'variable'; readonly name: string }
  | { readonly is: 'kind'; readonly kind: string; readonly numbers: readonly string[] }
  | { readonly is: 'array'; readonly element: Pattern }
  | { readonly is: 'map'; readonly key: Pattern; readonly value: Pattern };

export interface Signature {
  readonly name: string;
  readonly parameters: readonly Pattern[];
  readonly result: Pattern;
  readonly emit: (args: readonly Expr[], type: Type) => string;
}

/** What the variables of a signature stand for in a call. */
export interface Bindings {
  readonly types: Map<string, Type>;
  readonly numbers: Map<string, number | undefined>;
}

/** Reads signatures, by the names of their functions. */
export function readSignatures(...tables: readonly Signatures[]): ReadonlyMap<string, readonly Signature[]> {
  const byName = new Map<string, Signature[]>();
  for (const [text, sql] of tables.flatMap((table) => Object.entries(table))) {
    const signature = readSignature(text, typeof sql === 'string' ? (args) => filled(sql, args) : sql);
    byName.set(signature.name, [...(byName.get(signature.name) ?? []), signature]);
  }
  return byName;
}

function filled(sql: string, args: readonly Expr[]): string {
  return sql.replace(/\$(\d)/g, (_, index: string) => args[Number(index) - 1]?.sql ?? '');
}

function readSignature(text: string, emit: Signature['emit']): Signature {
  const [call = '', result = ''] = text.split(' -> ');
  const open = call.indexOf('(');
  return {
    name: call.slice(0, open),
    parameters: split(call.slice(open + 1, -1)).map(readPattern),
    result: readPattern(result),
    emit,
  };
}

/** Cuts at commas outside of parentheses. */
function split(text: string): string[] {
  const parts: string[] = [];
  let [depth, start] = [0, 0];
  for (let index = 0; index <= text.length; index++) {
    if (text[index] === '(') depth += 1;
    if (text[index] === ')') depth -= 1;
    if (index < text.length && (text[index] !== ',' || depth > 0)) continue;
    const part = text.slice(start, index).trim();
    if (part !== '') parts.push(part);
    start = index + 1;
  }
  return parts;
}

function readPattern(text: string): Pattern {
  if (/^[A-Z]$/.test(text)) return { is: 'variable', name: text };
  const match = /^(\w[\w ]*?)(?:\((.*)\))?( with time zone)?$/.exec(text);
  const [, kind = '', inner, zone = ''] = match ?? [];
  const parts = inner === undefined ? [] : split(inner);
  if (kind === 'array') return { is: 'array', element: readPattern(parts[0] ?? '') };
  if (kind === 'map') return { is: 'map', key: readPattern(parts[0] ?? ''), value: readPattern(parts[1] ?? '') };
  return { is: 'kind', kind: `${kind}${zone}`, numbers: parts };
}

/** Whether an argument's type fits a parameter, binding the signature's variables. `exact`: without conversion. */
export function bind(pattern: Pattern, type: Type, bindings: Bindings, exact: boolean): boolean {
  switch (pattern.is) {
    case 'variable':
      return bindVariable(pattern.name, type, bindings);
    case 'array':
      if (type.kind === 'unknown') return !exact;
      return type.kind === 'array' && bind(pattern.element, type.element, bindings, exact);
    case 'map':
      if (type.kind === 'unknown') return !exact;
      return (
        type.kind === 'map' &&
        bind(pattern.key, type.key, bindings, exact) &&
        bind(pattern.value, type.value, bindings, exact)
      );
    case 'kind':
      return bindKind(pattern, type, bindings, exact);
  }
}

function bindVariable(name: string, type: Type, { types }: Bindings): boolean {
  const bound = types.get(name);
  const common = bound ? commonType(bound, type) : type;
  if (!common) return false;
  types.set(name, common);
  return true;
}

function bindKind(
  { kind, numbers }: Extract<Pattern, { is: 'kind' }>,
  type: Type,
  bindings: Bindings,
  exact: boolean,
): boolean {
  if (type.kind === kind) {
    const values =
      type.kind === 'varchar'
        ? [type.length]
        : type.kind === 'decimal'
          ? [type.precision, type.scale]
          : 'precision' in type
            ? [type.precision]
            : [];
    for (const [index, name] of numbers.entries()) bindings.numbers.set(name, values[index]);
    return true;
  }
  if (exact) return false;
  if (type.kind === 'unknown') return true;
  if (kind === 'decimal') return false;
  return isCoercible(type, typeOf({ is: 'kind', kind, numbers: [] }, bindings));
}

/** Numbers of a decimal that follow from those of an argument, `p` and `s`. */
const DERIVED: Readonly<Record<string, (precision: number, scale: number) => number>> = {
  // Rounded to a whole number 9.9 becomes 10.
  whole: (precision, scale) => Math.max(1, precision - scale + Math.min(scale, 1)),
  rounded: (precision) => Math.min(DECIMAL_PRECISION_MAX, precision + 1),
  truncated: (precision, scale) => Math.max(1, precision - scale),
};

function numberOf(name: string, { numbers }: Bindings): number | undefined {
  const derived = DERIVED[name];
  return derived ? derived(numbers.get('p') ?? DECIMAL_PRECISION_MAX, numbers.get('s') ?? 0) : numbers.get(name);
}

/** A signature's type, its variables replaced. */
export function typeOf(pattern: Pattern, bindings: Bindings): Type {
  switch (pattern.is) {
    case 'variable':
      return bindings.types.get(pattern.name) ?? { kind: 'unknown' };
    case 'array':
      return array(typeOf(pattern.element, bindings));
    case 'map':
      return map(typeOf(pattern.key, bindings), typeOf(pattern.value, bindings));
    case 'kind': {
      const numbers = pattern.numbers.map((it) => (/^\d+$/.test(it) ? Number(it) : numberOf(it, bindings)));
      if (pattern.kind === 'varchar') return varchar(numbers[0]);
      if (pattern.kind === 'decimal') return decimal(numbers[0] ?? 38, numbers[1] ?? 0);
      if (pattern.kind === 'timestamp' || pattern.kind === 'timestamp with time zone') {
        return { kind: pattern.kind, precision: numbers[0] ?? 3 };
      }
      const known = SIMPLE_KINDS.find((it) => it === pattern.kind);
      if (!known) throw new Error(`The signature's type ${pattern.kind} is unknown`);
      return { kind: known satisfies SimpleKind };
    }
  }
}
