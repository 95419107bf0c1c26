import { invalid, validations } from '../engine/dynalite.ts';
import type { AttributeValue, Item } from '../engine/image.ts';
import type { TokenReader } from './tokens.ts';

/** Reads values: literals, and parameters in the order of their question marks. */
export class ValueReader {
  readonly #tokens: TokenReader;
  readonly #parameters: readonly AttributeValue[];
  #used = 0;

  constructor(tokens: TokenReader, parameters: readonly AttributeValue[]) {
    this.#tokens = tokens;
    this.#parameters = parameters;
  }

  /** @throws AwsError when there are parameters that no question mark stands for. */
  expectAllUsed(): void {
    if (this.#used !== this.#parameters.length) throw wrongCount();
  }

  /** @throws AwsError when there is none, or one that DynamoDB does not take. */
  value(): AttributeValue {
    const tokens = this.#tokens;
    const { kind, text } = tokens.next();
    if (kind === 'text') return { S: text };
    if (kind === 'number') return checked({ N: text });
    if (kind === 'word') {
      if (/^(true|false)$/i.test(text)) return { BOOL: text.toLowerCase() === 'true' };
      if (/^null$/i.test(text)) return { NULL: true };
    }
    if (kind === 'symbol' && text === '?') return this.#parameter();
    if (kind === 'symbol' && text === '{') return { M: this.#members() };
    if (kind === 'symbol' && text === '[') return { L: this.#elements(']') };
    if (kind === 'symbol' && text === '<<') return setOf(this.#elements('>>'));
    throw invalid(`Statement wasn't well formed, can't be processed: unexpected ${JSON.stringify(text)}`);
  }

  #parameter(): AttributeValue {
    const value = this.#parameters[this.#used];
    this.#used += 1;
    if (value === undefined) throw wrongCount();
    return checked(value);
  }

  #members(): Item {
    const members: Item = {};
    if (this.#tokens.skip('}')) return members;
    do {
      const { kind, text } = this.#tokens.next();
      if (kind !== 'text' && kind !== 'name') throw invalid('The name of an attribute is a text in quotes');
      this.#tokens.expect(':');
      members[text] = this.value();
    } while (this.#tokens.skip(','));
    this.#tokens.expect('}');
    return members;
  }

  #elements(close: string): AttributeValue[] {
    if (this.#tokens.skip(close)) return [];
    const elements = this.#list();
    this.#tokens.expect(close);
    return elements;
  }

  #list(): AttributeValue[] {
    const list = [this.value()];
    while (this.#tokens.skip(',')) list.push(this.value());
    return list;
  }
}

function setOf(elements: readonly AttributeValue[]): AttributeValue {
  const [type = ''] = Object.keys(elements[0] ?? {});
  if (!['S', 'N', 'B'].includes(type)) throw invalid('A set has strings, numbers or binaries');
  return checked({ [`${type}S`]: elements.map((it) => it[type]) });
}

/** @throws AwsError when the value is none that DynamoDB takes. Numbers get the form they are kept in. */
function checked(value: AttributeValue): AttributeValue {
  const problem = validations.validateAttributeValue(value);
  if (problem) throw invalid(problem);
  return value;
}

function wrongCount() {
  return invalid("Number of parameters in request and statement don't match.");
}
