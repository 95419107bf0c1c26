import { ACCOUNT, REGION } from '../protocol/arn.ts';
import type { Physical } from './physical-names.ts';

/** Marks a property that `AWS::NoValue` removes. */
const NO_VALUE = Symbol('AWS::NoValue');

/** Everything an expression can refer to: resources and functions by logical id. */
export type Physicals = ReadonlyMap<string, Physical>;

/**
 * Evaluates CloudFormation's intrinsic functions in a value: Ref, Fn::GetAtt, Fn::Sub, Fn::Join, Fn::Select, Fn::Split
 * and the pseudo parameters.
 *
 * @param where what the value is, for the error.
 * @throws Error naming the place and the function, resource or attribute that is not known.
 */
export function evaluate(value: unknown, physicals: Physicals, stackName: string, where: string): unknown {
  return new Evaluation(physicals, stackName).value(value, where);
}

class Evaluation {
  readonly #physicals: Physicals;
  readonly #stackName: string;

  constructor(physicals: Physicals, stackName: string) {
    this.#physicals = physicals;
    this.#stackName = stackName;
  }

  value(value: unknown, where: string): unknown {
    if (Array.isArray(value)) {
      return value.map((it, index) => this.value(it, `${where}[${index}]`)).filter((it) => it !== NO_VALUE);
    }
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [only] = entries;
    if (entries.length === 1 && only && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
      return this.#intrinsic(only[0], only[1], where);
    }
    const evaluated = entries.map(([name, it]) => [name, this.value(it, `${where}.${name}`)] as const);
    return Object.fromEntries(evaluated.filter(([, it]) => it !== NO_VALUE));
  }

  #intrinsic(name: string, argument: unknown, where: string): unknown {
    switch (name) {
      case 'Ref':
        return this.#ref(String(argument), where);
      case 'Fn::GetAtt': {
        const [logicalId, ...attribute] = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
        return this.#attribute(logicalId ?? '', attribute.join('.'), where);
      }
      case 'Fn::Sub':
        return this.#sub(argument, where);
      case 'Fn::Join': {
        const [separator, parts] = this.#pair(argument, where);
        return (this.value(parts, where) as unknown[]).map(String).join(String(separator));
      }
      case 'Fn::Select': {
        const [index, list] = this.#pair(argument, where);
        const selected = (this.value(list, where) as unknown[])[Number(index)];
        if (selected === undefined) throw new Error(`${where}: Fn::Select finds no element ${index}.`);
        return selected;
      }
      case 'Fn::Split': {
        const [separator, text] = this.#pair(argument, where);
        return String(this.value(text, where)).split(String(separator));
      }
      default:
        throw new Error(
          `${where}: the local cloud does not evaluate ${name}; add it in infra/local/stack/intrinsics.ts.`,
        );
    }
  }

  #ref(name: string, where: string): unknown {
    switch (name) {
      case 'AWS::Region':
        return REGION;
      case 'AWS::AccountId':
        return ACCOUNT;
      case 'AWS::Partition':
        return 'aws';
      case 'AWS::URLSuffix':
        return 'amazonaws.com';
      case 'AWS::StackName':
        return this.#stackName;
      case 'AWS::NoValue':
        return NO_VALUE;
      default:
        return this.#physical(name, where).ref;
    }
  }

  #attribute(logicalId: string, attribute: string, where: string): string {
    const { attributes } = this.#physical(logicalId, where);
    const value = attributes[attribute];
    if (value !== undefined) return value;
    const known = Object.keys(attributes).join(', ') || 'none';
    throw new Error(`${where}: ${logicalId} has no attribute ${attribute} in the local cloud; it has: ${known}.`);
  }

  #sub(argument: unknown, where: string): string {
    const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
    return String(template).replace(/\$\{([^{}]*)\}/g, (_, name: string) => {
      // `${!name}` is the way to write a literal `${name}`.
      if (name.startsWith('!')) return `\${${name.slice(1)}}`;
      const given = (variables as Record<string, unknown>)[name];
      if (given !== undefined) return String(this.value(given, where));
      const [logicalId = '', ...attribute] = name.split('.');
      return attribute.length > 0
        ? this.#attribute(logicalId, attribute.join('.'), where)
        : String(this.#ref(name, where));
    });
  }

  #physical(logicalId: string, where: string): Physical {
    const physical = this.#physicals.get(logicalId);
    if (!physical) throw new Error(`${where}: there is no resource ${logicalId}.`);
    return physical;
  }

  #pair(argument: unknown, where: string): [unknown, unknown] {
    if (Array.isArray(argument) && argument.length === 2) return [argument[0], argument[1]];
    throw new Error(`${where}: expected two arguments, found ${JSON.stringify(argument)}.`);
  }
}
