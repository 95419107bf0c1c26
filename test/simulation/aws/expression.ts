import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type Item = Record<string, AttributeValue>;
export type Names = Readonly<Record<string, string>> | undefined;
export type Values = Readonly<Record<string, AttributeValue>> | undefined;

/**
 * DynamoDB's expressions, as far as the product uses them: conditions of comparisons, `attribute_exists`,
 * `attribute_not_exists`, AND, OR, NOT and parentheses over document paths; updates of SET (to a value), REMOVE, and
 * ADD to a set of texts.
 * Anything else is refused, so that a new expression is never evaluated by guess.
 */
type Condition = (item: Item, names: Names, values: Values) => boolean;
type Operand = (item: Item, names: Names, values: Values) => AttributeValue | undefined;

const TOKEN = /\s*(<>|<=|>=|[=<>(),]|[:#]?[A-Za-z_]\w*(?:\.#?[A-Za-z_]\w*)*)/y;
const conditions = new Map<string, Condition>();

/** Whether an item (an empty one, when there is none) fulfils a condition. */
export function fulfils(expression: string, item: Item, names: Names, values: Values): boolean {
  let condition = conditions.get(expression);
  if (!condition) {
    const parser = new Parser(expression);
    condition = parser.whole();
    conditions.set(expression, condition);
  }
  return condition(item, names, values);
}

/** The item after an update expression. */
export function updated(expression: string, item: Item, names: Names, values: Values): Item {
  const result: Item = structuredClone(item);
  const clauses = expression.split(/\b(SET|REMOVE|ADD)\b/).map((text) => text.trim());
  if (clauses[0] !== '') throw new Error(`not simulated: update expression "${expression}"`);
  for (let at = 1; at < clauses.length; at += 2) {
    for (const action of (clauses[at + 1] ?? '').split(',').map((text) => text.trim())) {
      if (clauses[at] === 'ADD') {
        const [name = '', token = ''] = action.split(' ');
        result[name] = { SS: [...new Set([...(result[name]?.SS ?? []), ...(givenValue(token, values).SS ?? [])])] };
        continue;
      }
      const match = clauses[at] === 'SET' ? /^(#?\w+)\s*=\s*(:\w+)$/.exec(action) : /^(#?\w+)$/.exec(action);
      if (!match) throw new Error(`not simulated: update action "${action}"`);
      const name = nameOf(match[1] ?? '', names);
      if (clauses[at] === 'REMOVE') delete result[name];
      else result[name] = givenValue(match[2] ?? '', values);
    }
  }
  return result;
}

class Parser {
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(expression: string) {
    TOKEN.lastIndex = 0;
    for (let match = TOKEN.exec(expression); match; match = TOKEN.exec(expression)) {
      this.#tokens.push(match[1] ?? '');
      if (TOKEN.lastIndex === expression.trimEnd().length) return;
    }
    throw new Error(`not simulated: condition "${expression}"`);
  }

  whole(): Condition {
    const condition = this.#or();
    if (this.#at < this.#tokens.length) throw new Error(`not simulated: "${this.#tokens.slice(this.#at).join(' ')}"`);
    return condition;
  }

  #or(): Condition {
    const left = this.#and();
    if (!this.#take('OR')) return left;
    const right = this.#or();
    return (...given) => left(...given) || right(...given);
  }

  #and(): Condition {
    const left = this.#not();
    if (!this.#take('AND')) return left;
    const right = this.#and();
    return (...given) => left(...given) && right(...given);
  }

  #not(): Condition {
    if (this.#take('NOT')) {
      const inner = this.#not();
      return (...given) => !inner(...given);
    }
    if (this.#take('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    const exists = this.#take('attribute_exists') || (this.#take('attribute_not_exists') ? false : undefined);
    if (exists !== undefined) {
      this.#expect('(');
      const path = this.#operand();
      this.#expect(')');
      return (...given) => (path(...given) !== undefined) === exists;
    }
    return this.#comparison();
  }

  #comparison(): Condition {
    const left = this.#operand();
    const operator = this.#tokens[this.#at++] ?? '';
    const right = this.#operand();
    return (...given) => compare(left(...given), operator, right(...given));
  }

  #operand(): Operand {
    const token = this.#tokens[this.#at++] ?? '';
    if (token.startsWith(':')) return (_item, _names, values) => givenValue(token, values);
    if (!/^[#\w]/.test(token)) throw new Error(`not simulated: operand "${token}"`);
    const path = token.split('.');
    return (item, names) => {
      let value: AttributeValue | undefined = { M: item };
      for (const step of path) value = value?.M?.[nameOf(step, names)];
      return value;
    };
  }

  #take(token: string): boolean | undefined {
    if (this.#tokens[this.#at]?.toUpperCase() !== token.toUpperCase()) return undefined;
    this.#at += 1;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw new Error(`not simulated: expected "${token}" in "${this.#tokens.join(' ')}"`);
  }
}

/** As DynamoDB compares: nothing compares with what is missing or of another type. */
function compare(left: AttributeValue | undefined, operator: string, right: AttributeValue | undefined): boolean {
  if (!left || !right) return operator === '<>' && left !== right;
  let difference: number;
  if (left.N !== undefined && right.N !== undefined) difference = exactNumber(left.N) - exactNumber(right.N);
  else if (left.S !== undefined && right.S !== undefined) {
    difference = Buffer.compare(Buffer.from(left.S), Buffer.from(right.S));
  } else return operator === '<>';
  switch (operator) {
    case '=':
      return difference === 0;
    case '<>':
      return difference !== 0;
    case '<':
      return difference < 0;
    case '<=':
      return difference <= 0;
    case '>':
      return difference > 0;
    case '>=':
      return difference >= 0;
    default:
      throw new Error(`not simulated: operator "${operator}"`);
  }
}

function exactNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new Error(`not simulated: comparing the number ${text}`);
  return number;
}

function nameOf(token: string, names: Names): string {
  if (!token.startsWith('#')) return token;
  const name = names?.[token];
  if (name === undefined) throw new Error(`the expression uses ${token}, which is not given`);
  return name;
}

function givenValue(token: string, values: Values): AttributeValue {
  const value = values?.[token];
  if (value === undefined) throw new Error(`the expression uses ${token}, which is not given`);
  return value;
}
