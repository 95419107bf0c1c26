import { AwsError } from '../protocol/aws-error.ts';

/** Values of a metric or an expression by the start of their period, in epoch milliseconds. */
export type Series = ReadonlyMap<number, number>;
type Value = Series | number | readonly Series[];

/** Longest expression. Source: MetricDataQuery, Expression. */
const EXPRESSION_LENGTH_MAX = 2_048;
const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_]\w*)|(>=|<=|==|!=|[-+*/()[\],<>]))/y;

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '<': (a, b) => Number(a < b),
  '>': (a, b) => Number(a > b),
  '<=': (a, b) => Number(a <= b),
  '>=': (a, b) => Number(a >= b),
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
};
/** Operators by how tightly they bind, loosest first. */
const LEVELS = [
  ['<', '>', '<=', '>=', '==', '!='],
  ['+', '-'],
  ['*', '/'],
];

const ROUNDING: Readonly<Record<string, (value: number) => number>> = {
  ABS: Math.abs,
  CEIL: Math.ceil,
  FLOOR: Math.floor,
};
const REDUCING: Readonly<Record<string, (values: readonly number[]) => number>> = {
  SUM: (values) => values.reduce((sum, it) => sum + it, 0),
  AVG: (values) => values.reduce((sum, it) => sum + it, 0) / values.length,
  MIN: (values) => Math.min(...values),
  MAX: (values) => Math.max(...values),
};

const FUNCTIONS = [...Object.keys(ROUNDING), ...Object.keys(REDUCING), 'METRICS', 'FILL', 'IF'];

/**
 * Evaluates metric math: numbers, ids, + - * / and comparisons, ABS, CEIL, FLOOR, FILL, IF, and SUM, AVG, MIN, MAX of
 * `[a, b]` or METRICS(). A period in which one side of an operator has no value has none in the result.
 *
 * @param periods the periods looked at, which FILL fills.
 * @throws AwsError ValidationError for what is not evaluated here, SEARCH among it.
 */
export function evaluateMath(
  expression: string,
  series: ReadonlyMap<string, Series>,
  periods: readonly number[],
): Series {
  if (expression.length > EXPRESSION_LENGTH_MAX)
    throw invalid(expression, `it has more than ${EXPRESSION_LENGTH_MAX} characters`);
  const value = new Evaluation(expression, series, periods).evaluate();
  if (value instanceof Map) return value;
  if (typeof value === 'number') return new Map(periods.map((period) => [period, value]));
  throw invalid(expression, 'it is a list of metrics, not one');
}

class Evaluation {
  readonly #expression: string;
  readonly #series: ReadonlyMap<string, Series>;
  readonly #periods: readonly number[];
  readonly #tokens: string[] = [];
  #next = 0;

