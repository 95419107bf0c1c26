import { doubleText } from '../../results/result-text.ts';
import { SqlError } from '../sql-error.ts';
import { invalidArgument, type Udf } from './udf.ts';

/** A JSON value whose numbers keep their text. */
type Json = null | boolean | string | JsonNumber | readonly Json[] | ReadonlyMap<string, Json>;

class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Deepest nesting that is read. Source: Jackson's StreamReadConstraints, which Trino reads JSON by. */
const DEPTH_MAX = 1_000;

/** JSON by its text. Trino's json type sorts the members of objects by name, and writes no white space. */
export const JSON_UDFS: Readonly<Record<string, Udf>> = {
  'trino_json_parse(varchar) -> varchar': (text: string) => {
    const value = read(text);
    if (value === undefined) throw invalidArgument(`Cannot convert value to JSON: '${text.slice(0, 200)}'`);
    return write(value);
  },
  'trino_json_extract(varchar, varchar) -> varchar': (text: string, path: string) => {
    const found = at(text, path);
    return found === undefined ? null : write(found);
  },
  'trino_json_extract_scalar(varchar, varchar) -> varchar': (text: string, path: string) => scalarText(at(text, path)),
  'trino_json_array_length(varchar) -> bigint': (text: string) => {
    const value = read(text);
    return Array.isArray(value) ? BigInt(value.length) : null;
  },
  'trino_json_size(varchar, varchar) -> bigint': (text: string, path: string) => {
    const found = at(text, path);
    if (found === undefined) return null;
    if (Array.isArray(found)) return BigInt(found.length);
    return BigInt(found instanceof Map ? found.size : 0);
  },
  'trino_is_json_scalar(varchar) -> boolean': (text: string) => {
    const value = read(text);
    if (value === undefined) throw invalidArgument(`Invalid JSON value: ${text.slice(0, 200)}`);
    return !(Array.isArray(value) || value instanceof Map);
  },
  'trino_json_elements(varchar) -> varchar[]': (text: string) => {
    const value = read(text);
    if (value === null) return null;
    if (!Array.isArray(value)) throw new SqlError('INVALID_CAST_ARGUMENT', 'Cannot cast JSON to an array: it is none');
    return value.map(write);
  },
  'trino_json_scalar(varchar, varchar) -> varchar': scalarAs,
};

/** A JSON scalar as another type: text that a CAST of DuckDB reads. */
function scalarAs(text: string, type: string): string | null {
  const value = read(text);
  const cannot = () =>
    new SqlError('INVALID_CAST_ARGUMENT', `Cannot cast '${text.slice(0, 200)}' to ${type.toUpperCase()}`);
  if (value === null || value === undefined) return null;
  if (Array.isArray(value) || value instanceof Map) throw cannot();
  const plain = value instanceof JsonNumber ? value.text : String(value);
  if (type === 'varchar') return value instanceof JsonNumber && /[.eE]/.test(plain) ? doubleText(Number(plain)) : plain;
  if (type === 'boolean') {
    if (value instanceof JsonNumber) return String(Number(plain) !== 0);
    if (plain === 'true' || plain === 'false') return plain;
    throw cannot();
  }
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (type === 'double') {
    if (!/^[+-]?(\d+\.?|\d*\.\d+)([eE][+-]?\d+)?$/.test(plain)) throw cannot();
    return plain;
  }
  if (value instanceof JsonNumber && /[.eE]/.test(plain)) {
    throw new SqlError(
      'NOT_SUPPORTED',
      `The local Athena does not cast the JSON number ${plain} to ${type}. Instead, cast it to double first`,
    );
  }
  if (!/^[+-]?\d+$/.test(plain)) throw cannot();
  return plain;
}

/** Undefined when the text is no JSON. */
function read(text: string): Json | undefined {
  try {
    return JSON.parse(text, function (this: unknown, _key: string, value: unknown, context?: { source?: string }) {
      if (typeof value === 'number') return new JsonNumber(context?.source ?? String(value));
      if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof JsonNumber)
        return value;
      return value instanceof Map ? value : new Map(Object.entries(value));
    } as Parameters<typeof JSON.parse>[1]);
  } catch {
    return undefined;
  }
}

function write(value: Json, depth = 0): string {
  if (depth > DEPTH_MAX) throw invalidArgument(`JSON nests deeper than ${DEPTH_MAX}`);
  if (value instanceof JsonNumber) return /[.eE]/.test(value.text) ? doubleText(Number(value.text)) : value.text;
  if (Array.isArray(value)) return `[${value.map((it) => write(it, depth + 1)).join(',')}]`;
  if (value instanceof Map) {
    const members = [...value].sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([key, it]) => `${JSON.stringify(key)}:${write(it, depth + 1)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** Text of a scalar; null for null, an array, an object or nothing. */
function scalarText(value: Json | undefined): string | null {
  if (value instanceof JsonNumber) return value.text;
  if (typeof value === 'string') return value;
  return typeof value === 'boolean' ? String(value) : null;
}

type Step = string | number;
const paths = new Map<string, readonly Step[]>();
/** Paths are constants as a rule: those of a few queries are kept. */
const PATHS_MAX = 100;

/** The value at a path: `$.name`, `$.a[0]["b c"]`. */
function at(text: string, path: string): Json | undefined {
  let steps = paths.get(path);
  if (!steps) {
    steps = stepsOf(path);
    if (paths.size >= PATHS_MAX) paths.clear();
    paths.set(path, steps);
  }
  let value = read(text);
  for (const step of steps) {
    if (value instanceof Map) value = value.get(String(step));
    else if (Array.isArray(value) && typeof step === 'number') value = value[step];
    else return undefined;
  }
  return value;
}

function stepsOf(path: string): Step[] {
  const invalid = () => invalidArgument(`Invalid JSON path: '${path.slice(0, 100)}'`);
  const step = /\.([\w-]+)|\[(\d{1,9})\]|\["([^"\\]*)"\]/y;
  const steps: Step[] = [];
  const start = path.startsWith('$') ? 1 : 0;
  if (start === 0) throw invalid();
  for (step.lastIndex = start; step.lastIndex < path.length; ) {
    const match = step.exec(path);
    if (!match) {
      if (/[*?@:]|\.\./.test(path)) {
        throw new SqlError(
          'NOT_SUPPORTED',
          `The local Athena does not run the JSON path '${path.slice(0, 100)}'. Instead, write names and indexes: $.a[0].b`,
        );
      }
      throw invalid();
    }
    steps.push(match[2] === undefined ? (match[1] ?? match[3] ?? '') : Number(match[2]));
  }
  return steps;
}
