import { type Expression, invalid, type Path } from '../engine/dynalite.ts';
import type { AttributeValue, Item } from '../engine/image.ts';
import type { Assignment, Operand, Select, Statement } from './statement.ts';
import { TokenReader } from './tokens.ts';
import { ValueReader } from './values.ts';

/** Conditions on attributes, by their names in PartiQL. */
const FUNCTIONS = ['begins_with', 'contains', 'attribute_type', 'attribute_exists', 'attribute_not_exists'];
const COMPARISONS = ['=', '<>', '!=', '<', '<=', '>', '>='];

/**
 * Parses one statement of PartiQL for DynamoDB: SELECT, INSERT, UPDATE or DELETE of one table or index.
 * Source: developer guide, "PartiQL for DynamoDB statements".
 *
 * @throws AwsError ValidationException
 */
export function parseStatement(text: string, parameters: readonly AttributeValue[] = []): Statement {
  const parser = new Parser(text, parameters);
  return parser.statement();
}

class Parser {
  readonly #tokens: TokenReader;
  readonly #values: ValueReader;

  constructor(text: string, parameters: readonly AttributeValue[]) {
    this.#tokens = new TokenReader(text);
    this.#values = new ValueReader(this.#tokens, parameters);
  }

  statement(): Statement {
    const tokens = this.#tokens;
    const statement = this.#oneOfFour();
    tokens.skip(';');
    if (tokens.current.kind !== 'end') throw tokens.unexpected('the end');
    this.#values.expectAllUsed();
    return statement;
  }