  constructor(expression: string, series: ReadonlyMap<string, Series>, periods: readonly number[]) {
    this.#expression = expression;
    this.#series = series;
    this.#periods = periods;
    const text = expression.trimEnd();
    for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.length; ) {
      const at = TOKEN.lastIndex;
      const match = TOKEN.exec(text);
      if (!match)
        throw this.#invalid(
          `${JSON.stringify(text.slice(at, at + 20))} is not evaluated here; name the metrics one by one`,
        );
      this.#tokens.push(match[0].trim());
    }
  }

  evaluate(): Value {
    const value = this.#level(0);
    if (this.#next < this.#tokens.length) throw this.#invalid(`${this.#tokens[this.#next]} is not expected`);
    return value;
  }

  #level(level: number): Value {
    const operators = LEVELS[level];
    if (!operators) return this.#operand();
    let left = this.#level(level + 1);
    for (
      let token = this.#tokens[this.#next];
      token !== undefined && operators.includes(token);
      token = this.#tokens[this.#next]
    ) {
      this.#next += 1;
      const operator = OPERATORS[token];
      const right = this.#level(level + 1);
      left = this.#combine([left, right], ([a = 0, b = 0]) => operator?.(a, b) ?? 0);
    }
    return left;
  }

  #operand(): Value {
    const token = this.#tokens[this.#next++];
    if (token === undefined) throw this.#invalid('it ends too early');
    if (token === '-') return this.#combine([this.#operand()], ([a = 0]) => -a);
    if (token === '(') {
      const value = this.#level(0);
      this.#expect(')');
      return value;
    }
    if (token === '[') return this.#list(']').map((it) => this.#oneSeries(it));
    if (/^\d/.test(token)) return Number(token);
    if (this.#tokens[this.#next] === '(') return this.#call(token);
    const found = this.#series.get(token);
    if (found) return found;
    throw this.#invalid(`there is no metric with the id ${token}`);
  }

  #call(name: string): Value {
    if (!FUNCTIONS.includes(name)) {
      throw this.#invalid(`the function ${name} is not evaluated here; name the metrics one by one`);
    }
    this.#next += 1;
    const values = this.#list(')');
    const [first = 0, second = 0, third = 0] = values;
    if (name === 'METRICS' && values.length === 0) return [...this.#series.values()];
    const rounding = Object.hasOwn(ROUNDING, name) ? ROUNDING[name] : undefined;
    if (rounding) return this.#combine([first], ([a = 0]) => rounding(a));
    const reducing = Object.hasOwn(REDUCING, name) ? REDUCING[name] : undefined;
    if (reducing) return this.#reduce(first, reducing);
    if (name === 'FILL' && values.length === 2 && typeof second === 'number') {
      const filled = this.#oneSeries(first);
      return new Map(this.#periods.map((period) => [period, filled.get(period) ?? second]));
    }
    if (name === 'IF' && values.length === 3)
      return this.#combine([first, second, third], ([condition, yes = 0, no = 0]) => (condition ? yes : no));
    throw this.#invalid(`${name} has other arguments than it takes`);
  }

  /** Over several metrics by period; over one metric, its single value. */
  #reduce(value: Value, reduce: (values: readonly number[]) => number): Value {
    if (!Array.isArray(value)) return reduce([...this.#oneSeries(value as Series | number).values()]);
    const all = value as readonly Series[];
    const periods = this.#periods.filter((period) => all.some((it) => it.has(period)));
    return new Map(periods.map((period) => [period, reduce(all.flatMap((it) => it.get(period) ?? []))]));
  }

  #combine(values: readonly Value[], operate: (values: readonly number[]) => number): Value {
    if (values.every((it) => typeof it === 'number')) return operate(values);
    const all = values.map((it) => (typeof it === 'number' ? it : this.#oneSeries(it)));
    const at = (period: number) => all.flatMap((it) => (typeof it === 'number' ? it : (it.get(period) ?? [])));
    const periods = this.#periods.filter((period) => at(period).length === all.length);
    return new Map(periods.map((period) => [period, operate(at(period))]));
  }

  #oneSeries(value: Value): Series {
    if (value instanceof Map) return value;
    if (typeof value === 'number') return new Map(this.#periods.map((period) => [period, value]));
    throw this.#invalid('a list of metrics stands where one is expected');
  }

  #list(end: string): Value[] {
    const values: Value[] = [];
    if (this.#tokens[this.#next] === end) this.#next += 1;
    else {
      do values.push(this.#level(0));
      while (this.#tokens[this.#next] === ',' && ++this.#next);
      this.#expect(end);
    }
    return values;
  }

  #expect(token: string): void {
    if (this.#tokens[this.#next++] !== token) throw this.#invalid(`a ${token} is missing`);
  }

  #invalid(problem: string): AwsError {
    return invalid(this.#expression, problem);
  }
}

function invalid(expression: string, problem: string): AwsError {
  return new AwsError(
    'ValidationError',
    `The expression ${JSON.stringify(expression.slice(0, 100))} cannot be evaluated: ${problem}.`,
  );
}
