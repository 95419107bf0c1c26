/**
 * Lambda's event filters, for records of DynamoDB streams. Rules and limits:
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html (syntax),
 * https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html (no numeric operators; `exists` on leaves only).
 */

/** Filters of one mapping, and characters of one pattern. Source: CreateEventSourceMapping, FilterCriteria. */
const FILTERS_MAX = 5;
const PATTERN_CHARS_MAX = 4_096;

type Test = (record: unknown) => boolean;
type Leaf = string | number | boolean | null | undefined;
type LeafTest = (value: Leaf) => boolean;

/**
 * Compiles filter patterns, given as the JSON text Lambda takes. A record passes when one of them matches (OR);
 * without patterns every record passes.
 *
 * @throws Error naming the pattern and what in it Lambda would not take.
 */
export function filterOf(patterns: readonly string[]): Test {
  if (patterns.length > FILTERS_MAX) {
    throw new Error(`Filter criteria: ${patterns.length} filters; at most ${FILTERS_MAX} are allowed`);
  }
  const tests = patterns.map((pattern) => {
    try {
      if (pattern.length > PATTERN_CHARS_MAX) throw new Error(`is longer than ${PATTERN_CHARS_MAX} characters`);
      return compileObject(JSON.parse(pattern), '');
    } catch (error) {
      throw new Error(`Filter pattern ${pattern} is not valid: ${(error as Error).message}`, { cause: error });
    }
  });
  return (record) => tests.length === 0 || tests.some((test) => test(record));
}

/** All members must match. */
function compileObject(pattern: unknown, path: string): Test {
  if (!isObject(pattern)) throw new Error(`${path || 'the pattern'} must be an object`);
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw new Error(`${path || 'the pattern'} is empty`);
  const tests = entries.map(([name, inner]) => compileMember(name, inner, path ? `${path}.${name}` : name));
  return (record) => tests.every((test) => test(record));
}

function compileMember(name: string, pattern: unknown, path: string): Test {
  if (name === '$or') {
    if (!Array.isArray(pattern) || pattern.length < 2)
      throw new Error(`${path} must be a list of at least two objects`);
    const choices = pattern.map((choice, index) => compileObject(choice, `${path}[${index}]`));
    return (record) => choices.some((test) => test(record));
  }
  if (Array.isArray(pattern)) {
    if (pattern.length === 0) throw new Error(`${path} is an empty list`);
    const tests = pattern.map((rule) => compileRule(rule, path));
    // A list is a choice: one of its rules must hold (OR, not AND).
    return (record) => leavesOf(record, name).some((value) => tests.some((test) => test(value)));
  }
  if (!isObject(pattern)) throw new Error(`${path} must be an object or a list, not ${JSON.stringify(pattern)}`);
  const test = compileObject(pattern, path);
  // What a list of objects holds is matched if one of them matches. A missing member is matched as an empty one, since
  // `exists: false` may stand anywhere below it.
  return (record) => [memberOf(record, name)].flat().some((member) => test(member));
}

function compileRule(rule: unknown, path: string): LeafTest {
  if (!isObject(rule)) {
    if (Array.isArray(rule)) throw new Error(`${path} holds a list in a list`);
    return (value) => value === rule;
  }
  const [[operator, operand] = ['', undefined], ...others] = Object.entries(rule);
  if (others.length > 0) throw new Error(`${path} has a rule with more than one operator`);
  switch (operator) {
    case 'exists':
      if (typeof operand !== 'boolean') throw new Error(`${path}: exists takes true or false`);
      return (value) => (value !== undefined) === operand;
    case 'prefix':
      return textRule(operand, path, operator, (value, text) => value.startsWith(text));
    case 'suffix':
      return textRule(operand, path, operator, (value, text) => value.endsWith(text));
    case 'equals-ignore-case':
      return textRule(operand, path, operator, (value, text) => value.toLowerCase() === text.toLowerCase());
    case 'anything-but':
      return anythingBut(operand, path);
    case 'numeric':
      throw new Error(
        `${path}: numeric operators cannot be used on DynamoDB records, whose numbers are strings; compare the string, or filter in the function`,
      );
    default:
      throw new Error(`${path}: ${operator || 'an empty rule'} is not an operator of Lambda's filters`);
  }
}

function textRule(operand: unknown, path: string, operator: string, holds: (value: string, text: string) => boolean) {
  if (typeof operand !== 'string') throw new Error(`${path}: ${operator} takes a string`);
  return (value: Leaf) => typeof value === 'string' && holds(value, operand);
}

/** Matches any value that is there and is not one of those listed. */
function anythingBut(operand: unknown, path: string): LeafTest {
  const excluded: unknown[] = [operand].flat();
  if (excluded.length === 0 || excluded.some((it) => typeof it !== 'string' && typeof it !== 'number')) {
    throw new Error(`${path}: anything-but takes strings or numbers`);
  }
  return (value) => value !== undefined && !excluded.includes(value);
}

/** Values of a member that are leaves; a missing member, or one that holds objects, counts as one that is not there. */
function leavesOf(record: unknown, name: string): Leaf[] {
  const values = [memberOf(record, name)].flat().filter((it) => !isObject(it));
  return values.length > 0 ? (values as Leaf[]) : [undefined];
}

function memberOf(record: unknown, name: string): unknown {
  return isObject(record) && Object.hasOwn(record, name) ? record[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