  #oneOfFour(): Statement {
    const tokens = this.#tokens;
    if (tokens.skip('SELECT')) return this.#select();
    if (tokens.skip('INSERT')) return this.#insert();
    if (tokens.skip('UPDATE')) return this.#update();
    if (tokens.skip('DELETE')) return this.#delete();
    if (tokens.skip('EXISTS')) return this.#exists();
    throw tokens.unexpected('SELECT, INSERT, UPDATE or DELETE');
  }

  #exists(): Statement {
    this.#tokens.expect('(');
    this.#tokens.expect('SELECT');
    const { table, where } = this.#select();
    this.#tokens.expect(')');
    return { kind: 'exists', table, where };
  }

  #select(): Select {
    const tokens = this.#tokens;
    const columns = tokens.skip('*') ? undefined : this.#list(() => this.#path());
    tokens.expect('FROM');
    const table = tokens.identifier();
    const index = tokens.skip('.') ? tokens.identifier() : undefined;
    const where = this.#where();
    let isDescending = false;
    if (tokens.skip('ORDER')) {
      tokens.expect('BY');
      this.#path();
      isDescending = tokens.skip('DESC');
      if (!isDescending) tokens.skip('ASC');
    }
    return { kind: 'select', table, index, columns, where, isDescending };
  }

  #insert(): Statement {
    this.#tokens.expect('INTO');
    const table = this.#tokens.identifier();
    if (!this.#tokens.skip('VALUE')) throw this.#tokens.unexpected('VALUE');
    const { M: item } = this.#values.value() as { M?: Item };
    if (!item) throw invalid('INSERT takes a tuple of attributes as its VALUE');
    return { kind: 'insert', table, item };
  }

  #update(): Statement {
    const tokens = this.#tokens;
    const table = tokens.identifier();
    const assignments: Assignment[] = [];
    const removed: Path[] = [];
    while (tokens.isAt('SET', 'REMOVE')) {
      if (tokens.skip('SET')) {
        assignments.push(...this.#list(() => this.#assignment()));
      } else {
        tokens.expect('REMOVE');
        removed.push(...this.#list(() => this.#path()));
      }
    }
    if (assignments.length + removed.length === 0) throw tokens.unexpected('SET or REMOVE');
    return { kind: 'update', table, assignments, removed, where: this.#where(), returning: this.#returning() };
  }

  #delete(): Statement {
    this.#tokens.expect('FROM');
    const table = this.#tokens.identifier();
    return { kind: 'delete', table, where: this.#where(), returning: this.#returning() };
  }

  #returning(): string | undefined {
    const tokens = this.#tokens;
    if (!tokens.skip('RETURNING')) return undefined;
    const which = tokens.identifier().toUpperCase();
    const age = tokens.identifier().toUpperCase();
    tokens.expect('*');
    const asked = which === 'MODIFIED' ? `UPDATED_${age}` : `${which}_${age}`;
    if (!/^(ALL|UPDATED)_(OLD|NEW)$/.test(asked)) throw invalid(`RETURNING ${which} ${age} is not supported`);
    return asked;
  }

  #assignment(): Assignment {
    const path = this.#path();
    this.#tokens.expect('=');
    return { path, value: this.#sum() };
  }

  /** A value, a path or a function of them, perhaps with another added or subtracted. */
  #sum(): Operand {
    const left = this.#operand();
    if (this.#tokens.skip('+')) return { type: 'add', args: [left, this.#operand()] };
    if (this.#tokens.skip('-')) return { type: 'subtract', args: [left, this.#operand()] };
    const { kind, text } = this.#tokens.current;
    if (kind !== 'number' || !text.startsWith('-')) return left;
    // "a -1" without a space is read as two operands.
    this.#tokens.next();
    return { type: 'subtract', args: [left, { N: text.slice(1) }] };
  }

  #operand(): Operand {
    const tokens = this.#tokens;
    const { kind, text } = tokens.current;
    if (kind === 'name' || (kind === 'word' && !/^(true|false|null|missing)$/i.test(text))) {
      const path = this.#path();
      if (!tokens.skip('(')) return path;
      const name = String(path[0]).toLowerCase();
      const args = this.#list(() => this.#sum());
      tokens.expect(')');
      if (name === 'set_add' || name === 'set_delete' || name === 'list_append')
        return { type: 'function', name, args };
      throw invalid(`The function ${name} is not supported in SET`);
    }
    return this.#values.value();
  }

  #where(): Expression | undefined {
    return this.#tokens.skip('WHERE') ? this.#or() : undefined;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#tokens.skip('OR')) left = { type: 'or', args: [left, this.#and()] };
    return left;
  }

  #and(): Expression {
    let left = this.#condition();
    while (this.#tokens.skip('AND')) left = { type: 'and', args: [left, this.#condition()] };
    return left;
  }

  #condition(): Expression {
    const tokens = this.#tokens;
    if (tokens.skip('NOT')) return { type: 'not', args: [this.#condition()] };
    if (tokens.skip('(')) {
      const inner = this.#or();
      tokens.expect(')');
      return inner;
    }
    const left = this.#comparand();
    if (isCondition(left)) return left;
    if (tokens.skip('BETWEEN')) {
      const low = this.#comparand();
      tokens.expect('AND');
      return { type: 'between', args: [left, low, this.#comparand()] };
    }
    if (tokens.skip('NOT')) {
      tokens.expect('IN');
      return { type: 'not', args: [this.#in(left)] };
    }
    if (tokens.skip('IN')) return this.#in(left);
    if (tokens.skip('IS')) return this.#is(left);
    const operator = tokens.next().text;
    if (!COMPARISONS.includes(operator)) throw invalid(`Unexpected ${JSON.stringify(operator)} in a condition`);
    return { type: operator === '!=' ? '<>' : operator, args: [left, this.#comparand()] };
  }

  #in(left: Comparand): Expression {
    const close = this.#tokens.skip('[') ? ']' : ')';
    if (close === ')') this.#tokens.expect('(');
    const values = this.#list(() => this.#comparand());
    this.#tokens.expect(close);
    return { type: 'in', args: [left, ...values] };
  }

  #is(left: Comparand): Expression {
    const isNot = this.#tokens.skip('NOT');
    const is: Expression = this.#tokens.skip('MISSING')
      ? { type: 'function', name: 'attribute_not_exists', args: [left] }
      : { type: '=', args: [left, { NULL: true }] };
    if (is.type === '=') this.#tokens.expect('NULL');
    return isNot ? { type: 'not', args: [is] } : is;
  }

  /** A path, a value, a size, or a condition that is written as a function. */
  #comparand(): Comparand {
    const { kind, text } = this.#tokens.current;
    if (kind !== 'name' && (kind !== 'word' || /^(true|false|null)$/i.test(text))) return this.#values.value();
    const path = this.#path();
    if (!this.#tokens.skip('(')) return path;
    const name = String(path[0]).toLowerCase();
    const args = this.#list(() => this.#comparand());
    this.#tokens.expect(')');
    if (name !== 'size' && !FUNCTIONS.includes(name)) throw invalid(`The function ${name} is not supported`);
    return { type: 'function', name, args };
  }

  #path(): Path {
    const path: (string | number)[] = [this.#tokens.identifier()];
    for (;;) {
      if (this.#tokens.skip('.')) path.push(this.#tokens.identifier());
      else if (this.#tokens.skip('[')) {
        const { kind, text } = this.#tokens.next();
        if (kind !== 'number' && kind !== 'text') throw invalid('A position in a list is a number');
        path.push(kind === 'number' ? Number(text) : text);
        this.#tokens.expect(']');
      } else return path;
    }
  }

  #list<T>(one: () => T): T[] {
    const list = [one()];
    while (this.#tokens.skip(',')) list.push(one());
    return list;
  }
}

type Comparand = Expression | Path | AttributeValue;

function isCondition(value: Comparand): value is Expression {
  return 'type' in value && value.type === 'function' && value.name !== 'size';
}
